from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.marking import small_pack, small_pack_with
from transforms.quantities import convert, convert_date, draw_phone, is_crisis_line, quantity


@pytest.mark.parametrize(("kind", "surface", "expected"), [
    ("money", "$20", "15 euros"), ("money", "20 dollars", "15 euros"), ("money", "$20 dollars", "15 euros"),
    ("money", "20 bucks", "15 euros"), ("money", "twenty dollars", "15 euros"), ("money", "$5k", "3,800 euros"),
    ("money", "$1,234.50", "930 euros"), ("money", "$1", None), ("money", "$2.5 million", None), ("money", "a dime", None),
    ("distance", "10 miles", "16 kilometers"), ("distance", "1 mile", "1,600 meters"), ("distance", "1/2 mile", None),
    ("distance", "10-15 miles", "16-25 kilometers"), ("distance", "10 to 15 miles", "16 to 25 kilometers"), ("money", "$5-$5.10", None),
    ("distance", "300 miles", "480 kilometers"),
    ("weight", "30 pounds", "14 kilograms"), ("weight", "2 lbs", "910 grams"), ("weight", "8 ounces", "230 grams"),
    ("weight", "2 tons", "1,800 kilograms"), ("length", "6 feet", "183 centimeters"), ("length", "5'10\"", "178 centimeters"),
    ("length", "5 feet 10 inches", "178 centimeters"), ("length", "12 inches", "30 centimeters"),
    ("length", "3 ft", "90 centimeters"), ("length", "20 feet", "6 meters"), ("length", "100 yards", "91 meters"),
    ("length", "30,000 feet", "9,100 meters"), ("volume", "5 gallons", "20 liters"), ("volume", "2 gallons", "8 liters"),
    ("volume", "2 cups", None), ("area", "1,500 sq. ft", "140 square meters"), ("area", "2 acres", "8,100 square meters"),
    ("speed", "60 mph", "95 km/h"), ("speed", "30 miles per hour", "50 km/h"), ("temperature", "350°F", "175 degrees Celsius"),
    ("temperature", "98.6 degrees Fahrenheit", "37 degrees Celsius"), ("temperature", "-40°F", None),
    ("temperature", "20 degrees Fahrenheit", None), ("distance", "5 parsecs", None), ("weight", "5 miles", None),
])  # fmt: skip
def test_quantities_in_the_locales_units(kind: str, surface: str, expected: str | None) -> None:
    said = convert(kind, surface, small_pack(), joined=False)
    assert (said.en if said else None) == expected


def test_before_a_noun_the_unit_is_singular() -> None:
    pack = small_pack()
    joined = [
        convert(k, s, pack, joined=True) for k, s in (("money", "$20"), ("length", "6-foot"), ("area", "1,500 sq ft"))
    ]
    assert [said.en for said in joined if said] == ["15-euro", "183-centimeter", "140 square meter"]
    assert joined[0] and joined[0].natives == ("15 Euro", "15-Euro")


def test_what_the_pack_has_no_unit_for_stays() -> None:
    assert convert("speed", "60 mph", small_pack_with(measures={}), joined=False) is None


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["$", "miles", "pounds", "feet", "gallons", "mph"]), st.floats(0, 1e13, allow_nan=False))
def test_any_number_is_converted_or_left_and_never_breaks(unit: str, value: float) -> None:
    surface = f"${value:,.2f}" if unit == "$" else f"{value:,.1f} {unit}"
    kind = {
        "$": "money",
        "miles": "distance",
        "pounds": "weight",
        "feet": "length",
        "gallons": "volume",
        "mph": "speed",
    }[unit]
    read, said = quantity(kind, surface), convert(kind, surface, small_pack(), joined=False)
    assert read is None or read[0] == kind
    assert said is None or re.match(r"[\d,]+ ", said.en)


@pytest.mark.parametrize(("surface", "order", "sep", "expected"), [
    ("12/31/2024", "DMY", ".", "31.12.2024"), ("12/31/2024", "DMY", "/", "31/12/2024"),
    ("12/31/2024", "YMD", "/", "2024/12/31"), ("1/31/2024", "YMD", "-", "2024-01-31"), ("7-20-1969", "DMY", "/", "20/7/1969"),
    ("3/4/2024", "DMY", ".", None), ("5/5/2024", "DMY", ".", "5.5.2024"), ("13/31/2024", "DMY", ".", None),
    ("2/30/2024", "DMY", ".", None), ("12/31/24", "DMY", ".", "31.12.24"), ("12/31/24", "YMD", "/", None),
    ("12/31", "DMY", ".", None), ("12/31/2024", "MDY", "/", None),
])  # fmt: skip
def test_dates_that_can_be_read_in_one_way_only(surface: str, order: str, sep: str, expected: str | None) -> None:
    said = convert_date(surface, small_pack_with(date={"order": order, "sep": sep}))
    assert (said.en if said else None) == expected
    assert convert_date(surface, small_pack_with(date=None)) is None


def test_phones_come_from_the_reserved_range_only() -> None:
    drawn = [draw_phone(f"555-01{n:02d}", small_pack(), "row", {}) for n in range(100)]
    assert all(said and re.fullmatch(r"030 23125 0\d\d", said.en) for said in drawn)
    assert draw_phone("555-0100", small_pack_with(phone=None), "row", {}) is None


def test_numbers_that_help_in_a_crisis_are_known() -> None:
    known = [
        "988",
        "1-800-273-8255",
        "1 (800) 273-8255",
        "741741",
        "the National Suicide Prevention Lifeline",
        "crisis line",
    ]
    assert all(is_crisis_line(surface, "") for surface in known)
    assert is_crisis_line("the Lifeline", "suicide_line")
    assert not any(is_crisis_line(surface, "") for surface in ("911", "555-0100", "$988,000", "IRS"))
