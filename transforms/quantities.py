"""Quantities as American English writes them, said in a locale's units: amounts, measures, dates, phone numbers."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.hashing import number
from transforms.culture_pack import CulturePack, Measure, round_amount

KINDS = frozenset({"money", "distance", "weight", "temperature", "length", "volume", "area", "speed", "phone", "date"})
# Nobody means a quantity beyond this; far beyond it floats give out.
_LARGEST = 1e12


@dataclass(frozen=True)
class Said:
    """A quantity in a locale: in English, the spellings that a translation may have, and where the unit is from."""

    en: str
    natives: tuple[str, ...]
    source: str


# How an American unit is written -> (what it measures, how much of the metric unit it is).
_UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("mile", "mi"), ("distance", 1.609344)),
    **dict.fromkeys(("foot", "feet", "ft", "'", "’", "′"), ("length", 0.3048)),
    **dict.fromkeys(("inch", "inche", "in", '"', "”", "″"), ("length", 0.0254)),
    **dict.fromkeys(("yard", "yd"), ("length", 0.9144)),
    **dict.fromkeys(("pound", "lb"), ("weight", 0.45359237)),
    **dict.fromkeys(("ounce", "oz"), ("weight", 0.0283495)),
    "ton": ("weight", 907.185),
    **dict.fromkeys(("gallon", "gal"), ("volume", 3.78541)),
    **dict.fromkeys(("quart", "qt"), ("volume", 0.946353)),
    **dict.fromkeys(("pint", "pt"), ("volume", 0.473176)),
    "cup": ("volume", 0.236588),
    **dict.fromkeys(("fluid ounce", "fl oz"), ("volume", 0.0295735)),
    **dict.fromkeys(("square foot", "square feet", "sq ft", "sqft"), ("area", 0.092903)),
    "square yard": ("area", 0.836127),
    "acre": ("area", 4046.86),
    **dict.fromkeys(("mph", "mile per hour", "miles per hour", "mile an hour", "miles an hour", "miles/hour"), ("speed", 1.609344)),
    **dict.fromkeys(("degree fahrenheit", "degrees fahrenheit", "fahrenheit", "degree f", "degrees f", "°f", "° f", "f",
                     "degree", "°"), ("temperature", 1.0)),
    **dict.fromkeys(("$", "dollar", "buck", "usd", "us dollar", "us$", "$ dollar", "$ usd"), ("money", 1.0)),
    **dict.fromkeys(("cent", "¢"), ("money", 0.01)),
    **dict.fromkeys(("$ k", "k", "grand", "thousand dollar", "$ thousand", "k dollar", "thousand buck"), ("money", 1000.0)),
}  # fmt: skip
_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
# "$5-10", "200 to 500 pounds": what stands before both ends, the ends, what parts them, and the unit after them.
_RANGE = re.compile(rf"(\$?)\s?({_NUMBER})(\s?[-–]\s?| (?:to|or|and) )\$?\s?({_NUMBER})(\D*)", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_HEIGHT = re.compile(
    r"(\d)\s?(?:'|’|′|ft|feet|foot)\s?(?:and )?(\d\d?)\s?(?:\"|”|″|''|in|inch|inches)?\.?", re.IGNORECASE
)
_ONES = """one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {word: value for value, word in enumerate(_ONES.split(), 1)}
_WORDS |= {word: 10 * n for n, word in enumerate(_TENS.split(), 2)}
_WORDS |= {"a hundred": 100, "one hundred": 100, "a thousand": 1000, "one thousand": 1000}
_SPELLED = re.compile(rf"({'|'.join(sorted(_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)


def quantity(kind: str, surface: str) -> tuple[str, float] | None:
    """(what it measures, how much in the metric unit, or in dollars, or in degrees Fahrenheit), as far as it can be read.

    None for what is no single number, is below zero, or has a unit that nobody here knows.
    """
    height = _HEIGHT.fullmatch(surface)
    if height and kind == "length":
        return "length", int(height[1]) * 0.3048 + int(height[2]) * 0.0254
    found = _DIGITS.findall(surface) or _SPELLED.findall(surface)
    if len(found) != 1 or surface[0] in "-−–":
        return None
    digits = found[0]
    unit = re.sub(r"[\s.-]+", " ", surface.casefold().replace(digits.casefold(), " ", 1)).strip()
    measure = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
    if measure is None or measure[0] != kind:
        return None
    value = float(_WORDS[digits.casefold()]) if digits.casefold() in _WORDS else float(digits.replace(",", ""))
    return (kind, value * measure[1]) if value <= _LARGEST else None


def ends_of(kind: str, surface: str) -> tuple[tuple[str, float], ...]:
    """What `quantity` reads, of both ends of a range; nothing where one of them cannot be read."""
    found = _RANGE.fullmatch(surface)
    if found is None or (kind == "length" and _HEIGHT.fullmatch(surface)):
        single = quantity(kind, surface)
        return (single,) if single else ()
    sign, low, _, high, unit = found.groups()
    read = [quantity(kind, f"{sign}{end}{unit}") for end in (low, high)]
    return tuple(end for end in read if end) if all(read) else ()


def convert(kind: str, surface: str, pack: CulturePack, joined: bool) -> Said | None:
    """The quantity in the pack's unit, rounded as people would say it; None where that cannot be done well.

    Args:
        joined: whether a noun follows that it stands before: "a 15-euro ticket".
    """
    ends = ends_of(kind, surface)
    rounded = [_rounded(read, value, surface, pack) for read, value in ends]
    measure = rounded[0][0] if rounded else None
    amounts = [amount for _, amount in rounded]
    if measure is None or any(other is not measure for other, _ in rounded):
        return None
    if amounts[0] < 2 or len(set(amounts)) < len(amounts):
        return None  # singular forms differ; the pack's patterns are for two and more
    natives = [measure.in_native(*amounts, to="-")]
    to = ""
    if len(amounts) > 1:
        # However a language joins the two ends, the unit follows the second.
        natives.append(measure.in_native(amounts[1]))
        parting = _RANGE.fullmatch(surface)
        to = parting[3] if parting and parting[3].strip().isalpha() else "-"
    english = measure.in_english(*amounts, to=to)
    if joined:
        english = measure.joined.replace("{n}", to.join(map(measure.digits, amounts))) or _joined(english)
        natives.insert(1, natives[0].replace(" ", "-"))
    return Said(english, tuple(dict.fromkeys(natives)), measure.source)


def _rounded(kind: str, value: float, surface: str, pack: CulturePack) -> tuple[Measure | None, int]:
    measures = pack.measures
    measure = measures.get(kind)
    if kind == "money":
        return measure, round_amount(value * measure.per_usd) if measure else 0
    if kind == "temperature":
        celsius = (value - 32) * 5 / 9
        return measure, round(celsius / 5) * 5 if celsius >= 100 else round(celsius)
    if kind == "distance" and value < 2 and "length" in measures:
        return measures["length"], round_amount(value * 1000)
    if kind == "weight" and value < 2 and "small_weight" in measures:
        return measures["small_weight"], round_amount(value * 1000)
    if kind == "length" and value < 3:
        small = measures.get("small_length")
        # A person's height is said exactly; a shelf's length is not.
        exact = 1.2 <= value <= 2.2 or value < 0.2
        return small, round(value * 100) if exact else round(value * 20) * 5
    if kind in ("weight", "distance") and value >= 20 and _RANGE.fullmatch(surface):
        return measure, round_amount(value)  # the ends of a range are round: "90 to 230 kilograms"
    if kind in ("speed", "volume") and 15 <= value < 200:
        return measure, round(value / 5) * 5
    return measure, round_amount(value) if value >= 100 else round(value) or int(kind in ("distance", "weight"))


def _joined(english: str) -> str:
    """ "15 euros" as it stands before a noun: "15-euro"; a unit of several words only loses its plural."""
    found = re.fullmatch(r"([\d,]+(?:(?:-| to | or | and )[\d,]+)?) (\D+?)s?", english)
    if found is None:
        return english
    return f"{found[1]} {found[2]}" if " " in found[2] else f"{found[1]}-{found[2]}"


_BEFORE_RANGE = re.compile(
    rf"(?:\d|\b(?:{'|'.join(w for w in _WORDS if ' ' not in w)}|few|couple))\s?(?:to|or|-|–)\s?\Z"
    rf"|\bbetween (?:[\d.,]+|{'|'.join(w for w in _WORDS if ' ' not in w)}) and \Z",
    re.IGNORECASE,
)


def is_half(before: str) -> bool:
    """Whether what stands before a quantity is the other end of a range ("five to ten dollars"): half of it is not converted."""
    return _BEFORE_RANGE.search(before) is not None


_DATE = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(\d{4}|\d{2})")


def convert_date(surface: str, pack: CulturePack) -> Said | None:
    """A numeric American date in the pack's order; None where it could be read in two ways, is none, or stays the same."""
    found = _DATE.fullmatch(surface)
    if pack.date is None or found is None:
        return None
    month, day, year = found[1], found[3], found[4]
    try:
        datetime.date(int(year) if len(year) == 4 else 2000, int(month), int(day))
    except ValueError:
        return None
    if (int(day) <= 12 and int(day) != int(month)) or (len(year) == 2 and pack.date.order == "YMD"):
        return None
    if pack.date.order == "YMD" and pack.date.sep == "-":
        month, day = month.zfill(2), day.zfill(2)
    parts = {"D": day, "M": month, "Y": year}
    written = pack.date.sep.join(parts[p] for p in pack.date.order)
    padded = pack.date.sep.join(parts[p].zfill(2) for p in pack.date.order)
    bare = pack.date.sep.join(parts[p].lstrip("0") if p != "Y" else year for p in pack.date.order)
    return Said(written, tuple(dict.fromkeys((written, padded, bare))), "cldr") if written != surface else None


def draw_phone(surface: str, pack: CulturePack, row_id: str, meant: Mapping[tuple[str, str], object]) -> Said | None:
    """A number of the range that the pack's country reserves for fiction: never one that somebody could have.

    Args:
        meant: (kind, number) -> what it stands for, of the numbers that the row has been given already.
    """
    if pack.phone is None:
        return None
    for step in range(1000):
        drawn = number(row_id, surface) + step
        phone = pack.phone.replace("{nnn}", f"{drawn % 1000:03d}").replace("{nn}", f"{drawn % 100:02d}")
        if meant.get(("phone", phone), surface) == surface:
            return Said(phone, (phone,), "reserved for fiction")
    return None


# Numbers that help in a crisis: the lifeline's, its former one, the crisis text line's.
_CRISIS = frozenset({"988", "18002738255", "8002738255", "741741"})


def is_crisis_line(surface: str, role: str) -> bool:
    """Whether a span names help in a crisis: exchanged for a sourced counterpart or not at all."""
    folded = surface.casefold()
    return (
        role == "suicide_line"
        or re.sub(r"\D", "", surface) in _CRISIS
        or ("suicide" in folded or ("crisis" in folded and "line" in folded))
    )
