"""Adapts a row to a locale: decides for every span whether to swap it or let it stand, and lists each decision."""

from __future__ import annotations

import re
from dataclasses import replace

from schemas.hashing import number
from schemas.rows import Edit, Row, Span, Text
from transforms.culture_pack import REAL_ORGANISATIONS, CulturePack, round_amount
from transforms.segregate import MEASURE_PATTERNS

_TO_METRIC = {"distance": 1.609344, "weight": 0.45359237}


def adapt(row: Row, source: str, pack: CulturePack) -> Row:
    """Adapts all texts of a segregated row to the pack's locale.

    A span of the source culture is swapped for a value of the same type, the same one each time within the row, chosen
    by row id. It stands as topic where the pack has no counterpart, and where the counterpart would be a real
    company, club or newsroom in a row that is not wholly safe. Spans that are the locale's own stand as local, those of
    other cultures as topic. The decisions go to `Text.edits`; `Text.adapted` is the source with the swaps made.
    """
    assert row.culture is not None, "segregate first"
    safe = row.sample.prompt_label == "safe" and row.sample.response_label in ("safe", None)
    swaps = _choose(row, source, pack, safe)
    texts = []
    for index, text in enumerate(row.texts):
        spans = [s for s in row.culture.spans if s.text == index]
        texts.append(_apply(text, spans, swaps, source, pack.locale))
    return replace(row, texts=tuple(texts))


_Swap = tuple[str, tuple[str, ...], str]


def _choose(row: Row, source: str, pack: CulturePack, safe: bool) -> dict[tuple[str, str], _Swap]:
    """(kind, folded surface) -> (English, native spellings, source) for every span that is to be swapped."""
    assert row.culture is not None
    chosen: dict[tuple[str, str], _Swap] = {}
    taken: dict[str, int] = {}
    for span in row.culture.spans:
        key = (span.kind, span.surface.casefold())
        if source not in span.cultures or pack.locale in span.cultures or key in chosen:
            continue
        if span.kind in MEASURE_PATTERNS:
            swap = _convert(span, pack, row.id)
            if swap:
                chosen[key] = swap
            continue
        entries = pack.types.get(span.kind, ())
        if not entries or (span.kind in REAL_ORGANISATIONS and not safe):
            continue
        k = taken.get(span.kind, 0)
        if k == len(entries):
            continue  # more different surfaces than the pack has values: two must not become one
        taken[span.kind] = k + 1
        entry = entries[(number(row.id, pack.locale, span.kind) + k) % len(entries)]
        chosen[key] = (entry.en, entry.natives(), entry.source)
    return chosen


def _convert(span: Span, pack: CulturePack, row_id: str) -> _Swap | None:
    match = MEASURE_PATTERNS[span.kind].fullmatch(span.surface)
    assert match is not None, span.kind
    digits = next(g for g in match.groups() if g)
    if span.kind == "phone":
        if pack.phone is None:
            return None
        drawn = number(row_id, span.surface)
        phone = pack.phone.replace("{nnn}", f"{drawn % 1000:03d}").replace("{nn}", f"{drawn % 100:02d}")
        return phone, (phone,), "reserved for fiction"
    value = float(digits.replace(",", ""))
    measure = pack.measures.get(span.kind)
    if measure is None:
        return None
    if span.kind == "money":
        amount = round_amount(value * measure.per_usd)
    elif span.kind == "temperature":
        amount = round((value - 32) * 5 / 9)
    else:
        amount = max(1, round(value * _TO_METRIC[span.kind]))
    if amount < 2:
        return None  # singular forms differ; the pack's patterns are for two and more
    return measure.in_english(amount), (measure.in_native(amount),), measure.source


def _apply(text: Text, spans: list[Span], swaps: dict[tuple[str, str], _Swap], source: str, locale: str) -> Text:
    if text.source is None:
        return text
    parts: list[str] = []
    edits: list[Edit] = []
    flags: list[str] = []
    at = length = 0
    for span in spans:
        parts.append(text.source[at : span.start])
        length += span.start - at
        swap = swaps.get((span.kind, span.surface.casefold()))
        if swap:
            action, (after, natives, origin) = "swap", swap
            before_it = "".join(parts)
            if _begins_sentence(before_it):
                after = after[0].upper() + after[1:]
            article = _wrong_article(before_it, after)
            if article:
                parts = [before_it[: -len(article[0])], article[1]]
                length += len(article[1]) - len(article[0])
        else:
            action = "local" if locale in span.cultures else "topic"
            after, natives, origin = span.surface, (), ""
            if source in span.cultures and action == "topic":
                flags.append("kept_source_culture")
        edits.append(Edit(length, length + len(after), span.kind, action, span.surface, after, natives, origin))
        parts.append(after)
        length += len(after)
        at = span.end
    parts.append(text.source[at:])
    return replace(
        text, adapted="".join(parts), edits=tuple(edits), flags=(*text.flags, *dict.fromkeys(flags))
    )


def _begins_sentence(before: str) -> bool:
    stripped = before.rstrip(" \t\"'(“‘")
    return not stripped or stripped[-1] in ".!?\n:" and before != stripped


_ARTICLE = re.compile(r"(?<!\w)(an?) $", re.IGNORECASE)


def _wrong_article(before: str, after: str) -> tuple[str, str] | None:
    """An indefinite article that ends `before` but does not fit `after`, and what it must become (both with the space)."""
    found = _ARTICLE.search(before)
    if found is None:
        return None
    right = "an " if after[0] in "aeiouAEIOU" else "a "
    was = found.group()
    return None if was.casefold() == right else (was, right.capitalize() if was[0].isupper() else right)
