from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LOCALES
from transforms import culture_pack
from transforms.culture_pack import LEGAL_STATUS, REAL_ORGANISATIONS, ROLES, Measure, load_pack, round_amount


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_every_locale_has_a_pack_in_its_language(locale: str) -> None:
    pack = load_pack(locale)
    assert (pack.locale, pack.language) == (locale, LOCALES[locale])
    assert set(pack.types) >= set(load_pack("en-US").types)
    assert set(pack.types) >= REAL_ORGANISATIONS
    for entry in pack.entries():
        assert entry.en == entry.en.strip() != ""
        assert entry.source
        assert entry.native == entry.native.strip()
        assert all(native.strip() for native in entry.natives())
        assert not entry.role or entry.type not in ROLES or entry.role in ROLES[entry.type]


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_no_type_names_a_thing_twice(locale: str) -> None:
    names = [(e.type, e.role, e.en.casefold()) for e in load_pack(locale).entries()]
    assert sorted(n for n in set(names) if names.count(n) > 1) == []


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_every_role_that_the_source_asks_for_by_name_is_of_the_sources_list(locale: str) -> None:
    """What American entries have a role for, a pack has at least one entry for, with a role or in a type of its own."""
    pack = load_pack(locale)
    for kind in ("exam", "holiday"):
        wanted = {e.role for e in load_pack("en-US").types[kind]}
        assert wanted & {e.role for e in pack.types[kind]}, kind


@pytest.mark.parametrize("locale", sorted(LOCALES))
def test_a_pack_makes_no_known_person_of_strangers(locale: str) -> None:
    """Every well-known person listed can be made of the pack's names: else the line guards nothing."""
    pack = load_pack(locale)
    given_names = [e.en for kind in ("name_f", "name_m") for e in pack.types[kind]]
    surnames = [e.en for e in pack.types["surname"]]
    made = {f"{given} {surname}" for given in given_names for surname in surnames}
    assert sorted(pack.real_people - made) == []


@pytest.mark.parametrize("locale", sorted(set(LOCALES) - {"en-US"}))
def test_quantities_are_written_in_the_locales_own_units(locale: str) -> None:
    measures = load_pack(locale).measures
    miles = {"distance"} if locale == "en-GB" else set()  # as in America: nothing to convert
    assert set(measures) >= {"money", "distance", "weight", "temperature"} - miles
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


def load_text(tmp_path: Path, text: str) -> culture_pack.CulturePack:
    path = tmp_path / "xx-XX.yaml"
    path.write_text(text, "utf-8")
    load_pack.cache_clear()
    try:
        with patch.object(culture_pack, "resource", lambda _: path):
            return load_pack("xx-XX")
    finally:
        load_pack.cache_clear()


@pytest.mark.parametrize(("text", "says"), [
    (HEAD + BODY % "A" + "colour: red", "unknown colour"),
    (HEAD + BODY % "{en: A, plural: 1}", "must be true or false"),
    (HEAD + BODY % "{en: A, role: [x]}", "must be text"),
    (HEAD + BODY % "{en: A, tags: big}", "must be a list"),
    (HEAD + BODY % "{en: A, forms: x}", "must be a mapping"),
    (HEAD + BODY % "{en: A, native: ' x'}", "white space around"),
    (HEAD + "types: {citi: {source: s, entries: [A]}}\nmeasures: {}", "is no type; known are"),
    (HEAD + "types: {city: {source: s, entry: [A]}}\nmeasures: {}", "unknown entry"),
    (HEAD + "types: {law: {source: s, entries: [{en: A, role: guns}]}}\nmeasures: {}", "must be one of anti_terror, antitrust"),
    (HEAD + "types: {institution: {source: s, entries: [A]}}\nmeasures: {}", "must be one of army"),
    (HEAD + "types: {generic: {source: s, entries: [{en: a shop, role: shop}]}}\nmeasures: {}", "must be one of app"),
    (HEAD + "types: {city: {source: s, entries: [{en: A, within: ohio}]}, region: {source: s, entries: [Ohio]}}\n"
     "measures: {}", "spells 'Ohio'"),
    (HEAD + "types: {}\nmeasures: {height: {en: '{n}', native: '{n}', source: s}}", "is no measure"),
    (HEAD + "types: {}\nmeasures: {area: {en: '{n}', native: 'n', source: s}}", "must hold {n} once"),
    (HEAD + BODY % "A" + "date: {order: DDM, sep: '.'}", "needs order"),
    (HEAD + BODY % "A" + "legal_status: {cars: legal}", "is no topic"),
    (HEAD + BODY % "A" + "legal_status: {guns: maybe}", "leave the topic out"),
    (HEAD + BODY % "A" + "legal_status: {driving_age: 18}", '"18"'),
    (HEAD + BODY % "A" + "legal_status: {death_penalty: no}", '"no"'),
    (HEAD + BODY % "A" + "real_people: Ann Lee", "must be a list"),
    (HEAD + BODY % "A" + "phone: {shape: x}", "unknown shape"),
])  # fmt: skip
def test_an_error_says_what_is_wrong_and_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"data/culture/xx-XX\.yaml: ") as raised:
        load_text(tmp_path, text)
    assert says in str(raised.value)


def test_all_that_a_pack_may_say_is_read(tmp_path: Path) -> None:
    text = """
locale: xx-XX
language: xxx_Xxxx
types:
  city: {source: s, note: for people, entries: [{en: A, within: R, tags: [big], note: n}]}
  region: {source: s, entries: [R]}
  generic: {source: s, entries: [{en: a shop, role: retailer}, {en: a store, role: retailer}]}
measures: {distance: local, speed: {unit: km/h, en: "{n} km/h", native: "{n} km/h", source: s}}
phone: {source: s, example: "0{nn}"}
real_people: [Ann Lee]
date: {order: YMD, sep: "-"}
legal_status: {guns: banned, death_penalty: "no"}
notes: [be polite]
"""
    pack = load_text(tmp_path, text)
    assert set(pack.types) == {"city", "region"}
    assert [e.en for e in pack.generic["retailer"]] == ["a shop", "a store"]
    assert "a shop" not in {e.en for e in pack.entries()}
    assert (pack.types["city"][0].within, pack.types["city"][0].tags) == ("R", ("big",))
    assert (pack.real_people, pack.notes) == (frozenset({"Ann Lee"}), ("be polite",))
    assert pack.date == culture_pack.DateOrder("YMD", "-")
    assert pack.legal_status == {"guns": "banned", "death_penalty": "no"}
    assert pack.local_measures == {"distance"}


def test_the_source_says_what_its_law_is_on_every_topic() -> None:
    assert set(load_pack("en-US").legal_status) == set(LEGAL_STATUS)


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


def test_india_groups_by_lakhs() -> None:
    hindi = Measure("money", "{n} Indian rupees", "{n} \u0930\u0941\u092a\u092f\u0947", "cldr", 1, "indian")
    assert hindi.in_native(1234567).startswith("12,34,567 ")
    assert hindi.in_english(1234567) == "12,34,567 Indian rupees"
    english = Measure("money", "\u20b9{n}", "\u20b9{n}", "cldr", 1, "indian")
    assert [english.in_english(n) for n in (5, 999, 1000, 123456, 10000000)] == [
        "\u20b95", "\u20b9999", "\u20b91,000", "\u20b91,23,456", "\u20b91,00,00,000",
    ]  # fmt: skip


def test_measures_group_thousands_as_their_side_does() -> None:
    measure = Measure("money", "{n} euros", "{n} Euro", "cldr", 1, ".")
    assert measure.in_english(12000) == "12,000 euros"
    assert measure.in_native(12000) == "12.000 Euro"
