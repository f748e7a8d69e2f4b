"""Culture packs: what a locale calls its people, places, food, offices and measures, loaded from data/culture/."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from data import resource

# A value of these kinds names a real company, club or newsroom.
REAL_ORGANISATIONS = frozenset({"club", "retailer", "bank", "news"})
# Swapped in safe rows only: no real organisation is put into an unsafe row, and the religious group that a hateful row may
# be aimed at is not exchanged for another.
SAFE_ROWS_ONLY = REAL_ORGANISATIONS | {"worship"}


@dataclass(frozen=True)
class Entry:
    """One value of a pack: how English text names it, how the locale names it, and where that is from.

    Attributes:
        role: what it is for within its type (an exam that ends school, a feast of the family); an entry that has one is
            exchanged for entries of the same role only.
    """

    type: str
    en: str
    native: str
    source: str
    role: str = ""
    forms: Mapping[str, str] = field(default_factory=dict)

    def natives(self) -> tuple[str, ...]:
        """Every native spelling that counts as this entry in a translation."""
        return (self.native, *self.forms.values())


@dataclass(frozen=True)
class Measure:
    """How a locale writes one kind of quantity. `en` and `native` hold `{n}`; `group` separates native thousands."""

    type: str
    en: str
    native: str
    source: str
    per_usd: float = 0.0
    group: str = ","

    def in_english(self, number: int) -> str:
        return self.en.replace("{n}", f"{number:,}")

    def in_native(self, number: int) -> str:
        return self.native.replace("{n}", f"{number:,}".replace(",", self.group))


@dataclass(frozen=True)
class CulturePack:
    """Everything one locale file says. `local_measures` are those it writes as American English does."""

    locale: str
    language: str
    types: Mapping[str, tuple[Entry, ...]]
    measures: Mapping[str, Measure]
    local_measures: frozenset[str]
    phone: str | None
    address: tuple[str, ...]

    def role_of(self, kind: str, en: str) -> str:
        """The role of an entry by its English form, "" if it has none."""
        return next((e.role for e in self.types.get(kind, ()) if e.en.casefold() == en.casefold()), "")

    def entries(self) -> list[Entry]:
        return [entry for entries in self.types.values() for entry in entries]


def round_amount(value: float) -> int:
    """Rounds to a whole number below 20, to fives below 100, else to two significant digits: amounts as people say them."""
    if value < 20:
        return max(1, round(value))
    step: int = 10 ** (int(math.log10(value)) - 1)
    if step == 1:
        step = 5
    return round(value / step) * step


def _entry(kind: str, raw: Any, source: str) -> Entry:
    if isinstance(raw, str):
        return Entry(kind, raw, raw, source)
    unknown = set(raw) - {"en", "native", "forms", "source", "role"}
    if unknown or not raw.get("en"):
        raise ValueError(
            f"{kind}: entry {raw!r} needs `en`, and may have native, role, forms, source; not {sorted(unknown)}"
        )
    return Entry(
        kind,
        raw["en"],
        raw.get("native", raw["en"]),
        raw.get("source", source),
        raw.get("role", ""),
        raw.get("forms", {}),
    )


@functools.cache
def load_pack(locale: str) -> CulturePack:
    """Loads the pack of a BCP-47 locale.

    Raises:
        ValueError: there is no such pack, or an entry is malformed; says which file.
    """
    path = f"culture/{locale}.yaml"
    try:
        raw = yaml.load(resource(path).read_text("utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError:
        raise ValueError(f"no culture pack for {locale!r}: add data/{path} (docs/culture.md shows how)") from None
    try:
        types = {
            kind: tuple(_entry(kind, item, group["source"]) for item in group["entries"])
            for kind, group in raw["types"].items()
        }
        measures = {
            kind: Measure(kind, m["en"], m["native"], m["source"], float(m.get("per_usd", 0)), m.get("group", ","))
            for kind, m in raw["measures"].items()
            if m != "local"
        }
        return CulturePack(
            raw["locale"],
            raw["language"],
            types,
            measures,
            frozenset(raw["measures"]) - frozenset(measures),
            (raw.get("phone") or {}).get("example"),
            tuple((raw.get("address") or {}).get("forms", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"data/{path}: {error}") from error
