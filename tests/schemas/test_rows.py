from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rows import DeadLetter, Origin, Row, Sample, Text, Verdict, row_from_json, row_to_json
from tests.builders import make_row

texts = st.text(st.characters(codec="utf-8"), max_size=30)
maybe = st.none() | texts
samples = st.builds(
    Sample, maybe, texts, st.sampled_from(["train", "validation", "test"]), maybe, maybe, maybe, maybe,
    st.lists(texts, max_size=3).map(tuple), maybe, texts, texts, st.builds(Origin, texts, st.integers(1, 10**9)), texts,
)  # fmt: skip
rows = st.builds(
    Row, samples,
    st.lists(st.builds(Text, texts, st.integers(0, 9), maybe, flags=st.lists(texts, max_size=2).map(tuple)),
    max_size=3).map(tuple),
    id=texts, group_id=texts, locale=texts, language=texts, n_locales=st.integers(0, 9), same_text_as=maybe,
    origin=texts,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(rows)
def test_a_canonical_row_survives_json(row: Row) -> None:
    line = row_to_json(row)
    assert "\n" not in line
    assert "\r" not in line
    assert row_from_json(line) == row
    assert row_to_json(row_from_json(line)) == line


@pytest.mark.parametrize("kind", [Row, Sample, Text, DeadLetter, Origin, Verdict])
def test_records_cannot_be_changed(kind: Any) -> None:
    assert kind.__dataclass_params__.frozen


def test_a_verdict_without_reasons_accepts() -> None:
    assert Verdict(()).accepted
    assert not Verdict(("redacted",)).accepted


def test_texts_are_found_by_role() -> None:
    row = make_row("p", "r")
    assert (row.text("prompt"), row.text("response"), row.text("system")) == (row.texts[0], row.texts[1], None)


@pytest.mark.parametrize(
    ("role", "turn", "name"),
    [
        ("prompt", 4, "prompt"), ("response", 5, "response"), ("rationale", 6, "rationale"), ("system", 0, "system"),
        ("system", 3, "system[3]"), ("user", 0, "user[0]"), ("assistant", 1, "assistant[1]"), ("tool", 2, "tool[2]"),
    ],
)  # fmt: skip
def test_a_text_is_called_by_its_role_and_by_its_turn_where_there_may_be_several(
    role: str, turn: int, name: str
) -> None:
    assert Text(role, turn, None).name == name


@settings(max_examples=50, deadline=None)
@given(st.builds(DeadLetter, texts, texts, texts, texts, st.integers(1, 9)))
def test_a_dead_letter_is_one_line_of_json(letter: DeadLetter) -> None:
    line = letter.as_json()
    assert "\n" not in line
    assert json.loads(line) == dataclasses.asdict(letter)
