"""Finds invisible characters that nothing in a text explains: the carrier of hidden messages."""

from __future__ import annotations

import regex

_INVISIBLE = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Bidi_Control}]")
_JOINER = ("\u200c", "\u200d")
_JOINS = regex.compile(
    r"[\p{Devanagari}\p{Bengali}\p{Gurmukhi}\p{Gujarati}\p{Tamil}\p{Telugu}\p{Kannada}\p{Malayalam}"
    r"\p{Sinhala}\p{Arabic}\p{Syriac}\p{Mongolian}]"
)
_EMOJI_JOINS = regex.compile(r"[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]\u200d\p{Extended_Pictographic}")
# Variation selectors, each with what Unicode defines it for. A digit takes one only as a keycap.
_VARIES = regex.compile(
    r"(?:(?![0-9#*])\p{Emoji}[\ufe0e\ufe0f]|[0-9#*]\ufe0f\u20e3"
    r"|[\p{Han}\p{Myanmar}\p{Phags_Pa}\p{Sm}][\ufe00-\ufe06]|\p{Han}[\U000e0100-\U000e01ef])"
)
_VARIATION = regex.compile(r"[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_UNSPACED = regex.compile(r"[\p{Thai}\p{Khmer}\p{Lao}\p{Myanmar}]")
_FLAG = regex.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
# A soft hyphen or byte order mark is typesetting, and marks of direction are common in right-to-left text.
_HARMLESS = frozenset("\u00ad\ufeff\u200e\u200f\u061c\u2060")
# More than one for every third letter is a bit stream, not spelling: real Hindi and Persian stay far below.
_DENSEST = 0.34


def count_unexplained(text: str) -> int:
    """How many invisible characters no script, emoji or layout in the text explains.

    Joiners between emoji and after letters that join, one variation selector after what can vary, zero-width spaces
    between unspaced letters, flag tags and single marks of layout are explained; joiners and marks so dense that they
    cannot be spelling are not.
    """
    if text.isascii() or _INVISIBLE.search(text) is None:
        return 0
    bare = _FLAG.sub("", text)
    found = [m.start() for m in _INVISIBLE.finditer(bare)]
    if not found:
        return 0
    unexplained = dense = 0
    for i in found:
        char, before = bare[i], bare[i - 1] if i else ""
        after = bare[i + 1] if i + 1 < len(bare) else ""
        if char in _JOINER and _EMOJI_JOINS.match(bare, i - 1 if i else 0):
            explained = True
        elif char in _JOINER:
            dense += 1
            # A zero-width joiner may end a word: it shows the form a letter has before another.
            explained = bool(_JOINS.match(before)) and (char == "\u200d" or bool(after.strip()))
        elif _VARIATION.match(char):
            explained = bool(i and _VARIES.match(bare, i - 1))
        elif char in _HARMLESS:
            dense += 1
            explained = not _INVISIBLE.match(before)
        elif char == "\u200b":
            explained = bool(_UNSPACED.match(before) or _UNSPACED.match(after))
        else:
            explained = False
        unexplained += not explained
    letters = sum(map(str.isalpha, bare))
    if dense > max(3, _DENSEST * letters):
        unexplained = max(unexplained, dense)
    return unexplained
