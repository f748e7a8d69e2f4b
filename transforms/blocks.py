"""Block pieces: fenced code, JSON documents, markup and formulas that fill whole lines, and tables, found in a text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from transforms.inline import INLINE


@dataclass(frozen=True)
class Block:
    """A stretch of a text: a `kept` block of whole lines, one `line` of prose, or one `row` of a table."""

    text: str
    kind: Literal["kept", "line", "row"]


# What ends a line; a line has its end with it.
_LINE = re.compile(r"[^\r\n\u2028\u2029]*(?:\r\n|[\r\n\u2028\u2029]|$)")
_FENCE = re.compile(r"[ \t]*(?:(`{3,})[^`]*|(~{3,}).*)", re.DOTALL)
_FENCE_END = re.compile(r"[ \t]*(`{3,}|~{3,})\s*")
# Pairs of an opening that begins a line and a closing that ends one; what is between stays as it is.
_PAIRS = tuple(
    (re.compile(rf"[ \t]*{opening}", re.IGNORECASE), re.compile(rf"{closing}\s*$", re.IGNORECASE))
    for opening, closing in (
        *((rf"<{tag}\b[^<>]*>", rf"</{tag}>") for tag in ("script", "style", "pre", "svg", "math")),
        (r"<!--", r"-->"),
        (r"<!\[CDATA\[", r"\]\]>"),
        (r"\$\$", r"\$\$"),
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
_DELIMITERS = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_ROW = re.compile(r"\s*\|.*\|\s*", re.DOTALL)


def has_letters(text: str) -> bool:
    """Whether there is a word in it to translate, inline pieces aside."""
    return any(map(str.isalpha, INLINE.sub("", text)))


def cut_blocks(text: str) -> list[Block]:
    """Cuts a text into blocks and lines whose texts, joined, are the text again.

    A block that is opened and never closed is no block: its lines are prose. Takes time linear in the text.
    """
    lines = [line for line in _LINE.findall(text) if line]
    rows = _table_rows(lines)
    found: list[Block] = []
    unclosed: dict[object, int] = {}
    parser = _JsonFinder(text)
    i = at = 0
    while i < len(lines):
        line = lines[i]
        end = _fence_end(lines, i, unclosed) or _pair_end(lines, i, unclosed)
        if end is None and (document := parser.find(line, at)):
            start, stop = document
            if text[at:start].strip():
                found.append(Block(text[at:start], "line"))
            else:
                start = at
            while at < stop:
                at += len(lines[i])
                i += 1
            found.append(Block(text[start:at], "kept"))
            continue
        if end is not None:
            found.append(Block("".join(lines[i:end]), "kept"))
        else:
            end = i + 1
            found.append(Block(line, "kept" if _MARKUP.fullmatch(line) else "row" if i in rows else "line"))
        at += sum(map(len, lines[i:end]))
        i = end
    return found


def holds_block(text: str) -> bool:
    """Whether code, data or markup with words in it stays as it is; tags and comments have none."""
    kept = (block.text for block in cut_blocks(text) if block.kind == "kept")
    return any(any(map(str.isalpha, t)) and not _MARKUP.fullmatch(t) for t in kept)


def _fence_end(lines: list[str], i: int, unclosed: dict[object, int]) -> int | None:
    """Index of the line after the fence that line i opens."""
    opening = _FENCE.fullmatch(lines[i])
    mark = (opening[1] or opening[2]) if opening else ""
    # How long a mark is that nothing closes: what follows need not be searched again.
    if not mark or len(mark) >= unclosed.get(mark[0], len(mark) + 1):
        return None
    for j in range(i + 1, len(lines)):
        closing = _FENCE_END.fullmatch(lines[j])
        if closing and closing[1].startswith(mark):
            return j + 1
    unclosed[mark[0]] = len(mark)
    return None


def _pair_end(lines: list[str], i: int, unclosed: dict[object, int]) -> int | None:
    """Index of the line after the pair that line i opens."""
    for opening, closing in _PAIRS:
        began = opening.match(lines[i])
        if began is None or opening in unclosed:
            continue
        if closing.search(lines[i], began.end()):
            return i + 1
        for j in range(i + 1, len(lines)):
            if closing.search(lines[j]):
                return j + 1
        unclosed[opening] = i
    return None


class _JsonFinder:
    """Finds JSON documents that end where a line does, without reading the same characters over and over."""

    def __init__(self, text: str) -> None:
        self._text, self._budget = text, 8 * len(text)

    def find(self, line: str, at: int) -> tuple[int, int] | None:
        """(start, end) of the document that begins in the line that stands at `at`."""
        began = _JSON_START.search(line)
        if began is None or self._budget <= 0:
            return None
        start = at + began.start(1)
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
        return (start, end) if whole else None


def _table_rows(lines: list[str]) -> set[int]:
    """Indices of the lines that are rows of a pipe table: between bars, or around a row of dashes."""
    rows = {i for i, line in enumerate(lines) if _ROW.fullmatch(line) and line.count("|") > 2}
    for i, line in enumerate(lines):
        if "|" not in line or not _DELIMITERS.fullmatch(line) or i == 0 or "|" not in lines[i - 1]:
            continue
        rows.add(i - 1)
        j = i + 1
        while j < len(lines) and j not in rows and "|" in lines[j]:
            rows.add(j)
            j += 1
    return rows
