"""Block pieces: fenced code, JSON documents, markup and formulas that fill whole lines, and tables, found in a text."""

from __future__ import annotations

import bisect
import itertools
import json
import re
from dataclasses import dataclass
from typing import Literal

from transforms.inline import without_inline


@dataclass(frozen=True)
class Block:
    """A stretch of a text: a `kept` block of whole lines, one `line` of prose, or one `row` of a table."""

    text: str
    kind: Literal["kept", "line", "row"]


# What ends a line; a line has its end with it.
_LINE = re.compile(r"[^\r\n\u2028\u2029]*(?:\r\n|[\r\n\u2028\u2029]|$)")
# A fence opens a line, after a bullet, number or quote mark too, or it ends one: "Here it is: ```python".
_FENCE = re.compile(
    r"(?:[ \t]*(?:(?:>|[-*+]|\d{1,3}[.)])[ \t]*)*|.*\s)(?P<marks>`{3,}(?=[^`]*$)|~{3,}(?=[^~]*$)).*", re.DOTALL
)
_FENCE_END = re.compile(r"[ \t>]*(`{3,}|~{3,})\s*")
# Pairs of an opening that begins a line and a closing that ends one; what is between stays as it is.
_PAIRS = tuple(
    (re.compile(rf"[ \t]*{opening}", re.IGNORECASE), re.compile(closing, re.IGNORECASE))
    for opening, closing in (
        *((rf"<{tag}\b[^<>]*>", rf"</{tag}>") for tag in ("script", "style", "pre", "svg", "math")),
        (r"<!--", r"-->"),
        (r"<!\[CDATA\[", r"\]\]>"),
        (r"\$\$(?!\$)", r"(?<!\$)\$\$"),
        (r"\\\[", r"\\\]"),
        *(
            (rf"\\begin\{{{name}\*?\}}", rf"\\end\{{{name}\*?\}}")
            for name in ("equation", "align", "gather", "multline", "eqnarray", "math", "displaymath", "array", "cases",
                         "verbatim", "lstlisting", "minted", "tabular", "tikzpicture")
        ),
    )
)  # fmt: skip
_MARKUP = re.compile(r"\s*(?:(?:</?[A-Za-z][^<>]*>|<[?!][^<>]*>)\s*)+")
# A JSON document of several lines begins where a line does, or at its end: "Answer: {".
_JSON_START = re.compile(r"(?:^[ \t]*|(?<=\s)(?=[\[{]\s*$))([\[{])")
# What every block but a line has something of.
_SIGN = re.compile(r"[`~<$\\{\[|]")
_DASHES = re.compile(r"\s*:?-+:?\s*")
_ROW = re.compile(r"\s*\|.*\|\s*", re.DOTALL)


def has_letters(text: str) -> bool:
    """Whether there is a word in it to translate, inline pieces aside."""
    return any(map(str.isalpha, without_inline(text)))


def cut_blocks(text: str) -> list[Block]:
    """Cuts a text into blocks and lines whose texts, joined, are the text again.

    A block that is opened and never closed is no block: its lines are prose. Takes time linear in the text.
    """
    lines = [line for line in _LINE.findall(text) if line]
    if not _SIGN.search(text):
        return [Block(line, "line") for line in lines]
    rows = _table_rows(lines)
    found: list[Block] = []
    unclosed: dict[object, int] = {}
    documents = _JsonFinder(text, lines)
    i = 0
    while i < len(lines):
        line = lines[i]
        opened = _find_fence(lines, i, unclosed) or _find_pair(lines, i, unclosed) or documents.find(i)
        if opened:
            start, end = opened
            if line[:start].strip():
                found.append(Block(line[:start], "line"))
            else:
                start = 0
            found.append(Block("".join([line[start:], *lines[i + 1 : end]]), "kept"))
            i = end
        else:
            found.append(Block(line, "kept" if _MARKUP.fullmatch(line) else "row" if i in rows else "line"))
            i += 1
    return found


def holds_block(text: str) -> bool:
    """Whether code, data or markup with words in it stays as it is; tags and comments have none."""
    kept = (block.text for block in cut_blocks(text) if block.kind == "kept")
    return any(any(map(str.isalpha, t)) and not _MARKUP.fullmatch(t) for t in kept)


def _find_fence(lines: list[str], i: int, unclosed: dict[object, int]) -> tuple[int, int] | None:
    """(where in line i a fence opens, index of the line after the one that closes it)."""
    opening = _FENCE.fullmatch(lines[i])
    if opening is None:
        return None
    mark = opening["marks"]
    # How long a mark is that nothing closes: what follows need not be searched again.
    if len(mark) >= unclosed.get(mark[0], len(mark) + 1):
        return None
    for j in range(i + 1, len(lines)):
        closing = _FENCE_END.fullmatch(lines[j])
        if closing and closing[1].startswith(mark):
            return opening.start("marks"), j + 1
    unclosed[mark[0]] = len(mark)
    return None


def _find_pair(lines: list[str], i: int, unclosed: dict[object, int]) -> tuple[int, int] | None:
    """(0, index of the line after the pair that line i opens); a pair that closes before its line ends is no block."""
    for opening, closing in _PAIRS:
        began = opening.match(lines[i])
        if began is None or opening in unclosed:
            continue
        for j in range(i, len(lines)):
            closed = closing.search(lines[j], began.end() if j == i else 0)
            if closed:
                return None if lines[j][closed.end() :].strip() else (0, j + 1)
        unclosed[opening] = i
    return None


class _JsonFinder:
    """Finds JSON documents that end where a line does, without reading the same characters over and over."""

    def __init__(self, text: str, lines: list[str]) -> None:
        self._text, self._lines, self._budget = text, lines, 8 * len(text)
        self._starts = [0, *itertools.accumulate(map(len, lines))]

    def find(self, i: int) -> tuple[int, int] | None:
        """(where in line i a document begins, index of the line after its last)."""
        began = _JSON_START.search(self._lines[i])
        if began is None or self._budget <= 0:
            return None
        start = self._starts[i] + began.start(1)
        try:
            value, end = json.JSONDecoder().raw_decode(self._text, start)
        except json.JSONDecodeError as error:
            self._budget -= error.pos - start
            return None
        except (ValueError, RecursionError):  # a number of too many digits, or nested too deeply
            self._budget -= len(self._text)
            return None
        self._budget -= end - start
        rest = _LINE.match(self._text, end)
        whole = isinstance(value, (dict, list)) and rest is not None and not rest.group().strip(" \t\r\n\u2028\u2029;,")
        return (began.start(1), bisect.bisect_left(self._starts, end)) if whole else None


def _table_rows(lines: list[str]) -> set[int]:
    """Indices of the lines that are rows of a pipe table: between bars, or around a row of dashes."""
    between = {i for i, line in enumerate(lines) if line.count("|") > 2 and _ROW.fullmatch(line)}
    rows = {i for i in between if i - 1 in between or i + 1 in between}
    for i in range(1, len(lines)):
        if "|" not in lines[i - 1] or not _are_dashes(lines[i]):
            continue
        rows |= {i - 1, i}
        j = i + 1
        while j < len(lines) and j not in rows and "|" in lines[j]:
            rows.add(j)
            j += 1
    return rows


def _are_dashes(line: str) -> bool:
    """Whether a line is the one that sets a table's head apart: |---|:-:|."""
    cells = line.strip().strip("|").split("|")
    return "|" in line and all(map(_DASHES.fullmatch, cells))
