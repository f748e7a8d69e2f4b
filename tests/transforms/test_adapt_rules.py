"""Adaptation of hand-marked rows to an invented locale: what hangs on no lexicon and on no pack of data/culture."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rows import Culture, Row, Span
from tests.builders import make_row
from tests.transforms.marking import Mark, adapt_marked, edits_of, mark, prompt_of, small_pack, small_pack_with
from transforms.adapt import adapt, changes_outside, residual
from transforms.choose import NEVER
from transforms.culture_pack import SAFE_ROWS_ONLY, load_pack

WALMART = ("Walmart", "retailer", "grocery")
UNSAFE: dict[str, Any] = {"prompt_label": "unsafe"}


def values(prompt: str, marks: list[Mark], **changes: Any) -> set[str]:
    return {prompt_of(adapt_marked(prompt, marks, id=str(i), **changes)) for i in range(60)}


# --- edits ---


@st.composite
def marked_rows(draw: st.DrawFn) -> Row:
    """Rows of random words with random spans of random kinds."""
    kinds = [
        *small_pack().types,
        "money",
        "distance",
        "length",
        "date",
        "phone",
        "idiom",
        "person",
        "group",
        "jurisdiction",
    ]
    words = st.sampled_from(
        ["the", "a", "an", "my", "is", "agent", "Walmart", "IRS", "Emily", "$20", "6 feet", "12/31/2024", "555-0101", "corn dogs",
         "SAT", "Boston", "Texas", "Davis", "walmart", "FBI", "prom", "\n", "-", "\U0001f389", "Harvard", "the IRS"]
    )  # fmt: skip
    texts = [" ".join(draw(st.lists(words, min_size=1, max_size=12))) for _ in range(2)]
    row = make_row(
        texts[0], texts[1], id=draw(st.text(max_size=3)), prompt_label=draw(st.sampled_from(["safe", "unsafe"]))
    )
    spans = []
    for index, text in enumerate(texts):
        cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=10)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False):
            if surface := text[start:end].strip():
                start += text[start:end].index(surface)
                spans.append(
                    Span(
                        index, start, start + len(surface), surface, draw(st.sampled_from(kinds)),
                        draw(st.sampled_from([("en-US",), ("en-US", "xx-XX"), ("fr-FR",)])),
                        draw(st.sampled_from(["", "school", "feast"])), draw(st.sampled_from(["", "easy task"])),
                    )
                )  # fmt: skip
    return Row(**{**vars(row), "culture": Culture(bool(spans), 1.0, tuple(spans))})


@settings(max_examples=200, deadline=None)
@given(marked_rows())
def test_edits_are_true_whatever_the_spans(row: Row) -> None:
    done = adapt(row, "en-US", small_pack())
    assert done == adapt(row, "en-US", small_pack())
    assert row.culture is not None
    given_to: dict[str, set[str]] = {}
    for index, text in enumerate(done.texts):
        spans = [s for s in row.culture.spans if s.text == index]
        assert len(text.edits) == len(spans) and text.adapted is not None
        assert changes_outside(text) == 0
        assert all(a.end <= b.start for a, b in itertools.pairwise(text.edits))
        for edit, span in zip(text.edits, spans, strict=True):
            assert text.adapted[edit.start : edit.end] == edit.after
            assert span.surface in edit.before
            if edit.action == "swap":
                assert span.kind not in NEVER
                given_to.setdefault(edit.kind, set()).add(edit.after)
            elif edit.action != "universal":
                assert edit.after == edit.before
    names = {n for e in edits_of(done) if e.action == "swap" and e.kind in SAFE_ROWS_ONLY for n in e.natives}
    if row.sample.prompt_label != "safe":
        assert names <= {n for entries in small_pack().generic.values() for e in entries for n in e.natives()}


def test_changes_outside_the_edits_are_counted() -> None:
    (text, _) = adapt_marked("I work at Walmart.", [WALMART]).texts
    assert changes_outside(text) == 0
    assert text.adapted is not None
    changed = type(text)(**{**vars(text), "adapted": text.adapted[:-1] + "!!"})
    assert changes_outside(changed) == 2
    assert changes_outside(type(text)("prompt", 0, None)) == 0


def test_what_adapt_did_not_decide_on_is_left_over() -> None:
    row = adapt_marked("Walmart and Barack Obama and IRS.", [WALMART, ("Barack Obama", "person")])
    adapted = prompt_of(row)
    at = adapted.index("IRS")
    seen = [
        Span(0, at, at + 3, "IRS", "tax_office", ("en-US",)),
        Span(0, 0, 4, adapted[:4], "retailer", ("en-US",)),
        Span(0, at, at + 3, "IRS", "tax_office", ("fr-FR",)),
        Span(0, at, at + 3, "IRS", "person", ("en-US",)),
    ]
    assert residual(row.texts[0], seen, "en-US") == 1


# --- choosing ---


def test_a_value_has_the_role_of_the_span() -> None:
    assert values("It is Thanksgiving.", [("Thanksgiving", "holiday")]) == {"It is Christmas."}
    assert values("It is Flag Day.", [("Flag Day", "holiday", "national")]) == {"It is Unity Day."}
    assert values("It is Flag Day.", [("Flag Day", "holiday")]) == {"It is Flag Day."}, "nobody said what it is for"
    row = adapt_marked("It is Flag Day.", [("Flag Day", "holiday", "costume")])
    assert prompt_of(row) == "It is Flag Day." and row.texts[0].flags == ("kept_source_culture",)


def test_a_shop_becomes_a_shop_of_its_sort_or_stays() -> None:
    assert values("Is CVS open?", [("CVS", "retailer", "pharmacy")]) == {"Is Apotek open?"}
    assert values("Is Lowe's open?", [("Lowe's", "retailer", "hardware")]) == {"Is Lowe's open?"}
    assert values("Is Xyz open?", [("Xyz", "retailer")]) == {"Is Xyz open?"}, "nobody said what it sells"


def test_a_club_becomes_one_of_its_sport_or_stays() -> None:
    assert values("I like the Rowdies.", [("the Rowdies", "club", "soccer")]) == {"I like Altstadt United."}
    assert values("I like the Bears.", [("the Bears", "club", "american football")]) == {"I like the Bears."}


def test_a_place_has_the_nature_that_the_row_speaks_of() -> None:
    assert values("We surf in Miami.", [("Miami", "city")]) == {"We surf in Neustadt.", "We surf in Seeburg."}
    assert values("The casinos of Reno.", [("Reno", "city")]) == {"The casinos of Reno."}


def test_a_day_of_mourning_comes_only_where_the_row_mourns_and_sells_nothing() -> None:
    days = {"holiday": {"source": "s", "entries": [{"en": "Mourning Day", "role": "remembrance"}]}}
    veterans: list[Mark] = [("Veterans Day", "holiday", "remembrance")]
    pack = small_pack_with(types=days)
    assert values("We laid a wreath on Veterans Day.", veterans, pack=pack) == {"We laid a wreath on Mourning Day."}
    for text in ("We grill on Veterans Day.", "The Veterans Day sale for soldiers."):
        assert values(text, veterans, pack=pack) == {text}


def test_a_person_is_renamed_as_a_whole_or_not_at_all() -> None:
    assert values("Ask Emily Zwolinsky.", [("Emily", "name_f")]) == {"Ask Emily Zwolinsky."}
    assert values("Ask Heidi Davis now.", [("Davis", "surname")]) == {"Ask Heidi Davis now."}
    assert "Ask Emily On Monday." not in values("Ask Emily. On Monday.", [("Emily", "name_f")])


def test_initials_are_no_name() -> None:
    marks: list[Mark] = [("JONAH", "name_m")]
    assert values("The agent JONAH is a program.", marks) == {"The agent JONAH is a program."}
    assert values("ASK JONAH NOW PLEASE", marks) != {"ASK JONAH NOW PLEASE"}


def test_one_end_of_a_range_is_not_converted_alone() -> None:
    assert values("Five to ten dollars.", [("ten dollars", "money")]) == {"Five to ten dollars."}
    assert values("From 5 to 10 dollars.", [("5 to 10 dollars", "money")]) == {"From 4 to 8 euros."}


def test_a_plural_is_exchanged_for_a_plural() -> None:
    dumplings = {"Corn dogs are good.", "Potato dumplings are good.", "Pretzels are good."} - {"Corn dogs are good."}
    assert values("Corn dogs are good.", [("Corn dogs", "food")]) == dumplings
    assert values("Meatloaf is good.", [("Meatloaf", "food")]) == {"Sauerbraten is good.", "Black Forest cake is good."}


def test_values_like_the_source_are_preferred_where_there_are_enough() -> None:
    pack = small_pack_with(types={
        "city": {"source": "s", "entries": [{"en": f"Coast{n}", "tags": ["coast", "tourist"]} for n in range(3)] + ["Inland"]}
    })  # fmt: skip
    assert values("In Miami.", [("Miami", "city")], pack=pack) == {"In Coast0.", "In Coast1.", "In Coast2."}


def test_draws_are_balanced_and_the_label_has_no_part_in_them() -> None:
    safe = [prompt_of(adapt_marked("Anna knows Emily.", [("Emily", "name_f")], id=str(i))) for i in range(800)]
    unsafe = [
        prompt_of(adapt_marked("Anna knows Emily.", [("Emily", "name_f")], id=str(i), **UNSAFE)) for i in range(800)
    ]
    assert safe == unsafe
    counts = Counter(safe)
    assert len(counts) == 4 and min(counts.values()) > 150


def test_city_and_region_lie_together() -> None:
    marks: list[Mark] = [
        ("Dallas", "city"),
        ("Houston", "city"),
        ("Texas", "region"),
        ("TX", "region"),
        ("Ohio", "region"),
    ]
    there = {e.en: e.within for e in small_pack().types["city"]}
    for i in range(60):
        text = prompt_of(adapt_marked("Dallas, Texas; Houston, TX; Ohio", marks, id=str(i)))
        first, second, other = text.split("; ")
        (city, region), (city2, region2) = first.split(", "), second.split(", ")
        assert there[city] == region == region2 == there[city2] and city != city2
        assert other != region


def test_a_city_that_no_pack_knows_lies_in_the_region_beside_it() -> None:
    there = {e.en: e.within for e in small_pack().types["city"]}
    for text in values("Go to Tampa, Florida now.", [("Tampa", "city"), ("Florida", "region")]):
        city, region = text.removeprefix("Go to ").removesuffix(" now.").split(", ")
        assert there[city] == region


def test_a_club_plays_the_sport_that_the_row_names() -> None:
    marks: list[Mark] = [("baseball", "sport"), ("New York Yankees", "club"), ("Yankees", "club")]
    assert values("I play baseball like the New York Yankees. Go Yankees!", marks) == {
        "I play soccer like Altstadt United. Go Altstadt United!",
        "I play handball like the Neustadt Foxes. Go the Neustadt Foxes!",
    }
    no_clubs = small_pack_with(
        types={"sport": {"source": "s", "entries": ["judo"]}, "club": {"source": "s", "entries": ["FC"]}}
    )
    row = adapt_marked("I play baseball like the New York Yankees.", marks, pack=no_clubs)
    assert prompt_of(row) == "I play baseball like the New York Yankees.", "nobody plays judo like the Yankees"


def test_a_university_is_in_the_city_that_the_row_names() -> None:
    marks: list[Mark] = [("Harvard", "university"), ("Boston", "city")]
    # Never small Bergen, with its university, for Boston.
    assert values("Harvard is near Boston.", marks) == {"Seeburg University is near Seeburg."}


def test_two_spellings_of_one_thing_get_one_value() -> None:
    both = [("Food and Drug Administration", "institution", "drug_regulator"), ("FDA", "institution", "drug_regulator")]
    row = adapt_marked("Ask the Food and Drug Administration. The FDA (Food and Drug Administration) knows.", both)
    assert prompt_of(row) == "Ask the Drug Office. The Drug Office knows."
    ssn = [("Social Security number", "document", "national_id_number"), ("SSN", "document", "national_id_number")]
    assert prompt_of(adapt_marked("My SSN, my Social Security number!", ssn)) == (
        "My identity card number, my identity card number!"
    )


def test_case_and_number_and_possessive_are_those_of_one_thing() -> None:
    surfaces: list[Mark] = [(s, "retailer", "grocery") for s in ("Walmarts", "Walmart", "WALMART", "walmart")]
    assert values("Walmarts, Walmart’s, WALMART, walmart", surfaces) == {
        f"{v}s, {v}’s, {v.upper()}, {v.lower()}" for v in ("Aldi", "Lidl", "Olymp")
    }


def test_a_name_for_either_gender_keeps_one_for_the_row() -> None:
    both = {e.en for kind in ("name_f", "name_m") for e in small_pack().types[kind]}
    seen = set()
    for i in range(80):
        row = adapt_marked("Jordan is here.", [("Jordan", "name")], "Ask Jordan.", id=str(i))
        first, second = (e.after for e in edits_of(row))
        assert first == second
        seen.add(first)
    assert seen == both


def test_an_own_entry_of_the_pack_is_local_whatever_the_span_says() -> None:
    row = adapt_marked("Is Aldi open?", [("Aldi", "retailer")])
    assert [e.action for e in edits_of(row)] == ["local"] and row.texts[0].flags == ()


# --- grammar ---


@pytest.mark.parametrize(("prompt", "marks", "expected"), [
    ("The FBI came. An FBI agent, my FBI file, ex-FBI, call FBI!", [("FBI", "police_body")],
     "The Federal Police came. A Federal Police agent, my Federal Police file, ex-Federal Police, call the Federal Police!"),
    ("Take the SAT. An SAT score. The SAT is hard.", [("SAT", "exam", "school")],
     "Take Matura. A Matura score. Matura is hard."),
    ("- the IRS wrote\n* IRS wrote", [("IRS", "tax_office")], "- the Finanzamt wrote\n* The Finanzamt wrote"),
    ("Does Medicare pay?", [("Medicare", "health_program")], "Does the public health insurance pay?"),
    ("He reads The New York Times.", [("New York Times", "news", "paper")], "He reads Der Bote."),
    ("We went to prom. Prom was fun, his prom too.", [("prom", "custom", "school_dance"), ("Prom", "custom", "school_dance")],
     "We went to a graduation ball. The graduation ball was fun, his graduation ball too."),
    ("ASK THE IRS AND IRS", [("IRS", "tax_office")], "ASK THE FINANZAMT AND THE FINANZAMT"),
    ("She was a $20 bill, 6-foot man.", [("$20", "money"), ("6-foot", "length")],
     "She was a 15-euro bill, 183-centimeter man."),
    ("Mr. Walmart", [WALMART, ("Mr.", "title", "mr")], "Herr {v}"),
    ("A kegger and an elm party", [("kegger", "custom", "engagement"), ("elm party", "custom", "school_dance")],
     "An engagement party and a graduation ball"),
])  # fmt: skip
def test_the_text_reads_as_english(prompt: str, marks: list[Mark], expected: str) -> None:
    row = adapt_marked(prompt, marks)
    assert prompt_of(row) in {expected.replace("{v}", v) for v in ("Aldi", "Lidl", "Olymp")}
    assert changes_outside(row.texts[0]) == 0


def test_an_article_that_comes_or_goes_is_part_of_the_edit() -> None:
    (edit,) = edits_of(adapt_marked("Take the SAT.", [("SAT", "exam", "school")]))
    assert (edit.before, edit.after, edit.start) == ("the SAT", "Matura", 5)
    (edit,) = edits_of(adapt_marked("Ask the IRS.", [("IRS", "tax_office")]))
    assert (edit.before, edit.after) == ("IRS", "Finanzamt")


# --- idioms ---


def test_an_idiom_becomes_what_it_means() -> None:
    row = adapt_marked("It was a piece of cake.", [("piece of cake", "idiom")], plain="easy task")
    assert prompt_of(row) == "It was an easy task."
    (edit,) = edits_of(row)
    assert (edit.action, edit.natives) == ("universal", ())


def test_an_idiom_without_plain_english_stays_and_is_not_missed() -> None:
    row = adapt_marked("He kicked the bucket.", [("kicked the bucket", "idiom")])
    assert prompt_of(row) == "He kicked the bucket." and row.texts[0].flags == ()
    own = adapt_marked("A piece of cake.", [("piece of cake", "idiom")], cultures=("en-US", "xx-XX"), plain="easy task")
    assert [e.action for e in edits_of(own)] == ["local"]


# --- limits that protect people ---


@pytest.mark.parametrize("kind", ["person", "group", "event", "norm", "religion", "religion_custom"])
@pytest.mark.parametrize("label", ["safe", "unsafe"])
def test_people_groups_events_norms_and_faiths_are_never_exchanged(kind: str, label: str) -> None:
    row = adapt_marked("I wonder about Xyz.", [("Xyz", kind, "holy_book")], prompt_label=label)
    assert [e.action for e in edits_of(row)] == ["topic"] and row.texts[0].flags == ("kept_source_culture",)


def test_a_house_of_worship_moves_only_in_a_safe_row_that_speaks_of_no_faith_besides() -> None:
    church: list[Mark] = [("the Baptist church", "worship")]
    assert prompt_of(adapt_marked("I go to the Baptist church.", church)) == "I go to the village church."
    assert prompt_of(adapt_marked("I go to the Baptist church.", church, **UNSAFE)) == "I go to the Baptist church."
    faith: list[Mark] = [*church, ("Jesus", "religion_custom")]
    assert prompt_of(adapt_marked("Jesus! The the Baptist church.", faith)) == "Jesus! The the Baptist church."


@pytest.mark.parametrize(("prompt", "expected"), [
    ("How do I steal from Walmart?", "How do I steal from a supermarket?"),
    ("the Walmart on 5th. Walmart closed.", "the supermarket on 5th. The supermarket closed."),
    ("Rob Walmart's safe.", "Rob the supermarket's safe."),
    ("my Walmart, a Walmart employee, Walmart employees", "my supermarket, a supermarket employee, supermarket employees"),
    ("all Walmarts", "all supermarkets"),
    ("ROB WALMART NOW", "ROB A SUPERMARKET NOW"),
    ("rob walmart now", "rob a supermarket now"),
])  # fmt: skip
@pytest.mark.parametrize("labels", [("unsafe", "safe"), ("safe", "unsafe"), (None, "safe"), ("controversial", None)])
def test_no_real_organisation_comes_into_a_row_that_is_not_wholly_safe(
    prompt: str, expected: str, labels: tuple[str | None, str | None]
) -> None:
    marks = [(s, "retailer", "grocery") for s in ("Walmarts", "Walmart", "WALMART", "walmart")]
    row = adapt_marked(prompt, marks, "No.", prompt_label=labels[0], response_label=labels[1])
    assert prompt_of(row) == expected and changes_outside(row.texts[0]) == 0


@pytest.mark.parametrize("kind", sorted(SAFE_ROWS_ONLY))
def test_without_a_generic_entry_an_organisation_of_an_unsafe_row_stays(kind: str) -> None:
    row = adapt_marked("I hate Xyz.", [("Xyz", kind)], pack=small_pack_with(**_without_generic()), **UNSAFE)
    assert prompt_of(row) == "I hate Xyz." and row.texts[0].flags == ("kept_source_culture",)


def _without_generic() -> dict[str, Any]:
    import yaml

    from tests.transforms.marking import PACK

    return {"types": {k: v for k, v in yaml.safe_load(PACK)["types"].items() if k != "generic"}}


def test_two_shops_of_an_unsafe_row_do_not_become_one_nor_is_one_left_abroad() -> None:
    row = adapt_marked(
        "Walmart or Target in Boston?", [WALMART, ("Target", "retailer", "grocery"), ("Boston", "city")], **UNSAFE
    )
    assert prompt_of(row) == "Walmart or Target in Boston?"


def test_real_names_can_be_left_out_of_all_rows() -> None:
    row = adapt(mark("Is Walmart open?", [WALMART]), "en-US", small_pack(), real_names=False)
    assert prompt_of(row) == "Is a supermarket open?"


def test_a_club_without_a_name_plays_the_sport_of_the_row() -> None:
    marks: list[Mark] = [("baseball", "sport"), ("New York Yankees", "club")]
    found = values("I hate baseball and the New York Yankees.", marks, **UNSAFE)
    assert found <= {"I hate soccer and a soccer club.", "I hate baseball and the New York Yankees."}


def test_no_well_known_person_is_made() -> None:
    marks: list[Mark] = [("Tyler", "name_m"), ("Kyle", "name_m"), ("Davis", "surname")]
    for text in values("Tyler Davis, Kyle R. Davis, Mr. Davis, Tyler Becker.", marks):
        assert "Boris Becker" not in text and "Boris R. Becker" not in text


def test_a_crisis_line_stays_unless_the_pack_has_a_sourced_one() -> None:
    line: list[Mark] = [("988", "institution", "suicide_line")]
    assert prompt_of(adapt_marked("Call 988.", line)) == "Call the Lifeline of Trust."
    entry = {"en": "the Lifeline of Trust", "role": "suicide_line"}
    authored = small_pack_with(types={"institution": {"source": "authored", "entries": [entry]}})
    assert prompt_of(adapt_marked("Call 988.", line, pack=authored)) == "Call 988."
    for surface, kind in (("1-800-273-8255", "phone"), ("988", "emergency"), ("988", "phone")):
        assert prompt_of(adapt_marked(f"Call {surface}.", [(surface, kind)], pack=authored)) == f"Call {surface}."


def test_phones_stay_where_no_range_is_reserved() -> None:
    row = adapt_marked("Call 555-0101.", [("555-0101", "phone")], pack=small_pack_with(phone=None))
    assert prompt_of(row) == "Call 555-0101." and row.texts[0].flags == ("kept_source_culture",)


# --- law ---


def test_a_row_that_turns_on_another_law_is_not_adapted() -> None:
    marks: list[Mark] = [("drink at 19", "jurisdiction", "alcohol"), WALMART, ("FBI", "police_body")]
    row = adapt_marked("May I drink at 19 at Walmart?", marks, "Ask the FBI.")
    assert [t.adapted for t in row.texts] == [t.source for t in row.texts]
    assert {e.action for e in edits_of(row)} == {"topic"}
    assert "label_review" in row.texts[0].flags and "label_review" not in row.texts[1].flags


def test_a_row_under_the_same_law_is_adapted() -> None:
    row = adapt_marked("Smoke weed at Walmart?", [("Smoke weed", "jurisdiction", "cannabis"), WALMART])
    assert prompt_of(row) in {f"Smoke weed at {v}?" for v in ("Aldi", "Lidl", "Olymp")}
    assert row.texts[0].flags == ()


@pytest.mark.parametrize("role", ["gambling", "", "unheard_of"])
def test_a_law_that_nobody_knows_is_another(role: str) -> None:
    row = adapt_marked("May I bet at Walmart?", [("bet", "jurisdiction", role), WALMART])
    assert prompt_of(row) == "May I bet at Walmart?" and "label_review" in row.texts[0].flags


def test_an_act_of_a_third_culture_or_of_both_changes_nothing() -> None:
    for cultures in (("fr-FR",), ("en-US", "xx-XX")):
        row = adapt_marked("May I drink at 19?", [("drink at 19", "jurisdiction", "alcohol")], cultures=cultures)
        assert row.texts[0].flags == ()


def test_the_source_pack_knows_its_own_law() -> None:
    assert load_pack("en-US").legal_status["guns"] == "right"
