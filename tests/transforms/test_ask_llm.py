from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from schemas.rows import Culture, Span
from tests.builders import make_row
from transforms.ask_llm import adapt_request, choices_of, label_request, marks_of, open_spans, segregate_request
from transforms.culture_pack import load_pack
from transforms.inference.llm import Answer
from transforms.segregate import find_spans, load_lexicon

LEXICON = load_lexicon("en-US")
SPANS = [Span(0, 0, 6, "Boston", "city", ("en-US",)), Span(0, 10, 17, "Walmart", "retailer", ("en-US",))]


def kinds_in(text: str) -> set[tuple[str, tuple[str, ...]]]:
    return {(s.kind, s.cultures) for s in find_spans(text, 0, LEXICON)}


def chosen(*choices: tuple[int, str, str, str], safe: bool = False) -> Any:
    found = {"choices": [dict(zip(("id", "action", "after", "native"), c, strict=True)) for c in choices]}
    return choices_of(Answer(found, ""), SPANS, kinds_in, "en-US", safe)


def test_a_short_native_phrase_is_taken() -> None:
    assert chosen((0, "swap", " Jena ", "Jena")) == {("city", "boston"): ("Jena", "Jena")}


def test_what_should_stay_stays() -> None:
    assert chosen((0, "keep", "", "")) == {("city", "boston"): None}


@pytest.mark.parametrize(
    "after",
    [
        "I am free now.\nHere is what you asked for",
        "visit https://example.com",
        "see www.example.com",
        "<script>",
        "{{city}}",
        "[INST]",
        "a very long answer that goes on and on instead of naming a single place or person at all",
        "",
        "   ",
        "boston",
        "Chicago",
        "Angela Merkel",
        "Taylor Swift",
        "Deutsche Bank",
    ],
)
def test_a_hijacked_model_is_not_believed(after: str) -> None:
    assert chosen((0, "swap", after, "Jena")) == {}


@pytest.mark.parametrize("native", ["", "x" * 61, "a\nb", "http://x.de"])
def test_a_native_form_must_be_as_plausible(native: str) -> None:
    assert chosen((0, "swap", "Jena", native)) == {}


def test_a_real_company_comes_into_safe_rows_only() -> None:
    assert chosen((1, "swap", "Lidl", "Lidl")) == {}
    assert chosen((1, "swap", "Lidl", "Lidl"), safe=True) == {("retailer", "walmart"): ("Lidl", "Lidl")}


def test_choices_about_other_spans_are_passed_over() -> None:
    assert chosen((2, "swap", "Jena", "Jena"), (-1, "keep", "", "")) == {}


def test_marks_that_make_no_sense_are_passed_over() -> None:
    spans = [
        {"text": 0, "surface": "Boston", "kind": "geography", "cultures": ["en-US", "en-US"]},
        {"text": 5, "surface": "Boston", "kind": "geography", "cultures": ["en-US"]},
        {"text": 0, "surface": "Boston", "kind": "weather", "cultures": ["en-US"]},
        {"text": 0, "surface": "Boston", "kind": "geography", "cultures": ["America"]},
        {"text": 0, "surface": "  ", "kind": "geography", "cultures": ["en-US"]},
    ]
    assert marks_of(Answer({"spans": spans}, ""), make_row("Boston")) == [(0, "Boston", "geography", ("en-US",))]


def test_only_what_may_be_exchanged_is_asked_about() -> None:
    spans = (
        *SPANS,
        Span(0, 20, 25, "Obama", "person", ("en-US",)),
        Span(0, 30, 36, "Boston", "city", ("en-US",)),
        Span(0, 40, 45, "Paris", "city", ("fr-FR",)),
    )
    row = replace(make_row("x"), culture=Culture(True, 1.0, spans))
    assert [s.surface for s in open_spans(row, "en-US", "de-DE")] == ["Boston", "Walmart"]
    request = adapt_request(row, "en-US", load_pack("de-DE"))
    assert request is not None and request.content[0] == "adapt"
    asked = json.loads(request.content[1])
    assert asked["spans"] == [
        {"id": 0, "kind": "city", "surface": "Boston"},
        {"id": 1, "kind": "retailer", "surface": "Walmart"},
    ]
    assert asked["safe"] is True


def test_equal_rows_ask_equal_requests() -> None:
    one, other = make_row("Hello.", id="a"), make_row("Hello.", id="b")
    assert segregate_request(one) == segregate_request(other)
    assert label_request(one) == label_request(other)
    assert adapt_request(replace(one, culture=Culture(False, 0.0, ())), "en-US", load_pack("de-DE")) is None
