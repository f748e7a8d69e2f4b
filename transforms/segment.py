"""Cuts a text into sentences to translate and pieces to keep, and puts it together again without losing a character."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.locales import Language


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: a sentence to translate, or something that stays as it is."""

    text: str
    translate: bool


_OPENING = re.compile(r"[ \t]*(?:(`{3,})[^`]*|(~{3,}).*)", re.DOTALL)
_CLOSING = re.compile(r"[ \t]*(`{3,}|~{3,})\s*")
_LINE = re.compile(r"[^\r\n\u2028\u2029]*(?:\r\n|[\r\n\u2028\u2029]|$)")
_LEAD = re.compile(r"\s*(?:(?:[-*+•‣▪>#|]+|\(?\d{1,3}[.)]|[A-Za-z][.)])\s+)*")
# sentencex takes time quadratic in the quotation marks: it gets a long line in blocks, of whole sentences if it can be.
_LONGEST = 20_000
_WITHIN = rf".{{1,{_LONGEST - 1}}}"
_BLOCK = re.compile(rf"{_WITHIN}(?:(?<=[.!?])\s|$)|{_WITHIN}\s|\s*\S+\s*", re.DOTALL)
_MARKUP = re.compile(r"\s*(?:</?[A-Za-z][^<>]*>\s*)+")
# Pieces that stand inside a sentence and must come through a translation verbatim.
INLINE = re.compile(
    r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'”’]"
    r"|(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+"
    r"|`[^`\n]+`"
    r"|</?[A-Za-z][^<>\n]*>"
    r"|\{\{?\w+\}\}?|%\(\w+\)[sd]|%[sd]\b|\[[A-Z][A-Z_ ]*\]|<[A-Z_]+>"
)


def _is_json(text: str) -> bool:
    stripped = text.strip()
    if not stripped or stripped[0] not in "{[" or stripped[-1] not in "}]":
        return False
    try:
        return isinstance(json.loads(stripped), (dict, list))
    except (ValueError, RecursionError):
        return False


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))


# Abbreviations before a name that sentencex takes for the end of a sentence.
_TITLE = re.compile(r"(?:^|\s)(?:Ms|Mx|Messrs)\.\s*$")


def _sentences(core: str, language: Language) -> list[str]:
    """Sentences with the white space after them; joined they are the core again, else the core is one sentence."""
    from sentencex import get_sentence_boundaries

    found: list[str] = []
    for block in _BLOCK.findall(core):
        long = len(block) > _LONGEST
        for sentence in [block] if long else [b["text"] for b in get_sentence_boundaries(language.iso, block)]:
            if found and _TITLE.search(found[-1][-40:]):
                found[-1] += sentence
            else:
                found.append(sentence)
    return found if "".join(found) == core else [core]


def _cut_line(line: str, language: Language) -> list[Piece]:
    body = line.rstrip()
    if not _has_letters(INLINE.sub("", body)) or _is_json(body) or _MARKUP.fullmatch(body):
        return [Piece(line, False)]
    lead = _LEAD.match(body)
    start = lead.end() if lead else 0
    pieces = [Piece(line[:start], False)]
    for sentence in _sentences(body[start:], language):
        bare = sentence.rstrip()
        first = len(bare) - len(bare.lstrip())
        pieces += [
            Piece(sentence[:first], False),
            Piece(bare[first:], _has_letters(INLINE.sub("", bare))),
            Piece(sentence[len(bare) :], False),
        ]
    pieces.append(Piece(line[len(body) :], False))
    return pieces


def segment(text: str, language: Language) -> list[Piece]:
    """Cuts a text into pieces whose texts, joined, are the text again.

    Fenced code, lines of markup and JSON documents are kept; so are bullets, numbering, indentation and line ends.
    """
    if _is_json(text):
        return [Piece(text, False)]
    pieces: list[Piece] = []
    for stretch, is_code in _cut_fences(text):
        pieces += [Piece(stretch, False)] if is_code else _cut_line(stretch, language)
    return [p for p in pieces if p.text]


def _cut_fences(text: str) -> list[tuple[str, bool]]:
    """(line, False) and (block of fenced code, True), in order. A fence that is never closed opens nothing."""
    lines = [line for line in _LINE.findall(text) if line]
    found: list[tuple[str, bool]] = []
    unclosed: dict[str, int] = {}  # how long a mark that nothing closes is: what follows need not be searched again
    i = 0
    while i < len(lines):
        opening, closing = _OPENING.fullmatch(lines[i]), None
        mark = (opening[1] or opening[2]) if opening else ""
        if mark and len(mark) < unclosed.get(mark[0], len(mark) + 1):
            closing = next((j for j in range(i + 1, len(lines)) if _closes(lines[j], mark)), None)
            if closing is None:
                unclosed[mark[0]] = len(mark)
        end = i if closing is None else closing
        found.append(("".join(lines[i : end + 1]), closing is not None))
        i = end + 1
    return found


def _closes(line: str, mark: str) -> bool:
    found = _CLOSING.fullmatch(line)
    return found is not None and found[1].startswith(mark)


def verbatim_stretches(text: str) -> list[tuple[int, int]]:
    """(start, end) of all that must stand in every language as it stands here: code, JSON and inline pieces."""
    if _is_json(text):
        return [(0, len(text))]
    found: list[tuple[int, int]] = []
    at = 0
    for stretch, is_code in _cut_fences(text):
        if is_code or _is_json(stretch):
            found.append((at, at + len(stretch)))
        at += len(stretch)
    return found + [m.span() for m in INLINE.finditer(text)]


def reassemble(pieces: Sequence[Piece], targets: Sequence[str], language: Language | None) -> str:
    """Puts a text together from its pieces and the translations of those to translate, in order.

    Args:
        language: of the target; spaces between two sentences go where it writes none. None joins as the source did.
    """
    left = iter(targets)
    out = [next(left) if piece.translate else piece.text for piece in pieces]
    if language is not None and not language.sentence_space:
        for i in range(1, len(pieces) - 1):
            between_sentences = pieces[i - 1].translate and pieces[i + 1].translate and not pieces[i].text.strip(" ")
            if between_sentences and not out[i - 1][-1:].isascii():
                out[i] = ""
    return "".join(out)


def inline_pieces(text: str) -> list[str]:
    """The URLs, addresses, code, tags and placeholders of a sentence, in order."""
    return INLINE.findall(text)


def pieces_kept(source: str, target: str) -> tuple[int, int]:
    """(pieces of the source that stand in the target exactly as often, pieces in all)."""
    pieces = inline_pieces(source)
    return sum(target.count(p) == source.count(p) for p in pieces), len(pieces)
