"""Finds quantities as American English writes them: money, measures, dates, phone numbers; and other countries' money."""

from __future__ import annotations

import re

from schemas.rows import Span
from transforms.contexts import STATE_CODES
from transforms.cues import WEIGHT

# Quantities as American English writes them; one of the groups is the number. Not half a number, one end of a range,
# what is below zero, nor the first of two units: converting those would say something else.
_NUMBER = r"(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_NOT_WITHIN = r"(?<![\w.,/\u2212\u2013-])(?<!\d to )(?<!\d or )(?<!\d and )(?<!\d - )(?<!minus )(?<!negative )(?<![\u00a3\u20ac$])"
_WHOLE = rf"{_NOT_WITHIN}{_NUMBER}"
_LARGE = r"(?i:hundred|thousand|million|billion|trillion|grand|bn|mn|[kmb])\b"
# One number and one unit: `transforms.quantities` reads the surface again and converts it. The first group that matched is the
# number; where a type is written in several units, the group `unit` says which (`UNITS`).
MEASURE_PATTERNS = {
    "money": re.compile(
        rf"(?<![\w$])\$\s?{_NUMBER}(?![\d,.]*\d)(?!\w)(?![\s-]*{_LARGE})"
        r"(?!(?:\s?[\u2013-]\s?\$?| to \$?| or \$?)\d)(?: dollars\b)?"
        rf"|{_WHOLE} (?:dollars|bucks)\b(?! and \d+ cents)"
    ),
    "distance": re.compile(rf"{_WHOLE} miles?\b(?! per|/| to the gallon| an hour)"),
    "weight": re.compile(
        rf"{_WHOLE} ?(?:pounds?|lbs?)\b(?! per|/| sterling| of (?:force|pressure|thrust)|,? (?:and )?\d+ (?:ounces?|oz))"
    ),
    "temperature": re.compile(rf"{_WHOLE}(?: degrees Fahrenheit| degrees F|\s?\u00b0\s?F)\b"),
    "phone": re.compile(r"(?<![\w+-])(?:\+?1[ -])?(?:\(\d{3}\) ?|\d{3}[ -])?(555-01\d\d)(?![\w-])"),
    "length": re.compile(rf"{_WHOLE} ?(?P<unit>feet|foot|ft|inch(?:es)?|yards?)\b(?!,? (?:and )?\d| per|/)"),
    "volume": re.compile(
        rf"{_WHOLE} ?(?P<unit>gallons?|fluid ounces?|fl\.? ?oz|cups|pints?|quarts?)\b(?! per|/| of (?:coffee|tea)\b)"
    ),
    "area": re.compile(rf"{_WHOLE} ?(?P<unit>acres?|square (?:feet|foot|miles?|yards?|inch(?:es)?)|sq\.? ?ft)\b"),
    "speed": re.compile(rf"{_WHOLE} ?(?P<unit>mph|miles (?:per|an) hour|miles/hour)\b"),
}
# What stands for "unit", in small letters and singular, is one of these.
UNITS = {
    "length": ("foot", "inch", "yard"),
    "volume": ("gallon", "fluid ounce", "cup", "pint", "quart"),
    "area": ("acre", "square foot", "square mile", "square yard", "square inch"),
    "speed": ("mile per hour",),
}

_COUNTED = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|"
    r"ninety|hundreds?|thousands?|dozens?|few|several|couple|half|quarter|third|of|and"
)
# The article of "a ten-mile walk" is the walk's; "a mile" and "a cup" are figures of speech, or nobody's.
_ARTICLE = r"an?(?! [\w-]{1,20}-[a-z]{3,7}\b)(?:(?<=half a)|(?! (?:mile|pound|foot|inch|yard|cup|pint|quart|ounce)\b))"
_AMOUNT = rf"(?<!\w)(?!and |of )(?:(?:{_ARTICLE}|{_COUNTED})[ -]){{1,5}}"
_N = r"(?:\d{1,3}(?:,\d{3}){1,5}(?!\d)|\d{1,15})(?:\.\d{1,6})?"
_DIGITS = rf"(?<![\w.,/$-]){_N}"
_TO = r" ?(?:-|\u2013|to|or|and) ?"
_RANGE = rf"{_DIGITS}(?:{_TO}{_N})?[ -]?"
_FRACTION = r"(?<![\w.,/-])(?:\d{1,4} ?)?(?:\d/\d{1,2}|[\u00bc-\u00be\u2150-\u215e])[ -]?"
_OF = rf"(?:{_AMOUNT}|{_RANGE}|{_FRACTION})"
# "How many miles is it?", "convert to inches": the unit alone.
_IN_UNITS = r"(?:(?<=\bhow many )|(?<=\bto )|(?<=\bin )|(?<=\binto ))"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_MDY = r"(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])"
_CODES = "|".join(sorted(STATE_CODES))
# Evidence just as well, but nothing that can be converted: ranges, words for numbers, two units, round millions.
DETECTED_PATTERNS = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "money": (
            rf"(?<![\w$])(?:us ?)?\$ ?{_N}(?:{_TO}\$?{_N})?(?:[ -]?{_LARGE}(?:[ -]dollars?\b)?|(?![\d$a-z]))"
            rf"|(?<!\w)USD ?{_N}\b|{_DIGITS} ?USD\b"
            rf"|{_DIGITS}(?:{_TO}{_N})?(?:[ -]?{_LARGE}){{0,2}}[ -](?:dollars?|bucks)\b(?: (?:and|n|&) \d{{1,2}} cents\b)?"
            rf"|{_DIGITS}(?: cents?\b| ?\u00a2)"
            rf"|(?<!\w)(?!and |of )(?:(?:{_ARTICLE}|{_COUNTED}|millions?|billions?|trillions?|multi)[ -]){{1,6}}"
            r"(?:dollars?|bucks|cents)\b|(?<!\w)dollars?\b"
        ),
        "distance": rf"{_OF}miles?\b(?! (?:per|an) (?:hour|gallon)|/| to the gallon)|{_IN_UNITS}(?-i:miles)\b(?! per|/)",
        "weight": (
            rf"(?:{_AMOUNT}|{_RANGE}|{_FRACTION})(?:pounds?|lbs?|ounces?|oz)\b"
            r"(?:,? (?:and )?\d+ ?(?:ounces?|oz)\b)?(?! sterling| of (?:force|pressure|thrust)| per|/)"
        ),
        "temperature": (
            rf"(?:(?<!\w)(?:[-\u2212]|minus |negative )\d{{1,3}} ?|{_RANGE})(?:degrees? (?:Fahrenheit|F)|\u00b0 ?F)\b"
            r"|(?<!\w)fahrenheit\b"
            # Nobody survives as much in Celsius.
            r"|(?<!\w)(?:(?:fifty|sixty|seventy|eighty|ninety)(?:-\w{3,5})?|[5-9]\d|1[01]\d) degrees"
            r"(?= (?:out|outside|today|in the shade|weather)\b)"
        ),
        "length": (
            r"(?<![\w.,/'-])[3-8] ?' ?(?:1[01]|\d)(?:\.5)?(?: ?\"|'')?(?!\w)"
            r"|(?<![\w.,/-])\d{1,3} ?(?:feet|foot|ft\.?),? (?:and )?\d{1,2}(?: ?(?:inch(?:es)?|in\b\.?|\"))?(?!\w)"
            r"|(?<![\w.,/-])(?:\d|four|five|six|seven)[ -](?:foot|feet)[ -](?:\d{1,2}|one|two|three|four|five|"
            r"six|seven|eight|nine|ten|eleven)\b"
            rf"|{_OF}(?:feet|foot|ft|inch(?:es)?|yards?)\b"
            rf"|{_IN_UNITS}(?:feet and inches|inches)\b"
            r"|(?<![\w.,/-])\d+ ?\"(?= (?:tall|long|wide|deep|screen|barrel|blade))"
        ),
        "volume": rf"{_OF}(?:gallons?|fl(?:uid|\.)? ?(?:ounces?|oz)|cups?|pints?|quarts?)\b(?! per|/| of (?:coffee|tea)\b)",
        "area": rf"{_OF}(?:acres?|square[ -](?:feet|foot|miles?|yards?|inch(?:es)?)|sq\.? ?ft)\b",
        "speed": rf"{_OF}(?:mph|miles (?:per|an) hour|miles/hour)\b",
        "phone": (
            r"(?<![\w+-])(?:\+?1[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])?555[ .-]\d{4}(?![\w-])"
            r"|(?<![\w+-])(?:\+?1[ .-])?\(?8(?:00|33|44|55|66|77|88)\)?[ .-]\d{3}[ .-]\d{4}(?![\w-])"
            r"|(?<![\w+-])(?:\+?1[ .-])?(?:\(\d{3}\) ?|\d{3}[-.])\d{3}[-.]\d{4}(?![\w-])"
        ),
        "date": (
            rf"(?<![\w/.,$-]){_MDY}/(?:(?:19|20)\d\d|\d\d)(?![\w/-])"
            r"|(?<![\w/.,$-])(?<=\b(?:on|by) )(?:0?[1-9]|1[0-2])/(?:1[3-9]|2\d|3[01])(?![\w/-])"
            rf"|(?<!\w){_MONTH} \d{{1,2}}(?:st|nd|rd|th)?, ?(?:1[5-9]|20)\d\d(?!\w)"
        ),
        "money_unit": (
            rf"(?<=\b(?-i:{_CODES}) )\d{{5}}(?:-\d{{4}})?(?![\w-])"
            rf"|{_RANGE}(?:miles (?:per|to the) gallon|mpg|psi|pounds per square inch|pounds? of (?:force|pressure|thrust))\b"
        ),
    }.items()
}
# Words of which one stands in whatever the patterns above find: what has none is not searched.
_HINTS = {
    "money": ("$", "dollar", "buck", "cent", "usd", "\u00a2"),
    "distance": ("mile",),
    "weight": ("pound", "lb", "ounce", "oz"),
    "temperature": ("\u00b0", "degree", "fahrenheit"),
    "length": ("feet", "foot", "ft", "inch", "yard", "'", '"'),
    "volume": ("gallon", "fl", "cup", "pint", "quart"),
    "area": ("acre", "square", "sq"),
    "speed": ("mph", "mile"),
    "phone": ("-", ".", " "),
    "date": ("/", ","),
    "money_unit": ("gallon", "mpg", "psi", "inch", "pound", *(f"{code.lower()} " for code in STATE_CODES)),
}
# The culture whose way of writing the patterns above are.
LOCALE = "en-US"
# Money that says whose it is.
_CURRENCIES = (
    (re.compile(rf"(?<!\w)\u00a3 ?{_N}(?: ?{_LARGE})?|{_DIGITS} (?:pounds sterling|quid)\b"), ("en-GB",)),
    (re.compile(rf"(?<!\w)\u20ac ?{_N}(?: ?{_LARGE})?|{_DIGITS} ?(?:\u20ac|euros?\b)"), ("de-DE", "fr-FR", "es-ES")),
    (re.compile(rf"(?<!\w)\u20b9 ?{_N}|{_DIGITS} rupees\b|\bRs\.? ?{_N}"), ("en-IN", "hi-IN")),
    (re.compile(rf"(?<!\w)\u00a5 ?{_N}|{_DIGITS} yen\b"), ("ja-JP",)),
)  # fmt: skip


def find_measures(text: str, small: str, index: int) -> list[Span]:
    """Every quantity of a text; they may overlap.

    Args:
        small: the text in small letters.
        index: of the text in its row.
    """
    found = []
    for patterns in (MEASURE_PATTERNS, DETECTED_PATTERNS):
        for kind, pattern in patterns.items():
            if any(hint in small for hint in _HINTS[kind]):
                found += [
                    Span(index, m.start(), m.end(), m.group(), kind, (LOCALE,), weight=WEIGHT)
                    for m in pattern.finditer(text)
                ]
    for pattern, cultures in _CURRENCIES:
        found += [
            Span(index, m.start(), m.end(), m.group(), "money", cultures, weight=WEIGHT) for m in pattern.finditer(text)
        ]
    return found
