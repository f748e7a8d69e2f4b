"""Chooses what the spans of a row are exchanged for in a locale: one value for one thing, drawn by row id."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from schemas.rows import Row, Span
from transforms.counterparts import FAITH, NO_PLURALS, Choice, sorts_of, sport_of
from transforms.culture_pack import SAFE_ROWS_ONLY, SORTS, CulturePack, Entry
from transforms.english import slot_of, split_article
from transforms.quantities import KINDS as QUANTITIES
from transforms.quantities import convert, convert_date, draw_phone, ends_of, is_crisis_line, is_half
from transforms.things import GIVEN, NOUNS, Thing, base, merge, thing_of

# What a text is about, and whom: never exchanged.
NEVER = frozenset({"person", "group", "event", "norm", "jurisdiction", "religion", "religion_custom", "idiom", "slang"})
# Types of names that have an article of their own, if they have one before them and no pack says.
_WITH_ARTICLE = frozenset(
    (
        "institution",
        "law",
        "exam",
        "court",
        "tax_office",
        "police_body",
        "vehicle_office",
        "health_program",
        "privacy_law",
        "club",
        "university",
        "news",
        "landmark",
        "region",
        "city",
        "holiday",
    )
)
# Wholes are chosen before what lies in them, but a region after its cities.
_ORDER = ("sport", "city", "region")


@dataclass(frozen=True)
class Swap:
    """What a span is exchanged for: English with its article, spellings in the target language, where it is from.

    `known` is the surface as it is properly written; `article` says whether its own article is part of the name before;
    `many` whether the span is a plural and the value must be made one.
    """

    en: str
    natives: tuple[str, ...]
    source: str
    known: str | None = None
    article: bool = False
    many: bool = False


# Types whose values are all of one sort. A dish, a feast, a brand or an office is not: tiramisu is no corn dog.
_ALIKE = frozenset({*GIVEN, "surname", "city", "region", "emergency", "university", "bank"})
_FEASTS = frozenset({
    "baby_shower", "birth", "wedding", "bridal_shower", "bachelor_party", "bachelorette_party", "engagement", "graduation",
    "school_dance", "school_fair", "sports_party", "housewarming",
})  # fmt: skip
# (kind, folded surface) -> (English, native) of what somebody else than the pack proposes, None for what should stay.
Proposals = Mapping[tuple[str, str], tuple[str, str] | None]


def is_safe(row: Row) -> bool:
    """Whether a row is safe as a whole."""
    return row.sample.prompt_label == "safe" and row.sample.response_label in ("safe", None)


def choose(
    row: Row, source: str, pack: CulturePack, safe: bool, real_names: bool, stays: Callable[[Span], bool],
    proposed: Proposals,
) -> list[Swap | None]:  # fmt: skip
    """What every span of a row is exchanged for, None where it stays.

    Args:
        source: the source locale.
        safe: whether the row is wholly safe: only then real organisations may come into it.
        real_names: whether they may at all.
        stays: whether a span is not to be exchanged: it is the locale's own, or a third culture's.
        proposed: what to take before the pack's own values.
    """
    assert row.culture is not None
    spans = row.culture.spans
    named = {base(span.surface) for span in spans}
    read = [thing_of(span, source) for span in spans]
    things = merge([thing for thing, _ in read])
    choice = Choice(row.id, pack, safe, real_names, [t.source or "" for t in row.texts], spans, things, named)
    swaps: list[Swap | None] = [None] * len(spans)
    meant: dict[tuple[str, str], object] = {}
    # Half of another name: a meatloaf sandwich is no sandwich of sauerbraten.
    refused = {t for s, t in zip(spans, things, strict=True) if t.kind in _DISHES and _stands_before_noun(s, choice)}
    away = _other_cultures(spans, source)
    people = _BIBLICAL if any(s.kind in FAITH for s in spans) else frozenset[str]()
    people |= {
        word for s in spans if s.kind in ("person", *_WORKS) for word in re.findall(r"\w+", s.surface.casefold())
    }
    live = [
        i
        for i, span in enumerate(spans)
        if not stays(span) and span.kind not in NEVER
        if not (span.kind in _PRIVATE and (base(span.surface) in people or away.intersection(span.cultures)))
    ]
    refused |= {
        t for s, t in zip(spans, things, strict=True) if s.kind in _PRIVATE and _is_no_name(s, choice.texts[s.text])
    }
    refused |= _half_named(spans, things, set(live), stays, refused, choice.texts)
    for i in sorted(live, key=lambda i: _rank(spans[i].kind)):
        span, thing, many = spans[i], things[i], read[i][1]
        proposal = (span.kind, span.surface.casefold())
        if proposal in proposed:
            if (said := proposed[proposal]) is not None:
                choice.taken.add(base(said[0]))
                swaps[i] = Swap(said[0], (said[1],), "llm")
            continue
        if thing.kind in QUANTITIES:
            swaps[i] = _quantity(span, choice, meant)
            continue
        if thing in refused or (many and thing.kind in NO_PLURALS) or not _has_counterpart(thing):
            continue
        if _is_verb(span, choice.texts[span.text]) or _wants_names(thing, choice, span):
            continue
        if thing not in choice.entries:
            entry = choice.entry_for(thing)
            if entry is None:
                refused.add(thing)
                continue
            _assign(thing, entry, choice)
        if read[i][0].plural or not choice.entries[thing].plural:
            swaps[i] = _swap(span, read[i][0], many, choice.entries[thing])
    if _is_anchored(spans, swaps, source, stays):
        return [None] * len(spans)
    # Amounts are compared with each other: all are in one currency, or none is exchanged.
    money = [i for i, span in enumerate(spans) if span.kind == "money" and not stays(span)]
    kept = set(money) if any(swaps[i] is None for i in money) else set()
    if any(_CONVERSION.search(text) for text in choice.texts):
        kept |= {i for i, thing in enumerate(things) if thing.kind in QUANTITIES}
    return [None if i in kept else w for i, w in enumerate(swaps)]


# Beside a faith they may be the persons of its book: Mary of a Nativity play.
_BIBLICAL = frozenset({
    "abraham", "adam", "daniel", "david", "esther", "eve", "gabriel", "goliath", "isaac", "jacob", "james", "job", "john", "jonah",
    "joseph", "joshua", "judas", "lazarus", "luke", "mark", "martha", "mary", "matthew", "michael", "moses", "noah", "paul",
    "peter", "ruth", "samson", "samuel", "sarah", "simon", "solomon", "thomas",
})  # fmt: skip
# Private persons' names; those of a show's characters are none.
_PRIVATE = frozenset({*GIVEN, "surname"})
_WORKS = frozenset({"media_brand"})
# What ties a row to the source's country where it has no counterpart: the rest of the row would stand in another.
_ANCHORS = frozenset(
    {
        "person",
        "event",
        "geography",
        "landmark",
        "street",
        "country",
        "region",
        "city",
        "law",
        "institution",
        "court",
        "group",
        "school",
        "exam",
        "sport",
        *(SAFE_ROWS_ONLY - {"brand"}),
        *_WORKS,
    }
)
# These tie it only where they are the source's alone: Christmas and a christening are kept in many countries.
_OWN_ANCHORS = frozenset({"holiday", "custom", "religion_custom"})
# So does an amount that stays: "a quarter" beside euros. Less than this is no plain mark of one country.
_MEASURED = QUANTITIES - {"phone", "date"}
_PLAIN = 0.6


def _other_cultures(spans: Sequence[Span], source: str) -> frozenset[str]:
    """The cultures besides the source's that a row is plainly set in: Abuela Lupe with her pozole is no American."""
    return frozenset(c for s in spans if source not in s.cultures for c in s.cultures[:1])


def _is_anchored(
    spans: Sequence[Span], swaps: Sequence[Swap | None], source: str, stays: Callable[[Span], bool]
) -> bool:
    """Whether a row is about something of the source's country that stays: then all of it does, or it would be nowhere."""
    return any(
        w is None
        and source in s.cultures
        and not stays(s)
        and (
            s.kind in _ANCHORS
            or (s.weight > _PLAIN and (s.kind in _MEASURED or (s.kind in _OWN_ANCHORS and s.cultures == (source,))))
        )
        for s, w in zip(spans, swaps, strict=True)
    )


def _has_counterpart(thing: Thing) -> bool:
    """Whether enough is known of a thing to say what takes its place: what it is, not only of which type it is."""
    if thing.kind == "brand" or thing.role in _NO_ROLES:
        return False  # a car is no beer, and no pack says which is which
    if thing.kind == "custom":
        return thing.entry is not None or thing.role in _FEASTS  # "egg his car" is a custom too, and a verb
    if thing.kind == "holiday" and thing.role == "religious":
        return False  # a faith's feast is no other faith's
    if thing.kind in SORTS:
        return bool(SORTS[thing.kind] & sorts_of(thing))  # a pharmacy is no clothing shop
    if thing.kind == "club":
        return bool(sport_of(thing))
    return thing.kind in _ALIKE or bool(thing.role) or thing.entry is not None


# A grade, its room and its teacher are one role in the packs, and three things in a sentence. "Buddy" and "bro" are said among
# English speakers as they are.
_NO_ROLES = frozenset({"homeroom_grade", "prank", "costume", "buddy", "bro", "dude"})
_OBJECT = re.compile(r"\s+(?:me|you|him|her|it|us|them)\b", re.IGNORECASE)


_DISHES = frozenset({"food", "drink"})
# A task about the measures themselves.
_CONVERSION = re.compile(
    r"\bconver(?:t|ts|ting|sion)\b|\bhow many (?:cups|ounces|pounds|feet|inches|yards|miles|pints|gallons|quarts|dollars)\b|=\s*_{2,}",
    re.IGNORECASE,
)


def _stands_before_noun(span: Span, choice: Choice) -> bool:
    return slot_of(choice.texts[span.text], span.start, span.end).attributive


_NAMES = re.compile(r"\b(?:like|such as|e\.g\.|hate|hates|love|loves|named|called)\s+\Z", re.IGNORECASE)


def _wants_names(thing: Thing, choice: Choice, span: Span) -> bool:
    """Whether a company stands where "a supermarket" says nothing: "shops like Walmart"."""
    if thing.kind not in SAFE_ROWS_ONLY or (choice.safe and choice.real_names):
        return False
    return _NAMES.search(choice.texts[span.text], max(0, span.start - 20), span.start) is not None


def _is_verb(span: Span, text: str) -> bool:
    """Whether a company's name is said as a verb: "I will venmo him"."""
    return (
        span.kind in (*SAFE_ROWS_ONLY, "custom")
        and span.surface.islower()
        and _OBJECT.match(text, span.end) is not None
    )


_NEXT_WORD = re.compile(r" (?:[A-Z]\. )?([A-Z][\w'’-]*[a-z])")
_LAST_WORD = re.compile(r"([A-Z][\w'’-]*[a-z]) (?:[A-Z]\. )?\Z")
# Words that begin with a capital beside a name and are no part of it.
_NO_SURNAMES = re.compile(
    r"(?:I'[a-z]+|[A-Z][a-z]+day|January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Mr|Mrs|Ms|Miss|Dr|Prof|Sir|Aunt|Auntie|Uncle|Grandma|Grandpa|Mom|Dad|Coach|Officer|Detective|Judge|Captain|President"
    r"|Senator|Pastor|Father|Sister|Brother|Saint|St|Lady|Lord|King|Queen|Dear|Hi|Hey|Hello|And|But|The|Jr|Sr)\Z"
)


def _half_named(
    spans: Sequence[Span], things: Sequence[Thing], live: set[int], stays: Callable[[Span], bool], refused: set[Thing],
    texts: Sequence[str],
) -> set[Thing]:  # fmt: skip
    """Names of which the other half would stay as it is: "Heidi McKinney" becomes somebody else as a whole or not at all."""
    at = {(s.text, s.start): i for i, s in enumerate(spans)} | {(s.text, s.end): i for i, s in enumerate(spans)}
    found = set()
    for i in live:
        span, text = spans[i], texts[spans[i].text]
        if span.kind not in _PRIVATE or span.surface.isupper():
            continue
        beside = []
        if span.kind != "surname" and (after := _NEXT_WORD.match(text, span.end)):
            beside.append((after[1], at.get((span.text, after.start(1)))))
        before = _LAST_WORD.search(text, max(0, span.start - 40), span.start)
        # A verb or an adverb may begin the sentence: "Does Johnson ...".
        if before and span.kind == "surname":
            other = at.get((span.text, before.end(1)))
            if other is not None or not slot_of(text, before.start(1), before.end(1)).starts:
                beside.append((before[1], other))
        for word, other in beside:
            if other is None:
                half = not _NO_SURNAMES.match(word) and not _is_title(text)
            else:
                half = spans[other].kind in _PRIVATE and (other not in live or things[other] in refused)
            if half:
                found.add(things[i])
    return found


def _is_title(text: str) -> bool:
    """Whether most words begin with a capital: then a capital says nothing."""
    words: list[str] = re.findall(r"[^\W\d_]+", text)
    return 2 * sum(word[0].isupper() for word in words) > len(words) > 4


def _is_no_name(span: Span, text: str) -> bool:
    """Whether capitals make initials of a name: JONAH in a text that is not all capitals, and is no list of who speaks."""
    if len(span.surface) < 3 or not span.surface.isupper() or text[span.end : span.end + 1] == ":":
        return False
    others = [c for c in text[: span.start] + text[span.end :] if c.isalpha()]
    return 2 * sum(c.islower() for c in others) > len(others)


def _rank(kind: str) -> int:
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER)


def _assign(thing: Thing, entry: Entry, choice: Choice) -> None:
    """Gives a thing its value; the region that the row names with a city becomes the one that the new city lies in."""
    choice.entries[thing] = entry
    choice.taken.add(base(entry.en))
    within = choice.within(thing)
    if thing.kind == "city" and within:
        region = next((t for t in choice.things if t.kind == "region" and t.name == within), None)
        lies_in = next((e for e in choice.pack.types.get("region", ()) if e.en == entry.within), None)
        if region and lies_in and region not in choice.entries:
            _assign(region, lies_in, choice)


def _swap(span: Span, thing: Thing, many: bool, entry: Entry) -> Swap:
    own, known = split_article(thing.entry.en) if thing.entry else ("", None)
    article = own == "the" if thing.entry else thing.kind in _WITH_ARTICLE
    if thing.entry and not many and base(span.surface) != thing.name:
        known = span.surface  # another form of it, such as a state's postal code
    many = (many or thing.plural) and not entry.plural
    return Swap(entry.en, entry.natives(), entry.source, known, article and thing.kind not in NOUNS, many)


def _quantity(span: Span, choice: Choice, meant: dict[tuple[str, str], object]) -> Swap | None:
    """A quantity as the locale says it; different ones never become one."""
    if is_crisis_line(span.surface, span.role):
        return None
    if "cup" in span.surface.casefold() and not choice.texts[span.text].startswith(" of ", span.end):
        return None  # crockery, as far as one can tell
    if span.kind in _MEASURED and is_half(choice.texts[span.text][max(0, span.start - 20) : span.start]):
        return None
    amount: object = span.surface
    if span.kind == "phone":
        said = draw_phone(span.surface, choice.pack, choice.row_id, meant)
    elif span.kind == "date":
        said = convert_date(span.surface, choice.pack)
    else:
        slot = slot_of(choice.texts[span.text], span.start, span.end)
        joined = slot.attributive and bool(slot.article or slot.determined or "-" in span.surface)
        said = convert(span.kind, span.surface, choice.pack, joined and not span.surface.endswith("s"))
        amount = ends_of(span.kind, span.surface)
    if said is None or meant.setdefault((span.kind, said.natives[0]), amount) != amount:
        return None
    return Swap(said.en, said.natives, said.source)
