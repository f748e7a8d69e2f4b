"""Adapts a row to a locale: decides for every span whether to swap it or let it stand, and lists each decision."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from schemas.hashing import digest, number
from schemas.locales import ENGLISH, LOCALES
from schemas.rows import Edit, Row, Span, Text
from transforms.culture_pack import SAFE_ROWS_ONLY, CulturePack, load_pack, round_amount
from transforms.segregate import MEASURE_PATTERNS

_TO_METRIC = {"distance": 1.609344, "weight": 0.45359237}
# Nobody means a quantity beyond this; far beyond it floats give out.
_LARGEST = 1e12


def localize(row: Row, locale: str, n_locales: int) -> Row:
    """The row as one of a locale, with an id of its own."""
    language = LOCALES[locale]
    return replace(row, id=digest(row.id, locale), locale=locale, language=language, n_locales=n_locales)


def find_twin(row: Row, locale: str, source: str, locales: Sequence[str]) -> str | None:
    """Id of the row that says the same as a generic row in a locale, word for word.

    It is the same sample's first generic row in the same language, be it the native one; None where the row is the first
    itself, or was adapted. A locale that the row cannot be adapted to has none to point to: it is passed over.

    Args:
        row: segregated, not localized yet.
        locales: target locales in the order of the config.
    """
    earlier = [x for x in (source, *locales[: locales.index(locale)]) if LOCALES[x] == LOCALES[locale]]
    if not earlier or not _is_generic(row, locale, source):
        return None
    first = next((x for x in earlier if _is_generic_there(row, x, source)), None)
    return None if first is None else row.id if first == source else localize(row, first, 1).id


def _is_generic_there(row: Row, locale: str, source: str) -> bool:
    try:
        return _is_generic(row, locale, source)
    except Exception:  # that locale's own row is buried with it; this one need not be
        return False


def _is_generic(row: Row, locale: str, source: str) -> bool:
    if locale == source:
        return True
    adapted = adapt(localize(row, locale, 1), source, load_pack(locale))
    return not any(e.action == "swap" for t in adapted.texts for e in t.edits)


def adapt(row: Row, source: str, pack: CulturePack) -> Row:
    """Adapts all texts of a segregated row to the pack's locale.

    A span of the source culture is swapped for a value of the same type, the same one each time within the row, chosen
    by row id; different surfaces never get one value, nor one that the row names already. It stands as topic where the
    pack has no counterpart, and where the counterpart would be a real company, club or newsroom in a row that is not
    wholly safe. Spans that are the locale's own stand as local, those of
    other cultures as topic. Packs name their values in English: a source in another language is not swapped, its spans
    stand as topic. The decisions go to `Text.edits`; `Text.adapted` is the source with the swaps made.
    """
    assert row.culture is not None, "segregate first"
    safe = row.sample.prompt_label == "safe" and row.sample.response_label in ("safe", None)
    swaps = _choose(row, source, pack, safe)
    texts = []
    for index, text in enumerate(row.texts):
        spans = [s for s in row.culture.spans if s.text == index]
        texts.append(_apply(text, spans, swaps, source, pack))
    return replace(row, texts=tuple(texts))


_Swap = tuple[str, tuple[str, ...], str]


def _choose(row: Row, source: str, pack: CulturePack, safe: bool) -> dict[tuple[str, str], _Swap]:
    """(kind, folded surface) -> (English, native spellings, source) for every span that is to be swapped."""
    assert row.culture is not None
    if LOCALES[source] != ENGLISH:
        return {}
    chosen: dict[tuple[str, str], _Swap] = {}
    taken: dict[str, int] = {}
    meant: dict[tuple[str, str], float | str] = {}
    named = {_key(span)[1] for span in row.culture.spans}
    for span in row.culture.spans:
        key = _key(span)
        if source not in span.cultures or pack.locale in span.cultures or key in chosen:
            continue
        if span.kind in MEASURE_PATTERNS:
            swap = _convert_phone(span, pack, row.id, meant) if span.kind == "phone" else _convert(span, pack)
            quantity = _quantity(span)
            if swap and meant.setdefault((span.kind, swap[0]), quantity) == quantity:
                chosen[key] = swap
            continue
        role = load_pack(source).role_of(span.kind, key[1])
        entries = [
            e for e in pack.types.get(span.kind, ()) if e.en.casefold() not in named and (not role or e.role == role)
        ]
        if span.kind in SAFE_ROWS_ONLY and not safe:
            continue
        k = taken.get(span.kind + role, 0)
        if k == len(entries):
            continue  # more different surfaces than the pack has values: two must not become one
        taken[span.kind + role] = k + 1
        entry = entries[(number(row.id, pack.locale, span.kind) + k) % len(entries)]
        chosen[key] = (entry.en, entry.natives(), entry.source)
    return chosen


def _key(span: Span) -> tuple[str, str]:
    return span.kind, span.surface.casefold().replace("\u2019", "'")


def _quantity(span: Span) -> float | str:
    match = MEASURE_PATTERNS[span.kind].fullmatch(span.surface)
    assert match is not None, span.kind
    digits = next(g for g in match.groups() if g)
    return span.surface if span.kind == "phone" else float(digits.replace(",", ""))


def _convert_phone(
    span: Span, pack: CulturePack, row_id: str, meant: Mapping[tuple[str, str], float | str]
) -> _Swap | None:
    if pack.phone is None:
        return None
    for step in range(1000):
        drawn = number(row_id, span.surface) + step
        phone = pack.phone.replace("{nnn}", f"{drawn % 1000:03d}").replace("{nn}", f"{drawn % 100:02d}")
        if meant.get(("phone", phone), span.surface) == span.surface:
            return phone, (phone,), "reserved for fiction"
    return None


def _convert(span: Span, pack: CulturePack) -> _Swap | None:
    value, measure = _quantity(span), pack.measures.get(span.kind)
    assert isinstance(value, float), "a phone number is drawn"
    if measure is None or value > _LARGEST:
        return None
    if span.kind == "money":
        amount = round_amount(value * measure.per_usd)
    elif span.kind == "temperature":
        amount = round((value - 32) * 5 / 9)
    else:
        exact = value * _TO_METRIC[span.kind]
        amount = round_amount(exact) if exact >= 100 else max(1, round(exact))
    if amount < 2:
        return None  # singular forms differ; the pack's patterns are for two and more
    return measure.in_english(amount), (measure.in_native(amount),), measure.source


def _apply(text: Text, spans: list[Span], swaps: dict[tuple[str, str], _Swap], source: str, pack: CulturePack) -> Text:
    if text.source is None:
        return text
    parts: list[str] = []
    edits: list[Edit] = []
    flags: list[str] = []
    at = length = 0
    for span in spans:
        parts.append(text.source[at : span.start])
        length += span.start - at
        swap = swaps.get(_key(span))
        if swap:
            action, (after, natives, origin) = "swap", swap
            # Neither an article nor the end of a sentence reaches back beyond the value before: not all is joined.
            before_it = "".join(parts[-2:])
            if not span.surface[0].islower() and _begins_sentence(before_it):
                after = after[0].upper() + after[1:]
            article = _wrong_article(before_it, after)
            if article:
                parts[-2:] = [before_it[: -len(article[0])], article[1]]
                length += len(article[1]) - len(article[0])
        else:
            action = "local" if pack.locale in span.cultures or span.kind in pack.local_measures else "topic"
            after, natives, origin = span.surface, (), ""
            if source in span.cultures and action == "topic":
                flags.append("kept_source_culture")
        edits.append(Edit(length, length + len(after), span.kind, action, span.surface, after, natives, origin))
        parts.append(after)
        length += len(after)
        at = span.end
    parts.append(text.source[at:])
    return replace(text, adapted="".join(parts), edits=tuple(edits), flags=(*text.flags, *dict.fromkeys(flags)))


def _begins_sentence(before: str) -> bool:
    stripped = before.rstrip(" \t\"'(“‘")
    return not stripped or stripped[-1] in "\n\r\u2028\u2029" or (stripped[-1] in ".!?:" and before != stripped)


_ARTICLE = re.compile(r"(?<!\w)(an?) \Z", re.IGNORECASE)
# Sounds like a vowel: an 8, an 11, an 18,000; but a uniform, a European.
_VOWEL = re.compile(r"[£€₹$¥]?(?:8|1[18](?!\d))|(?!eu|uni|us[ae]|ut[ei]|one\b)[aeiou]", re.IGNORECASE)


def _wrong_article(before: str, after: str) -> tuple[str, str] | None:
    """An article that ends `before` but does not fit `after`, and what it must become, each with its space."""
    found = _ARTICLE.search(before)
    if found is None:
        return None
    right = "an " if _VOWEL.match(after) else "a "
    was = found.group()
    return None if was.casefold() == right else (was, right.capitalize() if was[0].isupper() else right)
