from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LOCALES
from transforms import culture_pack
from transforms.culture_pack import REAL_ORGANISATIONS, Measure, load_pack, round_amount


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_every_locale_has_a_pack_in_its_language(locale: str) -> None:
    pack = load_pack(locale)
    assert (pack.locale, pack.language) == (locale, LOCALES[locale])
    assert set(pack.types) == set(load_pack("en-US").types)
    assert set(pack.types) >= REAL_ORGANISATIONS
    for entry in pack.entries():
        assert entry.en == entry.en.strip() != ""
        assert entry.source
        assert entry.native == entry.native.strip()
        assert all(native.strip() for native in entry.natives())


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_no_name_of_a_pack_is_of_two_kinds(locale: str) -> None:
    names = [e.en.casefold() for e in load_pack(locale).entries()]
    assert sorted(n for n in set(names) if names.count(n) > 1) == []


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_a_role_is_one_that_the_source_asks_for(locale: str) -> None:
    def roles(name: str) -> set[tuple[str, str]]:
        return {(e.type, e.role) for e in load_pack(name).entries() if e.role}

    assert roles(locale) <= roles("en-US")


@pytest.mark.parametrize("locale", sorted(set(LOCALES) - {"en-US"}))
def test_quantities_are_written_in_the_locales_own_units(locale: str) -> None:
    measures = load_pack(locale).measures
    miles = {"distance"} if locale == "en-GB" else set()  # as in America: nothing to convert
    assert set(measures) == {"money", "distance", "weight", "temperature"} - miles
    assert measures["money"].per_usd > 0
    for measure in measures.values():
        assert measure.en.count("{n}") == measure.native.count("{n}") == 1


@pytest.mark.parametrize("locale", ["en-GB", "en-IN"])
def test_an_english_pack_names_everything_once(locale: str) -> None:
    pack = load_pack(locale)
    assert [e.en for e in pack.entries() if e.natives() != (e.en,)] == []
    for measure in pack.measures.values():
        assert measure.in_english(12000) == measure.in_native(12000)


def test_what_the_english_packs_share_with_the_source_is_meant_to_stay() -> None:
    american = {e.en for e in load_pack("en-US").entries()}
    shared = {locale: american & {e.en for e in load_pack(locale).entries()} for locale in ("en-GB", "en-IN")}
    assert shared == {"en-GB": set(), "en-IN": {"Independence Day"}}  # India has one of its own


def test_two_packs_of_one_language_differ() -> None:
    mexican, spanish = ({e.en for e in load_pack(locale).entries()} for locale in ("es-MX", "es-ES"))
    assert len(mexican & spanish) < len(mexican | spanish) / 10
    assert load_pack("es-ES").measures["money"].in_native(12000) == "12.000 euros"
    assert load_pack("es-MX").measures["money"].in_native(12000) == "12,000 pesos mexicanos"


def test_an_unknown_locale_is_an_error_that_says_which_file_to_add() -> None:
    with pytest.raises(ValueError, match=r"data/culture/xx-XX\.yaml"):
        load_pack("xx-XX")


HEAD = "locale: xx-XX\nlanguage: xxx_Xxxx\n"
BODY = "types: {city: {source: s, entries: [%s]}}\nmeasures: {}\n"


@pytest.mark.parametrize("text", [
    "", HEAD, HEAD + BODY % "{native: x}", HEAD + BODY % "{en: A, nativ: x}", HEAD + BODY % "112", HEAD + BODY % "no",
    HEAD + "types: {city: {entries: [A]}}\nmeasures: {}", HEAD + "types: {}\nmeasures: {money: {en: x}}",
])  # fmt: skip
def test_a_malformed_pack_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "xx-XX.yaml"
    path.write_text(text, "utf-8")
    load_pack.cache_clear()
    with patch.object(culture_pack, "resource", lambda _: path), pytest.raises(ValueError, match=r"data/culture/xx-XX"):
        load_pack("xx-XX")


def test_entries_take_what_they_do_not_say_from_their_group(tmp_path: Path) -> None:
    path = tmp_path / "xx-XX.yaml"
    path.write_text(HEAD + BODY % "A, {en: B, native: b, forms: {dat: bb}, source: t}", "utf-8")
    load_pack.cache_clear()
    with patch.object(culture_pack, "resource", lambda _: path):
        a, b = load_pack("xx-XX").types["city"]
    load_pack.cache_clear()
    assert (a.en, a.natives(), a.source) == ("A", ("A",), "s")
    assert (b.en, b.natives(), b.source) == ("B", ("b", "bb"), "t")


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 1e12))
def test_rounded_amounts_are_near_and_short(value: float) -> None:
    found = round_amount(value)
    assert isinstance(found, int)
    assert found >= 1
    assert abs(found - value) <= max(1, value * 0.13)
    if found >= 100:
        assert len(str(found).rstrip("0")) <= 2


@pytest.mark.parametrize(
    ("value", "expected"), [(0.2, 1), (7.4, 7), (19.4, 19), (21, 20), (23, 25), (99, 100), (1234, 1200)]
)
def test_amounts_are_as_people_say_them(value: float, expected: int) -> None:
    assert round_amount(value) == expected


def test_measures_group_thousands_as_their_side_does() -> None:
    measure = Measure("money", "{n} euros", "{n} Euro", "cldr", 1, ".")
    assert measure.in_english(12000) == "12,000 euros"
    assert measure.in_native(12000) == "12.000 Euro"
