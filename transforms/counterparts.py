"""Finds what takes a thing's place in a locale: the pack's entry of its type, role and number that agrees with the rest of the row."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from schemas.hashing import number
from schemas.rows import Span
from transforms.culture_pack import SAFE_ROWS_ONLY, SORTS, WITHIN, CulturePack, Entry
from transforms.quantities import is_crisis_line
from transforms.things import GIVEN, Thing, base

# A plural of these is another kind of word: no plural is made of a singular ("sauerbratens").
NO_PLURALS = frozenset({"food", "drink", "sport", "holiday", "document"})
# A span's type, and the pack's types that may hold its counterpart, where it is not that type itself.
_ALSO = {
    ("institution", "tax_agency"): "tax_office",
    ("institution", "vehicle_office"): "vehicle_office",
    ("institution", "federal_police"): "police_body",
    ("institution", "highest_court"): "court",
    ("law", "health_privacy"): "privacy_law",
    ("law", "data_privacy"): "privacy_law",
}
# Fewer than so many that share the source's tags are too few to draw from: the same one would come again and again.
_ENOUGH = 3
# What would strike in a row that did not ask for it: a hamlet for New York, a grandmother's name for a daughter.
_MARKED = frozenset({"small", "old"})
_KIN = re.compile(
    r"\b(?:(?P<f>Ms\.|Mrs\.|Miss|aunt|auntie|mother|mom|sister|girlfriend|ex-girlfriend|wife|daughter|niece|grandmother|grandma"
    r"|queen|princess|woman|girl|lady)|(?:Mr\.|uncle|father|dad|brother|boyfriend|ex-boyfriend|husband|son|nephew|grandfather"
    r"|grandpa|king|prince|man|boy|guy)),? (?:named |called )?\Z",
    re.IGNORECASE,
)
# What a row says of a place's nature -> the tag that a place put there must have: nobody surfs in Hesse.
_NATURE = {
    "coast": re.compile(
        r"\b(?:beach(?:es)?|surf(?:ing|ed|ers?)?|ocean|seaside|snorkel(?:ing)?|harbor|lighthouse)\b", re.I
    ),
    "cold": re.compile(r"\b(?:snow(?:y|s|ed|storms?)?|ski(?:s|ing)?|snowboard(?:ing)?|blizzards?|icy roads?)\b", re.I),
    "desert": re.compile(r"\b(?:deserts?|cactus|cacti|canyons?)\b", re.I),
    "volcano": re.compile(
        r"\b(?:volcano(?:es)?|lava|glaciers?|hurricanes?|tornado(?:es)?|alligators?|northern lights)\b", re.I
    ),
    "gambling": re.compile(r"\b(?:casinos?|gambl(?:e|ing|ers?)|slot machines?|blackjack|roulette)\b", re.I),
}
# A day of mourning is one only where the row mourns; it is nobody's day for a sale, nor for a barbecue.
_MOURNS = re.compile(
    r"\b(?:graves?|cemetery|fallen|died|killed|honou?r(?:s|ed|ing)?|remember(?:s|ed|ing)?|remembrance|wreaths?|soldiers?|troops"
    r"|veterans(?!,? day)|memory|minute of silence|moment of silence)\b",
    re.IGNORECASE,
)
_SELLS = re.compile(r"\b(?:sales?|deals?|discounts?|coupons?|% off|percent off|mattress(?:es)?)\b", re.IGNORECASE)
FAITH = frozenset({"religion", "religion_custom"})
_ALSO_TYPES = {(also, role) for (_, role), also in _ALSO.items()}
_WORD_BEFORE = re.compile(r"([\w'-]+)(?:\s+\w\.)?\s+\Z")
_WORD_AFTER = re.compile(r"\s+(?:\w\.\s+)?([\w'-]+)")


def sorts_of(thing: Thing) -> set[str]:
    """What a company is, as far as a cue list or the source's pack says it: "pharmacy"."""
    return {thing.role} if thing.role else set(thing.entry.tags) if thing.entry else set()


def sport_of(club: Thing) -> str:
    """The sport that a club plays, as far as a cue list or the source's pack says it."""
    return club.role or club.within


def _is_like(entry: Entry, thing: Thing) -> bool:
    """Whether an entry is for what a thing is for: a shop of its sort, an office of its role."""
    if thing.kind in SORTS:
        return bool(sorts_of(thing) & SORTS[thing.kind] & set(entry.tags))
    if thing.kind in SAFE_ROWS_ONLY:
        return True  # banks and universities are alike; which sport a club plays is another question
    return entry.role == thing.role or (entry.type, thing.role) in _ALSO_TYPES


@dataclass
class Choice:
    """The state of choosing for one row."""

    row_id: str
    pack: CulturePack
    safe: bool
    real_names: bool
    texts: Sequence[str]
    spans: Sequence[Span]
    things: list[Thing]
    named: set[str]
    entries: dict[Thing, Entry] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def entry_for(self, thing: Thing) -> Entry | None:
        """The pack's entry that takes a thing's place, or None: then it stays."""
        if thing.kind == "news" and not self.safe:
            return None  # "a newspaper" is no forged one: what makes the row unsafe would be gone
        if thing.kind in SAFE_ROWS_ONLY and not (self.safe and self.real_names):
            generic = [e for e in self.pack.generic.get(thing.kind, ()) if self._is_free(e) and _is_like(e, thing)]
            return self._draw(thing, [e for e in generic if thing.kind != "club" or self._plays(e, thing)])
        if thing.kind == "holiday" and not self._is_kept_so(thing):
            return None
        if thing.kind in ("worship", "holiday") and any(t.kind in FAITH for t in self.things):
            return None  # a faith is not exchanged by halves
        if thing.kind == "worship" and not self.safe:
            return None
        entries = [
            e
            for e in self._listed(thing)
            if _is_like(e, thing)
            if thing.kind not in NO_PLURALS or e.plural == thing.plural
            if thing.plural or not e.plural
            if self._is_free(e)
        ]
        return self._draw(thing, self._of_well_known(thing, self._that_agree(thing, entries)))

    def _plays(self, club: Entry, thing: Thing) -> bool:
        """Whether a club without a name ("a soccer club") fits the sport that the row names."""
        sport = self._sport_of(thing)
        others = (e.en for e in self.pack.types.get("sport", ()) if e.en.casefold() != sport.casefold())
        return not sport or not any(re.search(rf"\b{re.escape(o)}\b", club.en) for o in others)

    def _is_kept_so(self, holiday: Thing) -> bool:
        """Whether the row keeps a holiday for what it is: it mourns on a day of mourning, and sells nothing on any but a sale's."""
        text = " ".join(self.texts)
        if holiday.role == "remembrance" and not _MOURNS.search(text):
            return False
        return holiday.role == "shopping" or not _SELLS.search(text)

    def _listed(self, thing: Thing) -> Sequence[Entry]:
        types = self.pack.types
        if thing.kind == "name":
            # Fixed for the row, so that one person does not change.
            return types.get(
                self._gender_of(thing) or ("name_f", "name_m")[number(self.row_id, self.pack.locale, thing.name) % 2],
                (),
            )
        if is_crisis_line(thing.name, thing.role):
            lines = [e for e in types.get("institution", ()) if e.role == "suicide_line"]
            return [e for e in lines if e.source != "authored"]
        if thing.kind == "address":
            return types.get("title", ()) if thing.role else ()
        listed = types.get(thing.kind, ())
        if not any(e.role == thing.role for e in listed):
            listed = types.get(_ALSO.get((thing.kind, thing.role), ""), listed)
        return listed

    def _gender_of(self, thing: Thing) -> str:
        """Whose name it is, where the row says it: "Aunt Robin", "my brother Alex"; "" where it does not."""
        for span, other in zip(self.spans, self.things, strict=True):
            if other == thing and (found := _KIN.search(self.texts[span.text], max(0, span.start - 40), span.start)):
                return "name_f" if found["f"] else "name_m"
        return ""

    def _is_free(self, entry: Entry) -> bool:
        name = base(entry.en)
        return name not in self.named and name not in self.taken

    def _draw(self, thing: Thing, entries: Sequence[Entry]) -> Entry | None:
        if not entries:
            return None
        wanted = set(thing.entry.tags) if thing.entry else set()
        entries = [e for e in entries if not _MARKED.intersection(e.tags) - wanted] or entries
        levels = sorted({len(wanted & set(e.tags)) for e in entries}, reverse=True)
        for level in levels:
            liked = [e for e in entries if len(wanted & set(e.tags)) >= level]
            if len(liked) >= _ENOUGH:
                break
        return liked[number(self.row_id, self.pack.locale, thing.kind) % len(liked)]

    def _that_agree(self, thing: Thing, entries: list[Entry]) -> list[Entry]:
        """Of entries those that agree with what the row names besides: a city's region, a club's sport."""
        whole = WITHIN.get(thing.kind)
        if thing.kind == "club":
            sport = self._sport_of(thing).casefold()
            return [e for e in entries if e.within.casefold() == sport] if sport else []
        if thing.kind == "sport":
            # One that has a club, where a club is named.
            clubs = [t for t in self.things if t.kind == "club" and sport_of(t) in ("", thing.name)]
            having = {e.within for e in self.pack.types.get("club", ())}
            return [e for e in entries if e.en in having] or entries if clubs else entries
        if thing.kind in ("city", "region"):
            said = {tag for tag, words in _NATURE.items() if any(map(words.search, self.texts))}
            entries = [e for e in entries if said <= set(e.tags)]
        within = self.within(thing)
        if whole and within:
            there = next((t for t in self.things if t.kind == whole and t.name == within), None)
            if there in self.entries:
                inside = [e for e in entries if e.within == self.entries[there].en]
                return inside or [e for e in entries if not e.within]
            if there and thing.kind == "city":
                entries = self._with_room(thing, entries)
            elif there:
                return []
        if thing.kind == "city":
            pupils = [t for t in self.things if t.kind == "university" and t.within in ("", thing.name)]
            for kind in {t.kind for t in pupils}:
                having = {e.within for e in self.pack.types.get(kind, ())}
                entries = [e for e in entries if e.en in having] or entries
        if thing.kind == "university":
            cities = {e.en for t, e in self.entries.items() if t.kind == "city"}
            return [e for e in entries if e.within in cities] or entries
        return entries

    def within(self, thing: Thing) -> str:
        """The base form of what a thing lies in: what stands right after it ("Dallas, Texas"), or what the pack says."""
        if thing.kind == "city":
            for (span, city), (after, region) in itertools.pairwise(zip(self.spans, self.things, strict=True)):
                beside = span.text == after.text and self.texts[span.text][span.end : after.start] in (", ", " ")
                if city == thing and region.kind == "region" and beside:
                    return region.name
        return thing.within

    def _with_room(self, thing: Thing, entries: list[Entry]) -> list[Entry]:
        """Cities in those regions that have as many as the row names in this one."""
        role = next((t.role for t in self.things if t.kind == "region" and t.name == self.within(thing)), "")
        regions = {e.en for e in self.pack.types.get("region", ()) if e.role == role and self._is_free(e)}
        entries = [e for e in entries if e.within in regions]
        within = self.within(thing)
        several = sum(t.kind == "city" and self.within(t) == within for t in set(self.things))
        counts = {region: sum(e.within == region for e in entries) for region in regions}
        enough = min(several, max(counts.values(), default=0))
        return [e for e in entries if counts[e.within] >= enough]

    def _sport_of(self, club: Thing) -> str:
        """The sport that a club of this row must play, as the pack calls it; "" if any."""
        sports = {t: self.entries[t].en if t in self.entries else t.name for t in self.things if t.kind == "sport"}
        for sport, value in sports.items():
            if sport_of(club) in ("", sport.name):
                return value
        return sport_of(club) or next(iter(sports.values()), "")

    def _of_well_known(self, thing: Thing, entries: list[Entry]) -> list[Entry]:
        """Entries that make no well-known person's name with what stands before or after them."""
        if not entries or not self.pack.real_people or thing.kind not in (*GIVEN, "surname"):
            return entries
        people = {p.casefold() for p in self.pack.real_people}
        sides = set(self._beside(thing))
        return [e for e in entries if not any(f"{a}{e.en}{b}".casefold() in people for a, b in sides)]

    def _beside(self, thing: Thing) -> Iterator[tuple[str, str]]:
        """("Anna ", "") and the like: the word before or after each span of a thing, as it will be."""
        at = {(s.text, s.end): t for s, t in zip(self.spans, self.things, strict=True)}
        starts = {(s.text, s.start): t for s, t in zip(self.spans, self.things, strict=True)}
        for span, other in zip(self.spans, self.things, strict=True):
            if other != thing:
                continue
            text = self.texts[span.text]
            if found := _WORD_BEFORE.search(text, max(0, span.start - 60), span.start):
                yield self._said(at.get((span.text, found.end(1))), found[1]) + " ", ""
            if found := _WORD_AFTER.match(text, span.end):
                yield "", " " + self._said(starts.get((span.text, found.start(1))), found[1])

    def _said(self, thing: Thing | None, word: str) -> str:
        return self.entries[thing].en if thing in self.entries else word
