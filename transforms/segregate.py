"""Segregates rows: finds the spans that belong to a culture, by packs, cue lists and patterns, and says why.

A method of segregation is a function `Row -> Row` that fills `Row.culture`. This module is the lexicon's method; others build
their `Culture` with `from_marks`, and `combine` joins two.
"""

from __future__ import annotations

import functools
import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from data import resource
from schemas.kinds import KIND_OF
from schemas.locales import ENGLISH, LOCALES
from schemas.rows import Culture, Row, Span
from transforms import measures
from transforms.contexts import CONTEXTS, Names, introduced, is_capitalised, is_named, surname
from transforms.cues import WEIGHT, Pattern, default_weight, load_cues
from transforms.culture_pack import Entry, load_pack
from transforms.english import words
from transforms.segment import verbatim_stretches
from transforms.things import GIVEN


@dataclass(frozen=True)
class Reading:
    """One thing that a surface can mean.

    Attributes:
        surface: as it is listed, without its article.
        kind: type of `schemas.kinds.KIND_OF`.
        needs: contexts of which one must hold; () if none need.
        exact: matched as written; else in any case.
        article: whether "the" must stand before it.
        listed: whether a cue list has it; its conditions then hold for what packs say of it, too.
        companion: whether it counts only beside a reading of a cue list.
    """

    surface: str
    kind: str
    cultures: tuple[str, ...]
    role: str = ""
    plain: str = ""
    weight: float = WEIGHT
    exact: bool = False
    article: bool = False
    needs: tuple[str, ...] = ()
    listed: bool = False
    companion: bool = False


@dataclass(frozen=True)
class Lexicon:
    """What is known of a source language's text.

    Attributes:
        readings: surface in small letters -> what it can mean, best first.
        lengths: first word of surfaces -> how long they are, longest first.
        patterns: first letters -> cue patterns that can begin so; "" for those that can begin in any way.
    """

    source: str
    readings: dict[str, tuple[Reading, ...]]
    lengths: dict[str, tuple[int, ...]]
    patterns: dict[str, tuple[Pattern, ...]]
    names: Names


# Names: what they stand for is somebody's, in whichever pack.
_NAME_TYPES = frozenset({
    "name_f", "name_m", "name", "surname", "city", "region", "landmark", "street", "club", "university", "retailer", "bank",
    "news", "restaurant", "brand",
})  # fmt: skip
# What a pack may name in small letters and mean something of its own: a dish, a rite. An office, a law or a document in
# small letters is one that every country has.
_COMMON_NOUN_TYPES = frozenset({"food", "drink", "holiday", "custom", "worship", "sport"})
# A single word with a capital is enough in these; elsewhere ("Act", "ID") it must be no English word.
_SINGLE_WORD_TYPES = _NAME_TYPES | _COMMON_NOUN_TYPES | {"emergency"}
# Plain English in every pack: how people are addressed, levels of school. Only where a cue list has the surface as well does
# the source's pack say what it is for.
_NO_EVIDENCE = frozenset({"title", "school", "religion"})
# Known everywhere as itself, whoever lists it.
_EVERYWHERE = words(
    """
    pizza bread rice chocolate coffee tea chips turkey hamburger hamburgers burger burgers sandwich sandwiches beer wine soda
    cola vodka juice milk water lemonade salad soup pasta spaghetti steak omelette omelet pancakes cookies cake ice-cream
    soccer football tennis chess basketball volleyball swimming running cycling handball boxing golf badminton gymnastics
    hockey skiing judo karate wrestling athletics yoga surfing rowing sailing fencing archery skating google youtube facebook
    instagram twitter whatsapp amazon netflix apple microsoft samsung sony toyota honda bmw mercedes volkswagen nestle nike
    adidas ikea coca-cola coke pepsi mcdonald's starbucks nescafe windows iphone android shell
    """
)
# Names that are words as well: small letters are the word, and a capital letter alone proves nothing.
_WORDS = words(
    """
    a act action aid ally amber an angel ann apple april art ash aspen august autumn ban bang bangs bank bar barb
    basil bath bay bea bear bee bell belle ben best big bill bishop black blue bond booker boom boots bow boy bravo
    brook brown buck bud buffalo bun bush butler cam can candy caravan carol carpenter carter cash cha chain chance
    charity chase chef cherry chi chin chip christian chuck class clay cliff close cloud clover coach cobb cold cole
    colt commerce concord cook cooper coral cork corn cox cross crown crystal da dale dang dash dawn day deal dean
    deli dell delta destiny diamond dick ding dip discover do dolly don dove dream drew duke dung eagle earl east
    echo eden elder era essen eve express faith family fan far fern field first fisher flash flint focus ford forest
    fox frank free fresh gale gang gap gay gem gene general giant giants ginger glen global globe go gold golden
    gong good grace grand grant gray green grey guardian guess guy ha hall hand hang hank harbor hardy hay hazel
    heather heaven hen herald hero hill hive ho holly home honey hong hope horn hot house hue huge hull hung hunt
    hunter ice idea in independent iris iron is it ivy jack jade jaguar jan jasmine jay jeans jeep jet jewel job
    journal joy july june jungle justice ken kin kind king kit knight la lake lam lance lane lay le leader lens li
    liberty lily lime link lion little live lo local lone long lotus love low lower lucky ma magic major male man
    march marina mark mars marsh mason max may maya mega melody men mercury mercy meridian metro mild miles mill
    miller min ming mini mint miracle mirage mirror mission mo mobile monitor monster moon moor moose morning moss
    mountain mustang nation national natural nature nay new next nice no nod norm north nova novel observer ocean of
    old olive on open orange ore orient oriental oxford pa pack page pan panda pang paper paradise park parker pat
    patience patriot pau peace peak pearl peg pen penny pepper perry pierce pike pin ping pioneer pit plane planet
    plum point polo poppy porter post potter pray premier press price pride prince providence pump pure queen rain
    rainbow ram ran randy raven ray reading real record red reed reef regal republic rice rich richmond ridge ring
    rite rival river rob robin rock rocky rod rose rough rowan royal ruby rue rusk rust rusty sa safe sage said sale
    sam san sandy sat say scene scout self seven sharp shepherd shine shop sierra sign signal silver sing sky slim
    smart snap so social sol some son song soon soul south spark spirit splash split sport spring sprint square
    stack stag standard star stark state stella sterling stern stone storm stream strong sue sugar summer sun sung
    super surf surprise swan sweet swift switch tab tan tar target taylor tea telegraph temple ten thai the tide
    tiger time times ting tom top tours tower town toy trace track trend tribune trinity triumph true trust tucker
    tug tune turkey turner union united unity universe upper urban us usher vale valley value van verge victor
    victoria violet virgin virginia visa vista viva voice wade walker wall wan war ward wave way weaver web weed
    wells west wheeler white will win windsor wing winter wise wolf wood woods word world yam yang yard yea yen yes
    yin yo you young zoom
    """
)
# Known to the whole world by name: nothing in it is anybody's, least of all the given name.
_WORLD = re.split(
    r"\s*,\s*",
    """
    Harry Potter, Ron Weasley, Hermione Granger, Albus Dumbledore, Severus Snape, Sherlock Holmes, James Bond, Peter Parker,
    Bruce Wayne, Clark Kent, Tony Stark, Mickey Mouse, Donald Duck, Romeo and Juliet, Alice in Wonderland, Peter Pan,
    Darth Vader, Luke Skywalker, John Wick, Indiana Jones, Lara Croft, Jack Sparrow, Dorian Gray, Oliver Twist, Homer Simpson,
    Bart Simpson, Tom and Jerry, Frodo Baggins, Bilbo Baggins, Jon Snow, Walter White, Marie Curie, Isaac Newton,
    Albert Einstein, Charles Darwin, Stephen Hawking, William Shakespeare, Jane Austen, Charles Dickens, Sigmund Freud,
    Karl Marx, Adam Smith, Alan Turing, Adam and Eve
    """.strip(),
)

_WORD = re.compile(r"\w+")
# What makes digits part of a longer number, date or amount.
_NUMBER_BEFORE = re.compile(r"(?:\d[.,:/-]|[-+$#\u20ac\u00a3])$")
_NUMBER_AFTER = re.compile(r"[.,:/-]\d|\s?%")
_FOLDED = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00a0": " "})


def _straight(text: str) -> str:
    """The text with straight apostrophes and plain spaces, character for character."""
    return text.translate(_FOLDED)


def _small(text: str) -> str:
    """The text in small letters, character for character."""
    small = text.lower()
    return small if len(small) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _first_word(text: str) -> str:
    found = _WORD.match(text)
    return found.group() if found else text[:1]


def known_packs() -> tuple[str, ...]:
    """Locales that have a pack."""
    files = (f.name for f in resource("culture").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in files if name.endswith(".yaml")))


@functools.cache
def load_lexicon(source: str) -> Lexicon:
    """Builds the lexicon of a source locale: all packs and all cue lists, the source's reading of an ambiguous name first.

    What belongs to a culture does so whichever locales a run has. Packs name things in English and in their own language:
    for a source in another language, only packs in it are known, no cues.
    """
    packs = dict.fromkeys((source, *known_packs()))
    readings: list[Reading] = []
    patterns: dict[str, list[Pattern]] = defaultdict(list)
    if LOCALES[source] == ENGLISH:
        cues = load_cues()
        readings += [
            Reading(c.en, c.kind, c.cultures, c.role, c.plain, c.weight, c.exact, c.article,
                    ("surname",) if c.kind == "surname" and c.needs else (c.needs,) if c.needs else (), True)
            for c in cues.surfaces
        ]  # fmt: skip
        for pattern in cues.patterns:
            for prefix in pattern.prefixes or ("",):
                patterns[prefix].append(pattern)
        readings += [Reading(name, "person", ()) for name in _WORLD]
        plain = _plain_words(tuple(packs))
        readings += [r for locale in packs for r in _pack_readings(locale, source, plain)]
    else:
        for locale in packs:
            if LOCALES.get(locale) == LOCALES[source]:
                for entry in load_pack(locale).entries():
                    if entry.type in KIND_OF and entry.type not in _NO_EVIDENCE:
                        readings += [
                            Reading(native, entry.type, (locale,), entry.role, exact=True) for native in entry.natives()
                        ]
    by_surface: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_surface[_small(reading.surface)].append(reading)
    settled = {surface: _settle(found, source) for surface, found in by_surface.items()}
    lengths: dict[str, set[int]] = defaultdict(set)
    for surface, known in settled.items():
        if known:
            lengths[_first_word(surface)].add(len(surface))
    return Lexicon(
        source,
        settled,
        {word: tuple(sorted(found, reverse=True)) for word, found in lengths.items()},
        {prefix: tuple(dict.fromkeys(found)) for prefix, found in patterns.items()},
        Names(
            frozenset(_small(r.surface) for r in readings if r.kind in ("name_f", "name_m", "name", "given_name")),
            frozenset(_small(r.surface) for r in readings if r.kind == "surname"),
        ),
    )


def _plain_words(packs: tuple[str, ...]) -> frozenset[str]:
    """Words that packs in two languages use in small letters: English, not a culture's own ("grilled", "soup")."""
    languages: dict[str, set[str]] = defaultdict(set)
    for locale in packs:
        for entry in load_pack(locale).entries():
            for word in re.findall(r"[^\W\d_]+", entry.en):
                if word.islower():
                    languages[word].add(LOCALES.get(locale, locale))
    return frozenset(word for word, known in languages.items() if len(known) > 1)


def _pack_readings(locale: str, source: str, plain: frozenset[str]) -> list[Reading]:
    """What a pack adds: names, what is written with capitals, and dishes and rites whose names are not plain English."""
    found = []
    own = locale == source
    for entry in load_pack(locale).entries():
        surface = re.sub(r"^(?:the|an?) ", "", _straight(entry.en), flags=re.IGNORECASE)
        if entry.type not in KIND_OF or not _WORD.match(surface) or surface.lower() in _EVERYWHERE:
            continue
        companion = entry.type in _NO_EVIDENCE
        if not any(char.isupper() or char.isdigit() for char in surface):
            if not own and set(re.findall(r"[^\W\d_]+", surface)) <= plain:
                continue
            companion = companion or entry.type not in _COMMON_NOUN_TYPES
        elif not own and " " not in surface and entry.type not in _SINGLE_WORD_TYPES and _is_word(surface):
            continue
        if own or not companion:
            found.append(replace(_pack_reading(entry, surface, locale, own), companion=companion))
    return found


def _is_word(surface: str) -> bool:
    return len(surface) < 4 or surface.lower() in _WORDS


def _pack_reading(entry: Entry, surface: str, locale: str, own: bool) -> Reading:
    kind = KIND_OF[entry.type]
    single = " " not in surface
    word = single and surface.lower() in _WORDS
    needs: tuple[str, ...] = ()
    if surface.isdigit() and not own:
        needs = ("dialled",)
    # Short names, and firms and offices named by a word, are words too often to be known in small letters.
    short = len(surface) < 5 or kind in ("media_brand", "institution", "law", "sport")
    # So are the names of another market's firms: "Heart Attack" is one only as it writes itself.
    exact = word or (not own and (kind == "media_brand" or (single and short))) or entry.type == "surname"
    if surface.islower():
        exact = False
    elif entry.type == "surname" and (word or (not own and len(surface) < 5)):
        needs = ("surname",)
    elif word:
        needs = {"given_name": ("person",), "geography": ("place", "capital"), "media_brand": ("shop", "capital")}.get(
            kind, ("capital",)
        )
    return Reading(
        surface, entry.type, (locale,), entry.role, weight=default_weight(entry.type), exact=exact, needs=needs
    )


def _settle(readings: list[Reading], source: str) -> tuple[Reading, ...]:
    """The readings of one surface, best first: public people, what a context asks for, the source's, the others.

    Where a cue list and a pack know the same thing, the list's conditions hold. A given name that is also a place needs a
    person around it.
    """
    listed = [r for r in readings if r.listed]
    places = any(KIND_OF[r.kind] == "geography" for r in readings)
    settled = []
    for reading in readings:
        known = next((r for r in listed if r.kind == reading.kind), None) or next(
            (r for r in listed if KIND_OF[r.kind] == KIND_OF[reading.kind] and "surname" not in (r.kind, reading.kind)),
            None,
        )
        if reading.companion and not known:
            continue
        if known and not reading.listed:
            reading = replace(reading, exact=known.exact, article=known.article, needs=known.needs, weight=known.weight)
        if places and KIND_OF[reading.kind] == "given_name":
            reading = replace(reading, needs=("surname",) if reading.kind == "surname" else ("is_named",))
        settled.append(reading)

    def rank(reading: Reading) -> tuple[bool, bool, bool]:
        asks = any(need != "capital" for need in reading.needs)
        return reading.kind != "person", not asks, source not in reading.cultures

    return tuple(sorted(settled, key=rank))


# --- spans ---

_DIALS = re.compile(r"\b(?:call|dial|phone|ring)(?:s|ed|led|ing|ling)? (?:the number )?$", re.IGNORECASE)


def _is_dialled(text: str, start: int, end: int, names: Names) -> bool:
    """Digits are a number to call: in most texts "190" is a measure."""
    return _DIALS.search(text, max(0, start - 24), start) is not None


_CONTEXTS = {**CONTEXTS, "surname": surname, "is_named": is_named, "dialled": _is_dialled}


def find_spans(text: str, index: int, lexicon: Lexicon) -> list[Span]:
    """All spans of a text, left to right; where several overlap, the longest is one, and none stands inside another.

    Code, JSON, URLs and other pieces that stay as they are in every language have none.
    """
    straight = _straight(text)
    small = _small(straight)
    found: list[Span] = []
    for word in _WORD.finditer(small):
        start = word.start()
        for length in lexicon.lengths.get(word.group(), ()):
            span = _look_up(straight, small, start, start + length, index, lexicon)
            if span:
                found.append(span)
                break
    found += [s for span in found if (s := _unknown_surname(straight, span, lexicon))]
    found += _match_patterns(straight, small, index, lexicon)
    if lexicon.source == measures.LOCALE:
        found += measures.find_measures(straight, small, index)
    spans = _apart(
        [replace(s, surface=text[s.start : s.end]) for s in found], verbatim_stretches(text) if found else []
    )
    return [span for span in spans if span.cultures]


_WIDE = ("norm", "jurisdiction")


def _apart(found: Iterable[Span], kept: Sequence[tuple[int, int]]) -> list[Span]:
    """The longest spans of one text that do not overlap, in order; none that touches a stretch that stays verbatim.

    A norm or an act ("call 911") yields to what is named in it ("911"): that can be exchanged.
    """
    ends = [end for _, end in kept]
    taken: set[int] = set()
    spans = []
    for span in sorted(found, key=lambda s: (s.kind in _WIDE, s.start - s.end, s.start)):
        after = bisect_right(ends, span.start)  # the first kept stretch that ends behind the start
        if after < len(kept) and kept[after][0] < span.end:
            continue
        if taken.isdisjoint(range(span.start, span.end)):
            taken.update(range(span.start, span.end))
            spans.append(span)
    return sorted(spans, key=lambda s: s.start)


def _look_up(text: str, small: str, start: int, end: int, index: int, lexicon: Lexicon) -> Span | None:
    """The span of the best reading of what stands here, if it stands here as whole words and a reading's context holds."""
    readings = lexicon.readings.get(small[start:end])
    if not readings or end > len(text) or not _ends_word(text, end):
        return None
    surface = text[start:end]
    if surface.isdigit() and (_NUMBER_BEFORE.search(text, max(0, start - 2), start) or _NUMBER_AFTER.match(text, end)):
        return None
    known = [r for r in readings if _holds(r, text, start, end, surface, lexicon.names)]
    if not known:
        return None
    best = known[0]
    alike = [r for r in known if KIND_OF[r.kind] == KIND_OF[best.kind]]
    cultures = dict.fromkeys(c for r in alike for c in r.cultures)
    if lexicon.source in cultures:
        cultures = {lexicon.source: None, **cultures}
    # A type is finer than a kind: its values can be exchanged.
    finest = next((r for r in alike if r.kind != best.kind), best) if best.kind == KIND_OF[best.kind] else best
    role = next((r.role for r in alike if r.role and r.kind == finest.kind), "")
    plain = next((r.plain for r in alike if r.plain), "")
    kind = finest.kind
    if kind in GIVEN and _FORMAL.search(text, max(0, start - 12), start) and not _CAPITALISED.match(text, end):
        kind = "surname"  # Ms. Parker
    return Span(index, start, end, surface, kind, tuple(cultures), role, plain, best.weight)


def _ends_word(text: str, end: int) -> bool:
    if end < len(text) and (text[end].isalnum() or text[end] == "_") and text[end - 1].isalnum():
        return False
    return text[end : end + 2].lower() != "'t"  # Don in "don't"


def _holds(reading: Reading, text: str, start: int, end: int, surface: str, names: Names) -> bool:
    if reading.exact and surface != reading.surface:
        # Surnames are written small where given names are.
        small = reading.kind == "surname" and surface.islower()
        if not small or not surname(text, start, end, names):
            return False
    if reading.article and text[max(0, start - 4) : start].lower() != "the ":
        return False
    if KIND_OF[reading.kind] == "geography" and " " not in surface and introduced(text, start, end, names):
        return False
    if reading.kind in GIVEN and len(surface) > 2 and surface.isupper() and not is_capitalised(text, start, end):
        return False  # JONAH among small letters is no Jonah but an acronym
    return not reading.needs or any(_CONTEXTS[need](text, start, end, names) for need in reading.needs)


_FORMAL = re.compile(r"(?<!\w)(?:mr|mrs|ms|mx|dr|prof|professor|judge|detective|sgt|lt)\.? \Z", re.IGNORECASE)
_CAPITALISED = re.compile(r" ([A-Z][a-z]+(?:[-'][A-Z][a-z]+)?)(?!\w)")


def _unknown_surname(text: str, span: Span, lexicon: Lexicon) -> Span | None:
    """The word with a capital after a given name: a surname, also if nobody lists it. It goes where the given name goes."""
    if span.kind not in ("name_f", "name_m", "name") or not span.surface[0].isupper():
        return None
    after = _CAPITALISED.match(text, span.end)
    if after is None or len(after[1]) < 4 or after[1].lower() in lexicon.readings or after[1].lower() in _WORDS:
        return None
    if is_capitalised(text, span.start, after.end()):
        return None
    return Span(span.text, after.start(1), after.end(), after[1], "surname", span.cultures, weight=span.weight)


def _match_patterns(text: str, small: str, index: int, lexicon: Lexicon) -> list[Span]:
    found = []

    def add(pattern: Pattern, match: re.Match[str] | None) -> None:
        cue = pattern.cue
        if match and match.end() > match.start():
            start, end = match.span()
            if not cue.needs or _CONTEXTS[cue.needs](text, start, end, lexicon.names):
                found.append(
                    Span(index, start, end, match.group(), cue.kind, cue.cultures, cue.role, cue.plain, cue.weight)
                )

    if not lexicon.patterns:
        return []
    for pattern in lexicon.patterns.get("", ()):
        for match in pattern.regex.finditer(text):
            add(pattern, match)
    for word in _WORD.finditer(small):
        start = word.start()
        for length in (1, 2, 3):
            for pattern in lexicon.patterns.get(small[start : start + length], ()):
                add(pattern, pattern.regex.match(text, start))
    return found


# --- the verdict ---

THRESHOLD = 0.5


# A cue of this weight or less says nothing by being one of many of its kind.
WEAK = 0.4


def score(spans: Iterable[Span]) -> float:
    """How far spans speak for a culture-specific row: 1 - the product of (1 - weight) over those that have a culture.

    What is named again says nothing new: each surface counts once. Of a kind's weak cues only the strongest counts ("lol"
    and "omg" are two words of one kind of English), and so do acts whose legality differs, however strong: a text about
    cannabis is about cannabis.
    """
    strong: dict[str, float] = {}
    weak: dict[str, float] = {}
    for span in spans:
        if span.cultures:
            kind = KIND_OF[span.kind]
            once = span.weight <= WEAK or kind == "jurisdiction"
            counted, key = (weak, kind) if once else (strong, _small(_straight(span.surface)))
            counted[key] = max(span.weight, counted.get(key, 0.0))
    return 1 - math.prod(1 - weight for weight in (*strong.values(), *weak.values()))


def _judge(spans: Iterable[Span]) -> Culture:
    spans = tuple(spans)
    value = score(spans)
    return Culture(value >= THRESHOLD, value, spans)


def segregate(row: Row, lexicon: Lexicon) -> Row:
    """Marks a row's spans. It is culture-specific if they speak for some culture, be it the source's or another."""
    return replace(
        row, culture=_judge(s for i, t in enumerate(row.texts) if t.source for s in find_spans(t.source, i, lexicon))
    )


def from_marks(row: Row, marks: Iterable[tuple[int, str, str, Sequence[str]]]) -> Culture:
    """The verdict on marks (text index, surface, kind, cultures) that somebody made, a model for one.

    Only what is true is kept: the kind is known, a culture is named, and the surface stands in the text, verbatim and as
    whole words. Every place where it stands is a span; where marks overlap the longest is.
    """
    found: dict[int, list[Span]] = defaultdict(list)
    for index, surface, kind, cultures in marks:
        cultures = tuple(dict.fromkeys(c for c in cultures if c))
        if not (0 <= index < len(row.texts) and surface.strip() and kind in KIND_OF and cultures):
            continue
        text, surface = row.texts[index].source or "", surface.strip()
        before, after = (r"(?<!\w)" if surface[0].isalnum() else ""), (r"(?!\w)" if surface[-1].isalnum() else "")
        for match in re.finditer(before + re.escape(surface) + after, text):
            found[index].append(
                Span(index, *match.span(), match.group(), kind, cultures, weight=default_weight(kind))
            )  # fmt: skip
    return _judge(s for i in sorted(found) for s in _apart(found[i], verbatim_stretches(row.texts[i].source or "")))


def combine(one: Culture, other: Culture) -> Culture:
    """What two methods say together: the spans of both, the longest where they overlap, `one`'s where they are equal.

    Each speaks for itself: the score is 1 - (1 - one's)(1 - other's).
    """
    by_text: dict[int, list[Span]] = defaultdict(list)
    for span in (*one.spans, *other.spans):
        by_text[span.text].append(span)
    value = 1 - (1 - one.score) * (1 - other.score)
    return Culture(value >= THRESHOLD, value, tuple(s for i in sorted(by_text) for s in _apart(by_text[i], ())))
