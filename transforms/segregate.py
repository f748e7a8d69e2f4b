"""Segregates rows: finds the spans that belong to a culture, by lexicon and patterns, and says why."""

from __future__ import annotations

import functools
import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, replace

from schemas.locales import ENGLISH, LOCALES
from schemas.rows import Culture, Row, Span
from transforms.culture_pack import Entry, load_pack
from transforms.segment import verbatim_stretches

# Quantities as American English writes them; one of the groups is the number. Not half a number, one end of a range,
# what is below zero, nor the first of two units: converting those would say something else.
_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_WHOLE = rf"(?<![\w.,/\u2212\u2013-])(?<!\d to )(?<!\d or )(?<!\d and )(?<!\d - )(?<!minus )(?<!negative ){_NUMBER}"
_LARGE = r"(?i:hundred|thousand|million|billion|trillion|grand|bn|mn|[kmb])\b"
MEASURE_PATTERNS = {
    "money": re.compile(
        rf"(?<![\w$])\$\s?{_NUMBER}(?![\d,.]*\d)(?!\w)(?![\s-]*{_LARGE})"
        r"(?!(?:\s?[\u2013-]\s?| to | or )\d)(?: dollars\b)?"
        rf"|{_WHOLE} dollars\b(?! and \d+ cents)"
    ),
    "distance": re.compile(rf"{_WHOLE} miles?\b(?! per|/| to the gallon)"),
    "weight": re.compile(
        rf"{_WHOLE} pounds?\b(?! per|/| sterling| of (?:force|pressure|thrust)|,? (?:and )?\d+ ounces?)"
    ),
    "temperature": re.compile(rf"{_WHOLE} degrees Fahrenheit\b"),
    "phone": re.compile(r"(?<![\w+-])(?:\+?1[ -])?(?:\(\d{3}\) ?|\d{3}[ -])?(555-01\d\d)(?![\w-])"),
}
# The culture whose way of writing the patterns above are.
_PATTERN_LOCALE = "en-US"


@dataclass(frozen=True)
class Lexicon:
    """The source language's names of everything the packs know, by their first word, longest first."""

    by_first_word: dict[str, tuple[tuple[str, str, tuple[str, ...]], ...]]
    source: str


@functools.cache
def load_lexicon(source: str, locales: tuple[str, ...]) -> Lexicon:
    """Builds the lexicon of a source locale and the others; the source's reading of an ambiguous name comes first.

    Packs name things in English and in their own language: for a source in another language, only packs in it are known.
    """
    known: dict[str, tuple[str, list[str]]] = {}
    for locale in (source, *sorted(set(locales) - {source})):
        for entry in load_pack(locale).entries():
            for surface in _surfaces(entry, source, locale):
                known.setdefault(surface, (entry.type, []))[1].append(locale)
    grouped: dict[str, list[tuple[str, str, tuple[str, ...]]]] = defaultdict(list)
    for surface, (kind, cultures) in known.items():
        grouped[_first_word(surface)].append((surface, kind, tuple(dict.fromkeys(cultures))))
    return Lexicon({w: tuple(sorted(g, key=lambda x: -len(x[0]))) for w, g in grouped.items()}, source)


def _surfaces(entry: Entry, source: str, locale: str) -> tuple[str, ...]:
    if LOCALES[source] == ENGLISH:
        return (entry.en,)
    return entry.natives() if LOCALES[source] == LOCALES[locale] else ()


_WORD = re.compile(r"\w+")
# What makes digits part of a longer number, date or amount.
_NUMBER_BEFORE = re.compile(r"(?:\d[.,:/-]|[-+$#\u20ac\u00a3])$")
_NUMBER_AFTER = re.compile(r"[.,:/-]\d|\s?%")


def _first_word(text: str) -> str:
    found = _WORD.match(text)
    return (found.group() if found else text[:1]).casefold()


def _matches(text: str, at: int, surface: str) -> bool:
    """Whether the surface stands at this place as whole words; only a lower-case first letter may differ in case."""
    end = at + len(surface)
    here = text[at:end].replace("\u2019", "'")
    if surface.isdigit() and (_NUMBER_BEFORE.search(text, max(0, at - 2), at) or _NUMBER_AFTER.match(text, end)):
        return False
    if here != surface and not (surface[0].islower() and here[1:] == surface[1:] and here[:1].lower() == surface[0]):
        return False
    return not (end < len(text) and surface[-1].isalnum() and (text[end].isalnum() or text[end] == "_"))


def find_spans(text: str, index: int, lexicon: Lexicon) -> list[Span]:
    """All spans of a text, left to right, the longest first where several begin, none inside another.

    Code, JSON, URLs and other pieces that stay as they are in every language have none.
    """
    found: list[tuple[int, int, str, tuple[str, ...]]] = []
    for word in _WORD.finditer(text):
        for surface, kind, cultures in lexicon.by_first_word.get(word.group().casefold(), ()):
            if _matches(text, word.start(), surface):
                found.append((word.start(), word.start() + len(surface), kind, cultures))
                break
    if lexicon.source == _PATTERN_LOCALE:
        for kind, pattern in MEASURE_PATTERNS.items():
            found += [(m.start(), m.end(), kind, (_PATTERN_LOCALE,)) for m in pattern.finditer(text)]
    kept = verbatim_stretches(text) if found else []
    ends = [end for _, end in kept]
    spans: list[Span] = []
    for start, end, kind, cultures in sorted(found, key=lambda s: (s[0], -s[1])):
        after = bisect_right(ends, start)  # the first kept stretch that ends behind the start
        if after < len(kept) and kept[after][0] < end:
            continue
        if not spans or start >= spans[-1].end:
            spans.append(Span(index, start, end, text[start:end], kind, cultures))
    return spans


def segregate(row: Row, lexicon: Lexicon) -> Row:
    """Marks a row's spans. It is culture-specific if any span belongs to the source culture.

    The score is 1 - 2^-n over n such spans: more evidence, more certain.
    """
    spans = [s for i, t in enumerate(row.texts) if t.source for s in find_spans(t.source, i, lexicon)]
    evidence = sum(lexicon.source in s.cultures for s in spans)
    return replace(row, culture=Culture(evidence > 0, 1 - 2.0**-evidence, tuple(spans)))
