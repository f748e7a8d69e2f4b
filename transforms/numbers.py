"""Compares the numbers of a text and its translation: digits of any script, words, magnitudes, dates and times of day."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from data import resource
from schemas.locales import Language

# Groups of three (or of two and three, as in India) behind one kind of separator, then decimals.
_TOKEN = re.compile(r"\d+(?:[.,٬٫'’ \u00a0\u202f]\d+)*")
_GROUPED = re.compile(r"\d{1,3}([.,٬'’ \u00a0\u202f])(?:\d{2,3}\1)*\d{3}(?:[.,٫]\d+)?")
_TIME = re.compile(
    r"(?<!\d)(\d{1,2})(?:[:：h]|\s?[時时点點시]\s?|\.(?=\d\d\s?(?:uhr|[ap]\.?\s?m\b|h\b)))(\d{2})(?!\d)", re.IGNORECASE
)
_AFTERNOON = re.compile(
    r"\s*(?:p\.?\s?m\b|uhr (?:abends|nachmittags)|de la (?:tarde|noche)|du soir|de l.après-midi|مساء|م(?!\w))", re.I
)
_AFTERNOON_BEFORE = re.compile(r"(?:下午|晚上|夜|午後|오후|शाम|दोपहर|رात)\s*$")
_DECADE = re.compile(r"\s?['’]?(?:s|年代|er)")
_HAN = re.compile("[〇零一二两兩三四五六七八九十百千万萬亿億]+")
_HAN_DIGITS = {c: i for i, c in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "兆": 10**12,
          "백": 100, "천": 1000, "만": 10**4, "억": 10**8, "조": 10**12}  # fmt: skip
# "1万8千257", "20多万", "14 亿".
_MIXED_PART = re.compile(r"(\d[\d,.]*)\s?[多余餘数數]?\s?([十百千万萬亿億兆백천만억조]*)")
_MIXED = re.compile(
    r"\d[\d,.]*\s?[多余餘数數]?\s?[十百千万萬亿億兆백천만억조]+(?:\s?\d[\d,.]*\s?[十百千万萬亿億兆백천만억조]*)*"
)
_HAN_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_ROMAN = re.compile(r"\b(?=[IVX])(X{0,3})(IX|IV|V?I{0,3})\b")
# "2019–20": the second year lacks its century.
_RANGE = re.compile(r"(?<!\d)(\d{2})\d{2}\s?[-–—/]\s?$")
_BUDDHIST = 543


@dataclass(frozen=True)
class Number:
    """One number in digits.

    Attributes:
        values: what it may mean: a comma may part thousands or decimals.
        spoken: what all must be named where it is written out: the hour and the minutes of a time of day.
        of_name: whether it is the end of a word, such as a speaker's tag (PERSON8) or H5N1.
    """

    values: frozenset[float]
    digits: str
    spoken: frozenset[float] = frozenset()
    of_name: bool = False


@dataclass(frozen=True)
class _Words:
    values: Mapping[str, tuple[float, ...]]
    times: Mapping[str, float]
    pattern: re.Pattern[str]
    multiplier: re.Pattern[str]


@functools.cache
def _load(code: str) -> _Words:
    raw = yaml.safe_load(resource(f"numbers/{code}.yaml").read_text("utf-8"))
    values: dict[str, tuple[float, ...]] = {}
    for value, words in raw["words"].items():
        for word in words:
            values[word] = (*values.get(word, ()), float(value))
    times = {word: float(value) for value, words in raw["times"].items() for word in words}

    def one_of(words: Iterator[str] | list[str]) -> str:
        return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))

    spaced = code not in ("jpn_Jpan", "tha_Thai", "zho_Hans", "zho_Hant", "kor_Hang")
    edge = (r"(?<!\w)", r"(?!\w)") if spaced else ("", "")
    # German writes numbers as one word, and Arabic and Spanish put "and" before the word.
    inside = code in ("deu_Latn",)
    pattern = one_of(list(values)) if inside else f"{edge[0]}[وبل]?(?:{one_of(list(values))}){edge[1]}"
    pattern = pattern if code == "arb_Arab" or inside else f"{edge[0]}(?:{one_of(list(values))}){edge[1]}"
    after = rf"[\s\u00a0\u202f-]*(?:{one_of(list(times))})" + (r"(?!\w)" if spaced else "")
    return _Words(values, times, re.compile(pattern, re.I), re.compile(after, re.I))


def _fold(text: str) -> str:
    """Digits of every script, and full-width ones, as ASCII."""
    if text.isascii():
        return text
    return re.sub(r"\d", lambda m: str(int(m.group())), text)


def read_numbers(folded: str, language: Language) -> tuple[list[Number], set[float]]:
    """(the numbers in digits, the centuries that they name) of a text whose digits are ASCII."""
    words = _load(language.code)
    numbers: list[Number] = []
    spans: list[tuple[int, int]] = []
    centuries: set[float] = set()
    for m in _TIME.finditer(folded):
        hour, minute = int(m[1]), int(m[2])
        if hour <= 24 and minute < 60:
            spans.append(m.span())
            digits = m[1].lstrip("0") + ("" if minute == 0 else m[2])
            values = {float(hour) + minute / 60, float(hour % 12) + minute / 60, float(hour % 12 + 12) + minute / 60}
            values |= _readings(m.group()) | ({float(hour * 100 + minute)})
            numbers.append(Number(frozenset(values), digits, frozenset((float(hour % 12), float(minute)))))
    if language.scripts[0] in ("Han", "Hangul"):
        for m in _MIXED.finditer(folded):
            spans.append(m.span())
            value = sum(
                float(n.replace(",", "")) * math.prod(_UNITS[u] for u in us) for n, us in _MIXED_PART.findall(m.group())
            )
            numbers.append(Number(frozenset({float(f"{value:.10g}")}), ""))
    for m in _TOKEN.finditer(folded):
        if any(a < m.end() and m.start() < b for a, b in spans):
            continue
        for part in _parts(m.group()):
            values = _readings(part)
            end = m.end()
            unit = words.multiplier.match(folded, end)
            if unit:
                factor = words.times[unit.group().strip(" \u00a0\u202f\t-").casefold()]
                values |= {float(f"{v * factor:.10g}") for v in values}
            if len(part) <= 2 and (_AFTERNOON.match(folded, end) or _AFTERNOON_BEFORE.search(folded, 0, m.start())):
                values |= {v + 12 for v in values}
            if len(part) == 4 and part.isdigit() and part.endswith("0") and _DECADE.match(folded, end):
                values.add(float(part[2:]))
                centuries.add(float(part[:2]) + 1)  # the 1970s are the seventies of the 20th century
            if len(part) == 2 and (century := _RANGE.search(folded, max(0, m.start() - 6), m.start())):
                values.add(float(century[1] + part))
            if language.code == "tha_Thai" and part.isdigit() and 2400 <= int(part) <= 2700:
                values.add(float(int(part) - _BUDDHIST))
            before = folded[max(0, m.start() - 1) : m.start()]
            of_name = before.isalpha() and before.isascii()
            numbers.append(Number(frozenset(values), re.sub(r"\D", "", part).lstrip("0"), of_name=of_name))
    return numbers, centuries


def _parts(token: str) -> list[str]:
    """One number as it is grouped, or several that only stand beside each other ("2019 2020", "1, 2")."""
    if _GROUPED.fullmatch(token):
        return [token]
    return [p for p in re.split(r"[ '’\u00a0\u202f]", token) if p]


def _readings(token: str) -> set[float]:
    """What digits with separators may mean: separators of thousands, or a decimal comma or point."""
    found: set[float] = set()
    bare = re.sub(r"\D", "", token)
    if bare:
        found.add(float(bare))
    for mark in ".,٫":
        head, dot, tail = token.rpartition(mark)
        if dot and tail.isdigit():
            found.add(float(f"{re.sub(r'[^0-9]', '', head) or 0}.{tail}"))
    return found


def _named(text: str, language: Language) -> Iterator[float]:
    """The values that words or other numerals name."""
    words = _load(language.code)
    found: list[tuple[int, int, float]] = []
    for m in words.pattern.finditer(text):
        key = m.group().casefold()
        if language.code == "arb_Arab" and key not in words.values:
            key = key[1:]
        for value in words.values.get(key, ()):
            yield value
            found.append((m.start(), m.end(), value))
    yield from _compounds(text, found)
    if language.code in ("jpn_Jpan", "zho_Hans", "zho_Hant", "kor_Hang"):
        for m in _HAN.finditer(text):
            yield from _han(m.group())
    if language.scripts == ("Latin",):
        for m in _ROMAN.finditer(text):
            yield float(10 * len(m[1]) + {"": 0, "IX": 9, "IV": 4}.get(m[2], 5 * ("V" in m[2]) + m[2].count("I")))
    for m in words.multiplier.finditer(text):
        yield words.times.get(m.group().strip(" \u00a0\u202f\t-").casefold(), 0.0)


def _compounds(text: str, found: list[tuple[int, int, float]]) -> Iterator[float]:
    """The values of number words in a row: twenty-five, two hundred and fifty, fünfundzwanzig (the small one first)."""
    total, held, last = 0.0, 0.0, -9
    for start, end, value in found:
        between = text[last:start] if last >= 0 else ""
        if last < 0 or len(between) > 5 or not re.fullmatch(r"[\s-]*(?:and|und|et|y|e|و)?[\s-]*و?", between, re.I):
            total, held = 0.0, value
        elif value in (100, 1000):
            held = max(held, 1) * value
            if value == 1000:
                total, held = total + held, 0.0
        else:
            held += value
        last = end
        yield total + held


def _han(numeral: str) -> Iterator[float]:
    """The value of a numeral in Chinese characters, by position ("二〇一九") or by units ("二十三")."""
    if all(c in _HAN_DIGITS for c in numeral):
        yield float("".join(str(_HAN_DIGITS[c]) for c in numeral))
        if len(numeral) > 1:
            yield from (float(_HAN_DIGITS[c]) for c in numeral)  # 三四, three or four
        return
    total = section = digit = 0
    for c in numeral:
        if c in _HAN_DIGITS:
            digit = _HAN_DIGITS[c]
        elif c in _HAN_UNITS:
            section += (digit or 1) * _HAN_UNITS[c]
            digit = 0
        else:
            total += (section + digit or 1) * _HAN_MYRIADS[c]
            section = digit = 0
    yield float(total + section + digit)


def numbers_kept(source: str, target: str, source_language: Language, language: Language) -> tuple[float, float]:
    """(share of the numbers that did not become others, share that the other side has too), of the digits of both sides.

    A number that only one side has in digits may be written out on the other. One that became another is missing on both
    sides, whatever words say besides. Words alone never count against a translation: who writes "one" may mean an article. Nor does
    the number of a name that one side leaves out.
    """
    if not any(map(str.isdigit, source)) and not any(map(str.isdigit, target)):
        return 1.0, 1.0
    source, target = _fold(source), _fold(target)
    mine, mine_named = read_numbers(source, source_language)
    theirs, theirs_named = read_numbers(target, language)
    total = len(mine) + len(theirs)
    lost = [n for n in mine if not _is_in(n, theirs)]
    added = [n for n in theirs if not _is_in(n, mine)]
    if lost:
        theirs_named |= set(_named(target, language))
    if added:
        mine_named |= set(_named(source, source_language))
    changed = min(len(lost), len(added))
    excused = sum(_is_written(n, theirs_named) or (n.of_name and not added) for n in lost)
    excused += sum(_is_written(n, mine_named) for n in added)
    missing = max(2 * changed, len(lost) + len(added) - excused)
    return (1 - 2 * changed / total, 1 - missing / total) if total else (1.0, 1.0)


def _is_written(number: Number, named: set[float]) -> bool:
    return bool(number.values & named or (number.spoken and number.spoken <= named))


def _is_in(number: Number, others: list[Number]) -> bool:
    return any(number.values & o.values or (number.digits and number.digits == o.digits) for o in others)
