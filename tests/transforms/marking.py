"""A small invented pack and hand-marked rows: tests of adaptation that hang on no lexicon and on no pack of data/culture."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any

import yaml

from schemas.locales import LOCALES
from schemas.rows import Culture, Edit, Row, Span
from tests.builders import make_row
from transforms.adapt import adapt
from transforms.culture_pack import CulturePack, load_pack, pack_of
from transforms.english import split_article
from transforms.measures import MEASURE_PATTERNS

PACK = """
locale: xx-XX
language: deu_Latn
types:
  name_f: {source: s, entries: [Anna, Lena, Greta, Julia]}
  name_m: {source: s, entries: [Lukas, Boris, Felix, Jonas]}
  surname: {source: s, entries: [Schmidt, Weber, Becker]}
  city:
    source: s
    entries:
      - {en: Altstadt, within: Nordmark, tags: [big, cold]}
      - {en: Neustadt, within: Nordmark, tags: [big, coast]}
      - {en: Bergen, within: Suedmark, tags: [small]}
      - {en: Talheim, within: Suedmark, tags: [small]}
      - {en: Seeburg, within: Westmark, tags: [coast]}
  region: {source: s, entries: [Nordmark, Suedmark, Westmark, Ostmark]}
  food:
    source: s
    entries:
      - {en: sauerbraten, tags: [main]}
      - {en: Black Forest cake, tags: [sweet]}
      - {en: potato dumplings, plural: true, tags: [side]}
      - {en: pretzels, plural: true, tags: [snack]}
  holiday: {source: s, entries: [{en: Christmas, role: feast}, {en: Unity Day, role: national}, Spring Fair]}
  sport: {source: s, entries: [soccer, handball]}
  club: {source: s, entries: [{en: Altstadt United, within: soccer}, {en: the Neustadt Foxes, within: handball}]}
  university: {source: s, entries: [{en: the University of Bergen, within: Bergen}, {en: Seeburg University, within: Seeburg}]}
  exam: {source: s, entries: [{en: Matura, role: school}]}
  tax_office: {source: s, entries: [the Finanzamt]}
  police_body: {source: s, entries: [the Federal Police]}
  institution:
    source: authored
    entries:
      - {en: the Drug Office, role: drug_regulator}
      - {en: the Lifeline of Trust, role: suicide_line, source: "https://example.org"}
      - {en: Parliament, role: parliament}
  health_program: {source: s, entries: [the public health insurance]}
  retailer:
    source: s
    entries:
      - {en: Aldi, tags: [grocery]}
      - {en: Lidl, tags: [grocery]}
      - {en: Olymp, tags: [grocery]}
      - {en: Apotek, tags: [pharmacy]}
  bank: {source: s, entries: [the Sparkasse]}
  news: {source: s, entries: [{en: Der Bote, tags: [paper]}]}
  restaurant: {source: s, entries: [{en: Wurstkoenig, tags: [fastfood]}]}
  document: {source: s, entries: [{en: identity card number, role: national_id_number}]}
  school: {source: s, entries: [{en: Gymnasium, role: high}]}
  worship: {source: s, entries: [the village church]}
  religion: {source: s, entries: [{en: hymn book, role: holy_book}]}
  custom: {source: s, entries: [{en: a graduation ball, role: school_dance}, {en: an engagement party, role: engagement}]}
  title: {source: s, entries: [{en: Herr, role: mr}]}
  emergency: {source: s, entries: ["112"]}
  generic:
    source: s
    entries:
      - {en: a supermarket, role: retailer, tags: [grocery]}
      - {en: an old bank, role: bank}
      - {en: a soccer club, role: club}
measures:
  money: {source: s, per_usd: 0.75, en: "{n} euros", native: "{n} Euro", group: "."}
  distance: {source: s, en: "{n} kilometers", native: "{n} Kilometer", group: "."}
  weight: {source: s, en: "{n} kilograms", native: "{n} Kilogramm"}
  temperature: {source: s, en: "{n} degrees Celsius", native: "{n} Grad Celsius"}
  length: {source: s, en: "{n} meters", native: "{n} Meter"}
  small_length: {source: s, en: "{n} centimeters", native: "{n} Zentimeter"}
  volume: {source: s, en: "{n} liters", native: "{n} Liter"}
  small_weight: {source: s, en: "{n} grams", native: "{n} Gramm"}
  area: {source: s, en: "{n} square meters", native: "{n} Quadratmeter"}
  speed: {source: s, en: "{n} km/h", native: "{n} km/h"}
phone: {source: s, example: "030 23125 0{nn}"}
date: {order: DMY, sep: "."}
real_people: [Boris Becker]
legal_status: {alcohol: legal from 18, cannabis: illegal, guns: banned}
"""


@functools.cache
def small_pack() -> CulturePack:
    """The invented pack."""
    return small_pack_with()


def small_pack_with(**changes: Any) -> CulturePack:
    """The invented pack with other top-level parts; None leaves one out."""
    raw = yaml.safe_load(PACK) | changes
    return pack_of({key: value for key, value in raw.items() if value is not None})


Mark = tuple[str, str] | tuple[str, str, str]


def mark(
    prompt: str, marks: Sequence[Mark], response: str | None = None, *, cultures: tuple[str, ...] = ("en-US",),
    plain: str = "", **changes: Any,
) -> Row:  # fmt: skip
    """A row in which every occurrence of each (surface, kind, role) is a span of the source culture."""
    row = make_row(prompt, response, **changes)
    spans: list[Span] = []
    for index, text in enumerate(row.texts):
        for surface, kind, *role in sorted(marks, key=lambda m: -len(m[0])):
            at = (text.source or "").find(surface)
            while at >= 0:
                end = at + len(surface)
                if not any(s.text == index and s.start < end and at < s.end for s in spans):
                    spans.append(Span(index, at, end, surface, kind, cultures, role[0] if role else "", plain))
                at = (text.source or "").find(surface, end)
    spans.sort(key=lambda s: (s.text, s.start))
    return Row(**{**vars(row), "culture": Culture(bool(spans), 1.0, tuple(spans))})


def adapt_marked(
    prompt: str, marks: Sequence[Mark], response: str | None = None, *, pack: CulturePack | None = None, **changes: Any
) -> Row:
    """`mark`, adapted to the invented locale."""
    return adapt(mark(prompt, marks, response, **changes), "en-US", pack or small_pack())


def prompt_of(row: Row) -> str:
    """The adapted prompt."""
    text = row.texts[0].adapted
    assert text is not None
    return text


def edits_of(row: Row) -> list[Edit]:
    """All edits of a row."""
    return [edit for text in row.texts for edit in text.edits]


@functools.cache
def _known() -> tuple[re.Pattern[str], dict[str, tuple[str, tuple[str, ...]]]]:
    """A pattern of every name of every pack, without article, and its type and cultures: a lexicon without cue lists."""
    names: dict[str, tuple[str, tuple[str, ...]]] = {}
    for locale in sorted(LOCALES, key=lambda x: x != "en-US"):
        for entry in load_pack(locale).entries():
            name = split_article(entry.en)[1]
            kind, cultures = names.get(name.casefold(), (entry.type, ()))
            names[name.casefold()] = kind, tuple(dict.fromkeys((*cultures, locale)))
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE), names


def mark_known(prompt: str | None, response: str | None = None, **changes: Any) -> Row:
    """A row whose spans are the names of the packs and American quantities; needs neither cue lists nor Segregate."""
    row = make_row(prompt, response, **changes)
    pattern, names = _known()
    spans: list[Span] = []
    for index, text in enumerate(t.source or "" for t in row.texts):
        found = [Span(index, *m.span(), m.group(), *names[m.group().casefold()]) for m in pattern.finditer(text)]
        for kind, quantity in MEASURE_PATTERNS.items():
            found += [Span(index, *m.span(), m.group(), kind, ("en-US",)) for m in quantity.finditer(text)]
        for span in sorted(found, key=lambda s: (s.start, -s.end)):
            if not spans or spans[-1].text != index or span.start >= spans[-1].end:
                spans.append(span)
    return Row(**{**vars(row), "culture": Culture(bool(spans), 1.0, tuple(spans))})
