"""Adapts a row to a locale: decides for every span whether to swap it or let it stand, and lists each decision."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from schemas.hashing import digest
from schemas.locales import ENGLISH, LOCALES
from schemas.rows import Edit, Row, Span, Text
from transforms.choose import NEVER, Proposals, Swap, choose, is_safe
from transforms.culture_pack import SAFE_ROWS_ONLY, CulturePack, load_pack
from transforms.english import (
    Slot,
    article_for,
    capitalise,
    follow_case,
    indefinite,
    plural,
    slot_of,
    split_article,
)
from transforms.quantities import KINDS as QUANTITIES
from transforms.things import base

# Of these nothing is missing in the adapted text when they stay: an idiom is understood, an act is the same act.
_NOT_MISSED = frozenset({"idiom", "slang", "jurisdiction"})
# What was just named, said again in brackets: "the FDA (Food and Drug Administration)".
_IN_BRACKETS = re.compile(r" \((?:the )?[^()\n]+\)")


def localize(row: Row, locale: str, n_locales: int) -> Row:
    """The row as one of a locale, with an id of its own."""
    language = LOCALES[locale]
    return replace(row, id=digest(row.id, locale), locale=locale, language=language, n_locales=n_locales)


def find_twin(
    row: Row, locale: str, source: str, locales: Sequence[str], pack_of: Callable[[str], CulturePack] | None = None,
    by_rules: bool = True,
) -> str | None:  # fmt: skip
    """Id of the row that says the same as a generic row in a locale, word for word.

    It is the same sample's first generic row in the same language, be it the native one; None where the row is the first
    itself, or was adapted. A locale that the row cannot be adapted to has none to point to: it is passed over.

    Args:
        row: segregated, not localized yet.
        locales: target locales in the order of the config.
        pack_of: locale -> its pack; None for the packs as they are.
        by_rules: whether the packs alone decide what is exchanged; else any span of the source culture might be.
    """

    def is_generic(there: str) -> bool:
        if there == source:
            return True
        if not by_rules:
            return row.culture is not None and not any(source in s.cultures for s in row.culture.spans)
        adapted = adapt(localize(row, there, 1), source, (pack_of or load_pack)(there))
        return not any(t.exchanged for t in adapted.texts)

    def is_generic_there(there: str) -> bool:
        try:
            return is_generic(there)
        except Exception:  # that locale's own row is buried with it; this one need not be
            return False

    earlier = [x for x in (source, *locales[: locales.index(locale)]) if LOCALES[x] == LOCALES[locale]]
    if not earlier or not is_generic(locale):
        return None
    first = next((x for x in earlier if is_generic_there(x)), None)
    return None if first is None else row.id if first == source else localize(row, first, 1).id


def adapt(
    row: Row, source: str, pack: CulturePack, *, real_names: bool = True, proposed: Proposals | None = None
) -> Row:
    """Adapts all texts of a segregated row to the pack's locale.

    A span of the source culture is swapped for a value of the same type and role, the same one each time within the row,
    drawn by row id; different things never get one value, nor one that the row names already. It stands as topic where
    the pack has no counterpart. Companies, clubs, newsrooms and universities of a row that is not wholly safe are swapped
    for what they are ("a supermarket"), never for a real one. People, groups, events, faiths and norms stay: they are what
    the row is about. An idiom with a plain English equivalent becomes that. Spans that are the locale's own stand as
    local, those of other cultures as topic.

    A row that turns on what the locale's law sees differently is not adapted at all, and flagged: its label may not hold.
    Packs name their values in English: a source in another language is not swapped, its spans stand as topic.
    The decisions go to `Text.edits`; `Text.adapted` is the source with the edits made.

    Args:
        real_names: whether wholly safe rows may name real companies, clubs, newsrooms and universities.
        proposed: replacements by somebody else, a language model for one; taken before the pack's.
    """
    assert row.culture is not None, "segregate first"
    spans = row.culture.spans
    review = {s.text for s in spans if _law_differs(s, source, pack)}
    swaps: list[Swap | None] = [None] * len(spans)
    if not review and LOCALES[source] == ENGLISH:
        swaps = choose(row, source, pack, is_safe(row), real_names, lambda s: _stays(s, source, pack), proposed or {})
    mentioned: set[str] = set()
    texts = []
    for index, text in enumerate(row.texts):
        decided = [(s, w) for s, w in zip(spans, swaps, strict=True) if s.text == index]
        done = _apply(text, decided, source, pack, mentioned, plain=not review and LOCALES[source] == ENGLISH)
        texts.append(replace(done, flags=(*done.flags, "label_review")) if index in review else done)
    return replace(row, texts=tuple(texts))


def _law_differs(span: Span, source: str, pack: CulturePack) -> bool:
    """Whether a span is an act that the locale's law sees otherwise than the source's, as far as anybody knows."""
    if span.kind != "jurisdiction" or source not in span.cultures or pack.locale in span.cultures:
        return False
    there, here = load_pack(source).legal_status.get(span.role), pack.legal_status.get(span.role)
    return there is None or there != here


def _stays(span: Span, source: str, pack: CulturePack) -> bool:
    return source not in span.cultures or _is_local(span, pack)


def _is_local(span: Span, pack: CulturePack) -> bool:
    if pack.locale in span.cultures or span.kind in pack.local_measures:
        return True
    if span.kind == "date":
        return pack.date is not None and (pack.date.order, pack.date.sep) == ("MDY", "/")
    return span.kind not in NEVER and any(base(e.en) == base(span.surface) for e in pack.types.get(span.kind, ()))


def _apply(
    text: Text, decided: Iterable[tuple[Span, Swap | None]], source: str, pack: CulturePack, mentioned: set[str],
    plain: bool,
) -> Text:  # fmt: skip
    """Makes the edits of one text.

    Args:
        mentioned: the values that the row has named so far; grows.
        plain: whether idioms become what they mean.
    """
    if text.source is None:
        return text
    parts: list[str] = []
    edits: list[Edit] = []
    flags: list[str] = []
    at = length = 0
    said = ""
    for span, swap in decided:
        start, after, origin = span.start, span.surface, ""
        natives: tuple[str, ...] = ()
        action = "local" if _is_local(span, pack) else "topic"
        if swap:
            action, natives, origin = "swap", swap.natives, swap.source
        elif span.plain and action == "topic" and source in span.cultures and plain:
            action, origin, swap = "universal", "plain English", Swap(span.plain, (), "")
        elif source in span.cultures and action == "topic" and span.kind not in _NOT_MISSED:
            flags.append("kept_source_culture")
        end = span.end
        if swap and swap.en == said and _IN_BRACKETS.fullmatch(text.source[at : end + 1]):
            start, end, after = at, end + 1, ""
        elif swap:
            start, after = _written(text.source, span, swap, at, swap.en in mentioned)
            mentioned.add(swap.en)
        said = swap.en if swap else ""
        parts.append(text.source[at:start])
        length += start - at
        before = text.source[start:end]
        edits.append(Edit(length, length + len(after), span.kind, action, before, after, natives, origin))
        parts.append(after)
        length += len(after)
        at = end
    parts.append(text.source[at:])
    return replace(text, adapted="".join(parts), edits=tuple(edits), flags=(*text.flags, *dict.fromkeys(flags)))


def _written(text: str, span: Span, swap: Swap, at: int, mentioned: bool) -> tuple[int, str]:
    """Where the edit of a span begins, and what it puts there: the value as this place of the text writes it.

    The edit takes in the article before the span only where that changes.

    Args:
        at: where the edit before ends; this one cannot begin earlier.
    """
    slot = slot_of(text, span.start, span.end)
    inside, surface = split_article(span.surface)
    own, name = ("", swap.en) if span.kind in QUANTITIES else split_article(swap.en)
    if own != "the" and swap.en[:1].isupper():
        own, name = "", swap.en  # "A Coruña" has no article
    around = text[max(0, span.start - 60) : span.start] + text[span.end : span.end + 60]
    value = plural(name) if swap.many else name
    if span.kind not in SAFE_ROWS_ONLY or value[:1].isupper() or surface.isupper():
        # "Waffle House" is written as a name, "a restaurant" is none.
        value = follow_case(value, surface, swap.known, around, slot.starts)
    article = article_for(own, slot, not swap.article, mentioned)
    if article in ("a", "an"):
        article = "" if swap.many else indefinite(value)
    written = slot.article.casefold()
    if not inside and (article == written or (written and span.start - len(written) - 1 < at)):
        return span.start, capitalise(value) if _wants_capital(slot, surface) and not written else value
    whole = f"{article} {value}" if article else value
    if value.isupper() and not name.isupper():
        whole = whole.upper()
    elif _wants_capital(slot, slot.article or surface) or (
        article and slot.article[:1].isupper() and span.kind != "news"
    ):
        whole = capitalise(whole)
    return span.start - (len(written) + 1 if written and not inside else 0), whole


def _wants_capital(slot: Slot, surface: str) -> bool:
    return slot.starts and not surface[:1].islower()


def changes_outside(text: Text) -> int:
    """How many characters of an adapted text differ from the source outside the listed edits: 0, or the list is not true."""
    if text.source is None or text.adapted is None:
        return 0
    parts, at = [], 0
    for edit in text.edits:
        parts += [text.adapted[at : edit.start], edit.before]
        at = edit.end
    undone = "".join([*parts, text.adapted[at:]])
    if undone == text.source:
        return 0
    changes = difflib.SequenceMatcher(None, text.source, undone, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for tag, a, b, c, d in changes if tag != "equal")


def residual(text: Text, spans: Sequence[Span], source: str) -> int:
    """How many spans of the source culture an adapted text holds that Adapt did not decide on.

    Args:
        spans: those of the *adapted* text.
    """
    decided = [(e.start, e.end) for e in text.edits]
    left = [s for s in spans if source in s.cultures and s.kind not in NEVER]
    return sum(not any(start < s.end and s.start < end for start, end in decided) for s in left)
