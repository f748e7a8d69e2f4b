"""Cuts a text into sentences to translate and pieces to keep, and puts it together again without losing a character."""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import regex

from schemas.locales import Language
from transforms.blocks import cut_blocks, has_letters
from transforms.inline import find_inline


@dataclass(frozen=True)
class Piece:
    """A stretch of a text: a sentence to translate, or something that stays as it is."""

    text: str
    translate: bool


# What begins a line and is none of its sentence: quote marks, bullets, boxes, numbers, headings, times of a chat log.
_LEAD = re.compile(
    r"\s*(?:(?:[-*+•‣▪>#]+|\(?\d{1,3}[.)]|[A-Za-z][.)]|\[[ xX]\]|\[?\d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?\]?(?: [-–])?)\s+)*"
)
# What parts a line as line ends do: tags of blocks, and tabs. All other tags stand inside sentences.
_PARTS = re.compile(
    r"</?(?:article|blockquote|br|dd|div|dl|dt|figure|h[1-6]|hr|html|li|ol|p|section|table|tbody|td|tfoot|th|thead|tr|ul)\b"
    r"[^<>\n]*>|<[?!][^<>\n]*>|\t\s*",
    re.IGNORECASE,
)
_BAR = re.compile(r"(?<!\\)\|\s*")
# A line that one tag or one mark of emphasis encloses as a whole, and a label that stands out before a line's text.
_ENCLOSED = re.compile(
    r"(?P<open><(?P<tag>[A-Za-z][\w:.-]*)\b[^<>]*>|\*{1,3}|~~)(?P<inner>\S(?:.*\S)?)(?P<close></(?P=tag)\s*>|(?P=open))"
)
_LABEL = re.compile(r"(?P<open>\*\*|__)(?P<inner>[^*_\n]+?)(?P<close>(?::(?P=open)|(?P=open):)\s+)")
# sentencex takes time quadratic in the quotation marks: it gets a long line in blocks, of whole sentences if it can be.
_LONGEST = 20_000
_WITHIN = rf".{{1,{_LONGEST - 1}}}"
_CHUNK = re.compile(rf"{_WITHIN}(?:(?<=[.!?])\s|(?<=[。！？।؟])|$)|{_WITHIN}\s|\s*\S+\s*", re.DOTALL)
# Abbreviations before a name that sentencex takes for the end of a sentence.
_TITLE = re.compile(r"(?:^|\s)(?:Ms|Mx|Messrs|MM?)\.\s*$")
# Where it misses one: it takes "me." for Maine.
_MISSED = re.compile(r"(?<=\bme\.)\s+(?=[A-Z])")


def segment(text: str, language: Language) -> list[Piece]:
    """Cuts a text into pieces whose texts, joined, are the text again.

    Fenced code, JSON documents, formulas and lines of markup are kept; so are bullets, numbering, indentation, the bars of
    tables and line ends. The cells of a table are translated each on its own.
    """
    pieces: list[Piece] = []
    for block in cut_blocks(text):
        if block.kind == "kept" or not has_letters(block.text):
            pieces.append(Piece(block.text, False))
            continue
        body = block.text.rstrip()
        for stretch, is_text in _cells(body, _BAR if block.kind == "row" else _PARTS):
            pieces += _cut_stretch(stretch, language) if is_text else [Piece(stretch, False)]
        pieces.append(Piece(block.text[len(body) :], False))
    return [p for p in pieces if p.text]


def _cells(line: str, parting: re.Pattern[str]) -> Iterator[tuple[str, bool]]:
    """(stretch, True) and (what parts it from the next, False), in order; inside an inline piece nothing parts."""
    spans = _inline_spans(line)
    at = 0
    for part in parting.finditer(line):
        around = _around(spans, part.start())
        if around is None or around == part.span():
            yield line[at : part.start()], True
            yield part.group(), False
            at = part.end()
    yield line[at:], True


def _inline_spans(text: str) -> list[tuple[int, int]]:
    return [m.span() for m in find_inline(text)]


def _around(spans: Sequence[tuple[int, int]], at: int) -> tuple[int, int] | None:
    """The span that the character at a position belongs to; spans are in order and do not overlap."""
    k = bisect.bisect_right(spans, at, key=lambda span: span[0]) - 1
    return spans[k] if k >= 0 and at < spans[k][1] else None


def _cut_stretch(stretch: str, language: Language) -> list[Piece]:
    """The pieces of a stretch of one line: what leads it and encloses it, and its sentences."""
    if not has_letters(stretch):
        return [Piece(stretch, False)]
    lead = _LEAD.match(stretch)
    start = lead.end() if lead else 0
    pieces = [Piece(stretch[:start], False)]
    core, tail = stretch[start:], ""
    while enclosed := _ENCLOSED.fullmatch(core):
        mark, inner, close = enclosed["open"], enclosed["inner"], enclosed["close"]
        if (mark if not enclosed["tag"] else f"<{enclosed['tag']}") in inner:
            break  # two of them side by side
        pieces.append(Piece(mark, False))
        core, tail = inner, close + tail
    if label := _LABEL.match(core):
        pieces += [Piece(label["open"], False), *_translatable(label["inner"]), Piece(label["close"], False)]
        core = core[label.end() :]
    for sentence in _sentences(core, language):
        number = _LEAD.match(sentence)  # a list may go on within a line: 1) this 2) that
        after = number.end() if number else 0
        pieces += [Piece(sentence[:after], False), *_translatable(sentence[after:])]
    return [*pieces, Piece(tail, False)]


# White space, marks of direction and emoji: at the ends of a sentence they are none of its grammar, and few models know emoji.
_EDGE = (
    r"(?:[\s\x1c-\x1f\u061c\u200e\u200f\ufeff]"
    r"|\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\u200d\ufe0f\U0001f3fb-\U0001f3ff])*+"
)
_BEFORE, _AFTER = regex.compile(_EDGE), regex.compile(f"(?r){_EDGE.replace('*+', '*')}")


def _translatable(text: str) -> list[Piece]:
    """A sentence, and the white space and emoji around it."""
    before = _BEFORE.match(text)
    start = before.end() if before else 0
    after = _AFTER.match(text, start)
    end = after.start() if after else len(text)
    return [Piece(text[:start], False), Piece(text[start:end], has_letters(text[start:end])), Piece(text[end:], False)]


def _sentences(core: str, language: Language) -> list[str]:
    """Sentences with the white space after them; joined they are the core again, else the core is one sentence."""
    from sentencex import get_sentence_boundaries

    found: list[str] = []
    for chunk in _CHUNK.findall(core):
        found += [chunk] if len(chunk) > _LONGEST else [b["text"] for b in get_sentence_boundaries(language.iso, chunk)]
    if "".join(found) != core:
        return [core]
    spans = _inline_spans(core)
    ends = {m.end() for m in _MISSED.finditer(core)}
    for end in itertools.accumulate(map(len, found)):
        around = _around(spans, end)
        if (around is None or around[0] == end) and not _TITLE.search(core, max(0, end - 40), end):
            ends.add(end)
    return [core[a:b] for a, b in itertools.pairwise(sorted({0, *ends, len(core)}))]


_CLOSING = re.compile(r"[\s,;:.!?)\]}”’»،؛؟，。；：！？、）」』।]+")


_OPENING = re.compile(r"(?<![\s(\[{“‘«（「『])[\s(\[{“‘«（「『]+$")


def cut_at_pieces(sentence: str) -> list[Piece]:
    """Cuts a sentence at its inline pieces, for when they did not come through inside it."""
    bounds = [0, *itertools.chain.from_iterable(_inline_spans(sentence)), len(sentence)]
    pieces: list[Piece] = []
    for index, (start, end) in enumerate(itertools.pairwise(bounds)):
        stretch = sentence[start:end]
        if index % 2 or not has_letters(stretch):
            pieces.append(Piece(stretch, False))
            continue
        # What closes the piece before is none of the stretch, nor what opens the next.
        closing, opening = _CLOSING.match(stretch), _OPENING.search(stretch)
        after, before = closing.end() if closing else 0, opening.start() if opening else len(stretch)
        pieces += [
            Piece(stretch[:after], False), *_translatable(stretch[after:before]), Piece(stretch[before:], False)
        ]  # fmt: skip
    return [p for p in pieces if p.text]


# Where a sentence may be cut, best first: where a sentence ends after all; after a semicolon, colon or dash; after a comma;
# at white space. Never inside a number or a time of day.
_CLAUSE_ENDS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:[.!?][)\]\"'”’»]*\s|[。！？।؟][)\]\"'”’»」』]*)\s*",
        r"(?:[;；：؛—–…]|:(?!\d))[)\]\"'”’»」』]*\s*",
        r"(?:[，、،]|,(?!\d))[)\]\"'”’»」』]*\s*",
        r"\s+",
    )
)  # fmt: skip
# Two characters that make one: no place to cut.
_JOINED = re.compile(
    r"\u200d|.[\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u064b-\u065f\u200d\ufe0f]"
)


def cut_at_clauses(sentence: str, fits: Callable[[str], bool]) -> list[Piece]:
    """Cuts a sentence that is too long for the model into parts that fit, at the best clause boundary near its middle.

    Never inside an inline piece. A part that cannot be cut stays too long.

    Args:
        fits: whether the model can read a text at once.
    """
    if not has_letters(sentence) or fits(sentence):
        return _translatable(sentence)
    spans = _inline_spans(sentence)

    def is_free(place: int) -> bool:
        around = _around(spans, place)
        return around is None or around[0] == place

    places: Sequence[int] = ()
    for ends in _CLAUSE_ENDS:
        places = [m.end() for m in ends.finditer(sentence) if is_free(m.end())]
        # A cut near an end would leave the other part as long as before.
        if places := [p for p in places if len(sentence) // 5 < p < len(sentence) * 4 // 5]:
            break
    if not places:
        places = [p for p in range(1, len(sentence)) if is_free(p) and not _JOINED.match(sentence[p - 1 : p + 1])]
    if not places:
        return _translatable(sentence)
    cut = min(places, key=lambda p: abs(2 * p - len(sentence)))
    parts = cut_at_clauses(sentence[:cut], fits) + cut_at_clauses(sentence[cut:], fits)
    return [p for p in parts if p.text]


def verbatim_stretches(text: str) -> list[tuple[int, int]]:
    """(start, end) of all that must stand in every language as it stands here: blocks and inline pieces, in order."""
    found: list[tuple[int, int]] = []
    at = 0
    for block in cut_blocks(text):
        if block.kind == "kept":
            found.append((at, at + len(block.text)))
        else:
            found += [(at + m.start(), at + m.end()) for m in find_inline(block.text)]
        at += len(block.text)
    return found


@functools.lru_cache(maxsize=256)  # one text is asked about by several scores
def without_verbatim(text: str) -> str:
    """The text with a space in place of every stretch that stays verbatim: what scores of language look at."""
    stretches = verbatim_stretches(text)
    if not stretches:
        return text
    out: list[str] = []
    at = 0
    for start, end in stretches:
        out += [text[at:start], " "]
        at = end
    return "".join([*out, text[at:]])


def reassemble(pieces: Sequence[Piece], targets: Sequence[str], language: Language | None) -> str:
    """Puts a text together from its pieces and the translations of those to translate, in order.

    Args:
        language: of the target; spaces between two sentences go where it writes none, and come where it does and the
            source's language does not. None joins as the source did.

    Raises:
        ValueError: there are more or fewer targets than pieces to translate.
    """
    places = [i for i, piece in enumerate(pieces) if piece.translate]
    out = [piece.text for piece in pieces]
    for i, target in zip(places, targets, strict=True):
        out[i] = target
    if language is not None:
        for i, j in itertools.pairwise(places):
            if language.sentence_space and j == i + 1:
                out[i] += " "
            elif not language.sentence_space and j == i + 2 and not out[i + 1].strip(" ") and not out[i][-1:].isascii():
                out[i + 1] = ""
    return "".join(out)
