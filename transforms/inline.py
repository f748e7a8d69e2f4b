"""Inline pieces: what stands inside a sentence and must come through a translation verbatim, exactly as often."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Never part of a URL: white space, brackets that may enclose it, and the scripts and marks that follow one without a space.
_NO_URL = r"\s<>\"()“”„«»—–\u0e00-\u0e7f\u2e80-\ua4cf\uac00-\ud7af\uff00-\uffef"
_END = r"\r\n\u2028\u2029"
_KINDS = {
    # What is around the words of a Markdown link: [ and ](address), ![ and ](address).
    "link": rf"!?\[(?=[^\[\]{_END}]*\]\([^\s()<>]+\))|\]\([^\s()<>]+\)",
    # Balanced brackets belong to it, the sentence's own punctuation does not.
    "url": rf"(?:https?://|(?<![A-Za-z0-9.])www\.)(?:[^{_NO_URL}]|\([^{_NO_URL}]*\))*(?:[^{_NO_URL}.,;:!?\]}}'’]|\([^{_NO_URL}]*\))",
    "e-mail": r"(?<![A-Za-z0-9.+_-])[A-Za-z0-9.+_-]++@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+",
    "code": rf"(?<!`)(?P<ticks>`+)(?!`)[^{_END}]+?(?<!`)(?P=ticks)(?!`)",
    "comment": rf"<!--(?:[^{_END}<-]|-(?!->)|<(?!!--))*-->",
    "code tag": rf"<(?P<tag>code|kbd|samp|tt|var)>[^<>{_END}]*</(?P=tag)>",
    # A tag's attributes have values, but for a few. Words in angle brackets are no tag.
    "tag": r"</?[A-Za-z][\w:.-]*+(?:\s++(?:[A-Za-z_:@][\w:.-]*+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>=]+)"
    r"|(?:async|autofocus|checked|controls|defer|disabled|hidden|loop|multiple|muted|open|readonly|required|selected)\b))*+\s*/?>",
    "display math": rf"(?<!\$)\$\$(?:[^\s$]+|(?=[^${_END}]*[\\^_={{}}])[^${_END}]+)\$\$(?!\$)",
    "marked math": rf"\\\((?:[^{_END}\\]|\\(?![()]))+\\\)|\\\[(?:[^{_END}\\]|\\(?![][]))+\\\]",
    # $x$ and $a = b$, but not $5 and $10.
    "math": rf"(?<!\$)\$(?:[^\s$]+|(?=[^${_END}]*[\\^_=])[^\s$](?:[^${_END}]*[^\s$])?)\$(?![\d$])",
    "command": rf"\\(?!(?:text|section|sub|emph|title|paragraph|caption|footnote|chapter|item))[A-Za-z]+(?:\{{[^{{}}{_END}]*\}})+",
    "json": rf'\{{\s*"[^{{}}{_END}]*(?:\{{[^{{}}{_END}]*\}}[^{{}}{_END}]*)*\}}',
    "template": rf"\{{%[^{_END}{{}}]*%\}}|\{{\{{[^{{}}{_END}]*\}}\}}|\$?\{{\w+(?:\.\w+)*\}}",
    "format": r"%\(\w+\)[sdif]|%(?:\d+\$)?(?:\.\d+)?[sdif](?![A-Za-z0-9])",
    "placeholder": r"\[[A-Z][A-Z0-9_]*(?: [A-Z0-9_]+){0,2}\]",
    # base64, hashes, keys: no word is as long, nor has digits.
    "key": r"(?<![A-Za-z0-9+/=_])(?=[A-Za-z+/=_]*\d)[A-Za-z0-9+/=_]{48,}",
}
_INLINE = re.compile("|".join(f"(?:{pattern})" for pattern in _KINDS.values()))
# What every piece has something of: most texts hold no piece, and are looked through once.
_SIGN = re.compile(r"[`<$\\{\[@%]|://|www\.|[A-Za-z0-9+/=_]{48}")


def _may_hold_pieces(text: str) -> bool:
    """Whether a text has something of an inline piece: False is sure."""
    return _SIGN.search(text) is not None


def find_inline(text: str) -> Iterator[re.Match[str]]:
    """The inline pieces of a text, in order."""
    return _INLINE.finditer(text) if _may_hold_pieces(text) else iter(())


def without_inline(text: str) -> str:
    """The text without its inline pieces."""
    return _INLINE.sub("", text) if _may_hold_pieces(text) else text


def inline_pieces(text: str) -> list[str]:
    """The inline pieces of a sentence, in order."""
    return [found.group() for found in find_inline(text)]


def pieces_kept(source: str, target: str) -> tuple[int, int]:
    """(distinct pieces of the source that stand in the target exactly as often, distinct pieces in all)."""
    pieces = dict.fromkeys(inline_pieces(source))
    return sum(target.count(p) == source.count(p) for p in pieces), len(pieces)


def all_pieces_kept(source: str, target: str) -> bool:
    """Whether every inline piece of the source stands in the target exactly as often."""
    kept, pieces = pieces_kept(source, target)
    return kept == pieces
