from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LOCALES
from tests.builders import american_sentence, make_segregated, template_keys
from transforms.culture_pack import load_pack
from transforms.segregate import MEASURE_PATTERNS, find_spans, load_lexicon

LEXICON = load_lexicon("en-US", tuple(LOCALES))


def found(text: str, kind: str | None = None) -> list[str]:
    return [s.surface for s in find_spans(text, 0, LEXICON) if kind in (None, s.kind)]


# --- words ---


@pytest.mark.parametrize("entry", load_pack("en-US").entries(), ids=lambda e: e.en)
def test_every_name_of_the_source_pack_is_found_in_a_sentence(entry: object) -> None:
    surface, kind = entry.en, entry.type  # type: ignore[attr-defined]
    spans = find_spans(f"Tell me about {surface}, please.", 0, LEXICON)
    assert [(s.surface, s.kind) for s in spans] == [(surface, kind)]
    assert "en-US" in spans[0].cultures


@pytest.mark.parametrize("text", [
    "Bostonian ways", "Texass", "New Bostons", "Emily2 is a bot", "Emily_x", "preThanksgiving", "emily", "BOSTON",
    "cornbreads",
    "the fbi", "THE IRS", "new york", "",
])  # fmt: skip
def test_a_name_is_found_only_as_whole_words_in_its_own_case(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(("text", "expected"), [
    ("The IRS called the IRS.", ["The IRS", "the IRS"]),
    ("Cornbread and cornbread", ["Cornbread", "cornbread"]),
    ("Emily's dog and Emily’s cat", ["Emily", "Emily"]),
    ("(Boston)\n\"Texas\" -Ohio- Emily/Michael", ["Boston", "Texas", "Ohio", "Emily", "Michael"]),
    ("Is it Presidents' Day or Presidents’ Day?", ["Presidents' Day", "Presidents’ Day"]),
    ("Boston, Boston", ["Boston", "Boston"]),
    ("日本Bostonに Boston に", ["Boston"]),
])  # fmt: skip
def test_possessives_punctuation_and_sentence_case_do_not_hide_a_name(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(("text", "expected"), [
    ("the New York Yankees", [("the New York Yankees", "club")]),
    ("New York", [("New York", "city")]),
    ("The New York Times", [("The New York Times", "news")]),
    ("the US Supreme Court and the Supreme Court", [("the US Supreme Court", "court"), ("the Supreme Court", "court")]),
    ("Kansas City in Kansas", [("Kansas City", "city")]),
    ("Ohio State University in Ohio", [("Ohio State University", "university"), ("Ohio", "region")]),
])  # fmt: skip
def test_the_longest_name_wins(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(s.surface, s.kind) for s in find_spans(text, 0, LEXICON)] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(
    st.sampled_from([e.en for locale in LOCALES for e in load_pack(locale).entries()]),
    st.sampled_from(["$5", "20 miles", "5 pounds", "70 degrees Fahrenheit", "(212) 555-0123", "`Boston`", "\n", "'s",
    "$", "911"]),
    st.text(max_size=6),
), max_size=8), st.sampled_from([" ", "", ", ", "\n", "-"]))  # fmt: skip
def test_spans_are_ordered_apart_and_say_what_stands_there(parts: list[str], between: str) -> None:
    text = between.join(parts)
    spans = find_spans(text, 3, LEXICON)
    at = 0
    for span in spans:
        assert span.text == 3
        assert at <= span.start < span.end
        assert text[span.start : span.end] == span.surface
        assert span.cultures
        at = span.end


# --- cultures ---


@pytest.mark.parametrize(("text", "locale"), [
    ("When is Eid al-Fitr?", "ar-EG"), ("When is Diwali?", "hi-IN"), ("Songkran is soon.", "th-TH"),
    ("I was in Munich.", "de-DE"),
])  # fmt: skip
def test_what_belongs_to_another_culture_is_marked_and_makes_no_row_specific(text: str, locale: str) -> None:
    row = make_segregated(text)
    assert row.culture is not None
    assert not row.culture.specific
    assert row.culture.score == 0
    assert any(locale in s.cultures and "en-US" not in s.cultures for s in row.culture.spans)


def test_a_name_of_several_cultures_belongs_to_all_of_them_the_source_first() -> None:
    (span,) = find_spans("Call 911 now.", 0, LEXICON)
    assert span.cultures == ("en-US", "es-MX")
    assert span.kind == "emergency"


def test_a_lexicon_holds_only_the_locales_of_the_run() -> None:
    assert find_spans("When is Diwali?", 0, load_lexicon("en-US", ("de-DE",))) == []


def test_a_generic_row_has_no_evidence() -> None:
    row = make_segregated("How can I bake bread?", "Mix flour and water.")
    assert row.culture is not None
    assert row.culture.spans == ()
    assert (row.culture.specific, row.culture.score) == (False, 0)


def test_more_evidence_makes_it_more_certain() -> None:
    one, two = make_segregated("I live in Boston."), make_segregated("I live in Boston.", "Boston is nice.")
    assert one.culture is not None
    assert two.culture is not None
    assert (one.culture.specific, one.culture.score, two.culture.score) == (True, 0.5, 0.75)


def test_spans_name_the_text_they_stand_in_and_rows_without_texts_have_none() -> None:
    row = make_segregated("Boston", "Texas")
    assert row.culture is not None
    assert [(s.text, s.surface) for s in row.culture.spans] == [(0, "Boston"), (1, "Texas")]
    nothing = make_segregated(None).culture
    assert nothing is not None
    assert nothing.spans == ()


@pytest.mark.parametrize("key", template_keys())
def test_a_template_with_culture_in_it_is_specific_when_filled_with_american_values(key: str) -> None:
    row = make_segregated(american_sentence(key, 0))
    assert row.culture is not None
    if "culture" in key:
        assert row.culture.specific


# --- quantities ---

FOUND = [
    ("money", "It costs $5.", "$5"),
    ("money", "It costs $1,250.50, I think", "$1,250.50"),
    ("money", "$ 20 a day", "$ 20"),
    ("money", "$12000", "$12000"),
    ("money", "I owe 5 dollars.", "5 dollars"),
    ("money", "2,000 dollars", "2,000 dollars"),
    ("money", "$20 dollars", "$20 dollars"),
    ("money", "Pay $5/day", "$5"),
    ("money", "Pay $5-", "$5"),
    ("money", "It costs $5, 6 of us came", "$5"),
    ("distance", "20 miles away", "20 miles"),
    ("distance", "1.5 miles.", "1.5 miles"),
    ("distance", "a 5 mile walk", "5 mile"),
    ("distance", "10,000 miles", "10,000 miles"),
    ("weight", "It weighs 30 pounds.", "30 pounds"),
    ("temperature", "70 degrees Fahrenheit outside", "70 degrees Fahrenheit"),
    ("temperature", "98.6 degrees Fahrenheit", "98.6 degrees Fahrenheit"),
    ("phone", "Call 555-0123.", "555-0123"),
    ("phone", "Call (212) 555-0123!", "(212) 555-0123"),
    ("phone", "Call (212)555-0123", "(212)555-0123"),
    ("phone", "Call 212-555-0199", "212-555-0199"),
    ("phone", "Call 1-212-555-0199", "1-212-555-0199"),
    ("phone", "Call +1 (212) 555-0199", "+1 (212) 555-0199"),
]


@pytest.mark.parametrize(("kind", "text", "expected"), FOUND)
def test_an_american_quantity_is_found_whole(kind: str, text: str, expected: str) -> None:
    (span,) = find_spans(text, 0, LEXICON)
    assert (span.kind, span.surface, span.cultures) == (kind, expected, ("en-US",))
    assert MEASURE_PATTERNS[kind].fullmatch(span.surface)


@pytest.mark.parametrize("text", [
    "$5 million", "$2.5 million", "$50 million", "$50.25 million", "$5M", "$5k", "$2.5k", "$5K", "$5 billion",
    "$5-million",
    "$5 thousand", "$5 bn", "$1,2345", "$1.2.3", "A$50", "US$50", "$$5", "$", "$abc", "$5-10", "$5 to 10", "$5–10",
    "$x5",
    "5 million dollars", "1,00 dollars", "1.000.5 dollars", "5 and 10 dollars", "5 dollars and 50 cents", "x5 dollars",
    "1.5 miles per hour", "60 miles per gallon", "30 miles to the gallon", "60 miles/hour", "5 nautical miles",
    "20 mileses",
    "1/2 miles", "5-10 miles", "5 to 10 miles", "5 or 10 miles", "1,00 miles", ".5 miles", "2½ miles",
    "5 pounds sterling", "30 pounds per square inch", "7 pounds 8 ounces", "7 pounds, 8 ounces", "5 Egyptian pounds",
    "-40 degrees Fahrenheit", "−40 degrees Fahrenheit", "minus 40 degrees Fahrenheit", "70 degrees",
    "70 degrees Celsius",
    "555-0223", "1555-0123", "555-01234", "555-0123-4", "44-1-555-0123",
])  # fmt: skip
def test_what_only_looks_like_a_quantity_is_left_alone(text: str) -> None:
    assert found(f"I said {text} then.") == []
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["1,911 people", "3.911", "$911 million", "911.5", "9.911", "911-4000", "911%", "12:911", "#911"]
)
def test_digits_of_a_longer_number_are_no_emergency_number(text: str) -> None:
    assert found(f"It was {text} then.", "emergency") == []


@pytest.mark.parametrize("text", ["Call 911.", "911, what is your emergency?", "(911)", "Call 911: now", "911"])
def test_the_emergency_number_is_found(text: str) -> None:
    assert found(text) == ["911"]


def test_quantities_of_another_source_culture_are_not_read_as_american() -> None:
    assert find_spans("It costs $5.", 0, load_lexicon("de-DE", ("en-US",))) == []


# --- what stays as it is ---


@pytest.mark.parametrize("text", [
    "See https://example.com/Boston/Thanksgiving now.",
    "Write to Emily@example.com.",
    "Run `grep Boston $5`.",
    "```\nprint('Boston', '$5')\n```\n",
    "~~~sh\r\necho Boston\r\n~~~\r\n",
    '{"city": "Boston"}',
    'As JSON:\n{"city": "Boston"}\n',
    '<a title="Boston">',
])  # fmt: skip
def test_code_urls_and_other_pieces_that_stay_verbatim_have_no_spans(text: str) -> None:
    assert found(text) == []


def test_many_kept_pieces_leave_the_spans_between_them() -> None:
    assert found("`Boston` Texas https://example.com/Boston {Emily} " * 3000) == ["Texas"] * 3000


def test_text_around_code_has_spans() -> None:
    assert found("Boston `Boston` Boston\n```\nBoston\n```\nTexas") == ["Boston", "Boston", "Texas"]
