"""Finds invisible characters that nothing in a text explains: the carrier of hidden messages."""

from __future__ import annotations

import regex

_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]")
_JOINER = ("\u200c", "\u200d")
_VARIATION = regex.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_JOINS = regex.compile(r"[\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}"
                       r"\p{Sinhala}\p{Arabic}\p{Syriac}\p{Mongolian}\p{Emoji_Presentation}\p{Extended_Pictographic}"
                       r"\p{Emoji_Modifier}\ufe0f]")
_VARIES = regex.compile(r"[\p{Han}\p{Emoji}\p{Mongolian}\p{Myanmar}]")
_UNSPACED = regex.compile(r"[\p{Thai}\p{Khmer}\p{Lao}\p{Myanmar}]")
_FLAG = regex.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
# A soft hyphen or byte order mark is typesetting, and marks of direction are common in right-to-left text.
_HARMLESS = frozenset("\u00ad\ufeff\u200e\u200f\u061c\u2060")
# A joiner after every third letter is a bit stream, not spelling: real Hindi and Persian stay far below.
_MOST_JOINERS = 0.34


def count_unexplained(text: str) -> int:
    """How many invisible characters no script, emoji or layout in the text explains.

    Joiners after letters that join, one variation selector after what can vary, zero-width spaces between unspaced
    letters and flag tags are explained; joiners so dense that they cannot be spelling are not.
    """
    bare = _FLAG.sub("", text)
    found = [m.start() for m in _INVISIBLE.finditer(bare) if m.group() not in _HARMLESS]
    if not found:
        return 0
    unexplained = joiners = 0
    for i in found:
        char, before = bare[i], bare[i - 1] if i else ""
        after = bare[i + 1] if i + 1 < len(bare) else ""
        if char in _JOINER:
            joiners += 1
            explained = bool(_JOINS.match(before)) and bool(after.strip())
        elif _VARIATION.match(char):
            explained = bool(_VARIES.match(before))
        elif char == "\u200b":
            explained = bool(_UNSPACED.match(before) or _UNSPACED.match(after))
        else:
            explained = False
        unexplained += not explained
    letters = sum(map(str.isalpha, bare))
    if joiners > max(3, _MOST_JOINERS * letters):
        unexplained = max(unexplained, joiners)
    return unexplained
