from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.contexts import CONTEXTS, Names, begins_sentence, is_named, surname
from transforms.cues import load_cues, parse_cues, prefixes_of

NAMES = Names(frozenset({"emily", "john"}), frozenset({"smith", "baker"}))


def parse(groups: str, kind: str = "custom") -> object:
    return parse_cues(f"kind: {kind}\ngroups:\n{groups}", "data/cues/x.yaml")


def holds(context: str, text: str) -> bool:
    """Whether a context holds for what stands between brackets."""
    start, end = text.index("["), text.index("]") - 1
    return CONTEXTS[context](text.replace("[", "").replace("]", ""), start, end, NAMES)


# --- loading ---


def test_the_lists_that_ship_load_and_hold_something() -> None:
    cues = load_cues()
    assert len(cues.surfaces) > 1000
    assert cues.patterns


def test_a_group_gives_its_cues_what_they_share_and_an_item_its_own() -> None:
    cues = parse_cues(
        """
kind: institution
groups:
  - cultures: [en-US, en-GB]
    role: tax_agency
    case: exact
    needs: capital
    weight: 0.4
    surfaces: [IRS, {en: the Fed, role: central_bank}]
  - cultures: [en-US]
    kind: idiom
    surfaces: [{en: piece of cake, plain: very easy task}]
    patterns: ["kick(?:s|ed)? the bucket"]
""",
        "x.yaml",
    )
    irs, fed, cake = cues.surfaces
    assert (irs.en, irs.kind, irs.cultures, irs.role) == ("IRS", "institution", ("en-US", "en-GB"), "tax_agency")
    assert (irs.exact, irs.needs, irs.weight, irs.article) == (True, "capital", 0.4, False)
    assert (fed.en, fed.role, fed.article) == ("Fed", "central_bank", True)
    assert (cake.kind, cake.plain, cake.exact, cake.weight) == ("idiom", "very easy task", False, 0.9)
    (kick,) = cues.patterns
    assert kick.cue.kind == "idiom"
    assert kick.regex.search("He kicked the bucket.")
    assert not kick.regex.search("He kicked the buckets.")


def test_an_act_whose_legality_differs_weighs_little_unless_the_list_says_so() -> None:
    light, heavy = parse_cues(
        "kind: jurisdiction\ngroups:\n  - {cultures: [en-US], surfaces: [weed]}\n"
        "  - {cultures: [en-US], weight: 0.9, surfaces: [under 21]}",
        "x.yaml",
    ).surfaces
    assert (light.weight, heavy.weight) == (0.2, 0.9)


@pytest.mark.parametrize(("surface", "expected"), [
    ("redneck", {"redneck", "rednecks", "redneckes"}), ("hillbilly", {"hillbilly", "hillbillys", "hillbillies"}),
    ("sandwich", {"sandwich", "sandwiches"}),
])  # fmt: skip
def test_inflected_surfaces_have_plurals(surface: str, expected: set[str]) -> None:
    cues = parse(f"  - {{cultures: [en-US], inflect: true, surfaces: [{surface}]}}")
    assert {c.en for c in cues.surfaces} == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(("groups", "said"), [
    ("  - {cultures: [en-US], surface: [x]}", "group 1: unknown key 'surface'; known: case, cultures"),
    ("  - {cultures: [en-US], surfaces: [{en: x, plian: y}]}", "unknown key 'plian'"),
    ("  - {cultures: [en-US], kind: foood, surfaces: [x]}", "kind 'foood' is none of"),
    ("  - {cultures: en-US, surfaces: [x]}", "cultures must be a list of locales"),
    ("  - {cultures: [english], surfaces: [x]}", "cultures must be a list of locales"),
    ("  - {surfaces: [x]}", "cultures must be a list"),
    ("  - {cultures: [en-US]}", "needs `surfaces` or `patterns`"),
    ("  - {cultures: [en-US], case: lower, surfaces: [x]}", "case must be any or exact"),
    ("  - {cultures: [en-US], needs: luck, surfaces: [x]}", "needs must be one of person"),
    ("  - {cultures: [en-US], weight: 2, surfaces: [x]}", "weight must be a number from 0 to 1"),
    ("  - {cultures: [en-US], surfaces: [yes]}", "in quotes"),
    ("  - {cultures: [en-US], surfaces: ['a  b']}", "single spaces"),
    ("  - {cultures: [en-US], patterns: ['a(']}", "pattern 'a('"),
    ("  - {cultures: [en-US], patterns: ['a(b)']}", "capturing groups"),
    ("  - {cultures: [en-US], patterns: ['a.*b']}", "without bound"),
    ("  - {cultures: [en-US], patterns: ['a.{2,}b']}", "without bound"),
    ("  - {cultures: [en-US], patterns: ['(?:a+)+b']}", "without bound"),
    ("  - {cultures: [en-US], patterns: ['a?']}", "matches nothing at all"),
    ("  - {cultures: [en-US], patterns: [{en: a}]}", "must be a regular expression"),
    ("  - x", "must be a mapping"),
])  # fmt: skip
def test_a_malformed_list_says_which_file_and_what(groups: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^data/cues/x\.yaml") as error:
        parse(groups)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "kind: food", "kind: food\ngroups: {}", "- a", "a: [", "kind: food\ngroup: []\ngroups: []"]
)
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"x\.yaml"):
        parse_cues(text, "x.yaml")


@pytest.mark.parametrize(("pattern", "expected"), [
    ("kick(?:s|ed)? the bucket", ("kic",)), ("colou?r", ("col",)), ("a(?:b)", ("a",)), ("dogs?", ("dog",)),
    ("(?:in|at) the US", ("at ", "in ")), ("(?:the )?federal", ("fed", "the")), ("foo|bar", ("bar", "foo")),
    ("(?<=in )LA", ("la",)), ("(?-i:LA|NY)(?= area)", ("la", "ny")), (r"\d{3}", tuple("0123456789")),
    ("[ab]c", ()), (r"\w+ing", ()), ("(?:a|[bc])d", ()), ("I-90", ("i-9",)), ("a?b", ()), ("(?:a)*b", ()),
])  # fmt: skip
def test_what_a_pattern_can_begin_with(pattern: str, expected: tuple[str, ...]) -> None:
    assert prefixes_of(pattern) == expected


def test_no_pattern_that_ships_begins_otherwise_than_its_prefixes_say() -> None:
    """Each is tried on texts made of its own words: what the whole expression finds, the prefixes let through."""
    for pattern in load_cues().patterns:
        text = (
            pattern.cue.en.replace("\\", "").replace("(?:", " ").replace(")", " ").replace("|", " ").replace("?", " ")
        )
        for match in pattern.regex.finditer(text):
            if pattern.prefixes:
                assert match.group()[:3].lower().startswith(pattern.prefixes), pattern.cue.en


def test_patterns_take_time_linear_in_the_text() -> None:
    """A guard against quadratic shapes, not a stopwatch."""
    patterns = load_cues().patterns
    for unit in ("1,", "a ", "a", "1", "I was in the ", "-", "'", "Aa "):
        text = unit * (3000 // len(unit))
        began = time.monotonic()
        for pattern in patterns:
            for at in range(0, len(text), 10):
                pattern.regex.match(text, at)
        assert time.monotonic() - began < 30, f"{unit!r}: far more than linear"


# --- contexts ---


@pytest.mark.parametrize("text", [
    "[Hunter] went home.", "My friend [Mark] is here.", "my brother, [Mark], left", "a girl named [May]", "I'm [Will].",
    "My name is [Rose].", "Mr. [Baker] came.", "Dr [Grant] said no", "Hi [Joy], how are you?", "[Will] Smith called.",
    "[Will]'s mom called.", "[Mark], 34, works here", "[Will], can you help me?", "Emily and [Mark] left",
    "[Mark] and Emily left", "I met [Hunter] there.", "Tell [Grace] that", "She told [Frank] about it.", "[Faith] is my sister.",
    "I gave [Hope] a book.",
])  # fmt: skip
def test_a_person_is_around(text: str) -> None:
    assert holds("person", text)


@pytest.mark.parametrize("text", [
    "[Will] you help me?", "[May] I go?", "[Mark] my words.", "[Hunter] or gatherer?", "i [will] go", "[Frank] talk is good.",
    "The [Hunter] is out.", "I was born in [May].", "It is on [May] 5.", "He said: [Will] you?", 'He said "[Will] you?"',
    "1. [Mark] the place", "- [Mark] the place", "HUNTING [GRANT] MONEY NOW", "How To [Mark] A Paper", "What a [joy].",
    "The White [House]", "Whole-[Grace]", "[May] be", "the [Faith] of men",
])  # fmt: skip
def test_no_person_is_around(text: str) -> None:
    assert not holds("person", text)


@pytest.mark.parametrize(("text", "expected"), [
    ("John [Baker] left", True), ("john [baker] left", True), ("Mr. [King] left", True), ("J. [King] left", True),
    ("the [Baker] family", True), ("The [Baker] left.", False), ("the [baker] left", False), ("Burger [King]", False),
    ("John [baker] left", False),
])  # fmt: skip
def test_surnames_stand_behind_names_and_titles(text: str, expected: bool) -> None:
    start, end = text.index("["), text.index("]") - 1
    assert surname(text.replace("[", "").replace("]", ""), start, end, NAMES) is expected


@pytest.mark.parametrize(("context", "text", "expected"), [
    ("place", "I live in [Reading].", True), ("place", "north [Reading]", True), ("place", "[Buffalo], NY", True),
    ("place", "[Buffalo], New York", True), ("place", "stuck in [reading] mode, Tom", False), ("place", "[Reading] is fun", False),
    ("place", "i live in [mobile]", True), ("place", "downtown [Phoenix]", True),
    ("shop", "I work at [Target].", True), ("shop", "a [target] gift card", True), ("shop", "He shoots at [target]", False),
    ("shop", "i bought it at [target]", True), ("shop", "He works for [Gap].", True), ("shop", "a [Target] for us", False),
    ("shop", "at the [Target] in town", True), ("shop", "does [target] have milk", True), ("shop", "the [chase] bank app", True),
    ("capital", "I like [Shell].", True), ("capital", "[Shell] is big.", False), ("capital", "I like [shell].", False),
    ("capital", "I LIKE [SHELL] TOO", False), ("capital", "Visit. [Shell] it", False), ("capital", "Ask Mr. [Shell] why", True),
    ("money", "five [grand]", True), ("money", "20 [bucks]", True), ("money", "a couple of [bucks]", True),
    ("money", "the [grand] hotel", False), ("money", "[bucks] and does", False),
])  # fmt: skip
def test_contexts(context: str, text: str, expected: bool) -> None:
    assert holds(context, text) is expected


@pytest.mark.parametrize(("text", "expected"), [
    ("[X]", True), ("a\n[X]", True), ("Yes. [X]", True), ("Mr. [X]", False), ("and [X]", False), ("a, [X]", False),
    ("2) [X]", True), ("* [X]", True), ('"[X]', True), ("what? [X]", True), ("the U.S. [X]", False),
])  # fmt: skip
def test_beginnings_of_sentences(text: str, expected: bool) -> None:
    assert begins_sentence(text.replace("[", "").replace("]", ""), text.index("[")) is expected


def test_a_place_does_not_make_a_person() -> None:
    assert not is_named("Paris is my city", 0, 5) or is_named("Paris is my sister", 0, 5)
    assert not is_named("I was in Paris.", 9, 14)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("aA .,'\n-5$Will"), min_size=1, max_size=80), st.data())
def test_no_context_fails_on_any_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    for context in (*CONTEXTS.values(), surname, is_named):
        assert context(text, start, end, NAMES) in (True, False)
