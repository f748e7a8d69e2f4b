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


_FENCE = re.compile(r"^(?P<mark>```|~~~)[^\n]*\n.*?^(?P=mark)[ \t]*$", re.MULTILINE | re.DOTALL)
_LINE = re.compile(r"[^\r\n\u2028\u2029]*(?:\r\n|[\r\n\u2028\u2029]|$)")
_LEAD = re.compile(r"\s*(?:(?:[-*+•‣▪>#|]+|\(?\d{1,3}[.)]|[A-Za-z][.)])\s+)*")
_MARKUP = re.compile(r"\s*(?:</?[A-Za-z][^<>]*>\s*)+")
# Pieces that stand inside a sentence and must come through a translation verbatim.
INLINE = re.compile(
    r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'”’]"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
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


def _sentences(core: str, language: Language) -> list[str]:
    """Sentences with the white space after them; joined they are the core again, else the core is one sentence."""
    from sentencex import get_sentence_boundaries

    found = [b["text"] for b in get_sentence_boundaries(language.iso, core)]
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
    at = 0
    for fence in _FENCE.finditer(text):
        pieces += _cut_lines(text[at : fence.start()], language)
        pieces.append(Piece(fence.group(), False))
        at = fence.end()
    pieces += _cut_lines(text[at:], language)
    return [p for p in pieces if p.text]


def _cut_lines(text: str, language: Language) -> list[Piece]:
    return [piece for line in _LINE.findall(text) if line for piece in _cut_line(line, language)]


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
