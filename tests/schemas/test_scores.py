from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.parquet import SCHEMA
from schemas.scores import BY_NAME, SCORES, Score

each_score = pytest.mark.parametrize("score", SCORES, ids=lambda s: s.name)


@each_score
def test_every_score_is_complete(score: Score) -> None:
    assert re.fullmatch(r"[a-z_]+", score.name)
    assert score.better in ("high", "low")
    assert score.low is not None or score.high is not None
    assert score.low is None or score.high is None or score.low < score.high
    assert score.reason is None or re.fullmatch(r"[a-z_]+", score.reason)
    assert score.about[0].isupper()
    assert score.about.endswith((".", ")"))


def test_names_are_unique_and_the_table_is_the_only_source() -> None:
    names = [score.name for score in SCORES]
    assert len(set(names)) == len(names)
    assert list(BY_NAME) == names
    for column in ("scores_prompt", "scores_response"):
        assert [field.name for field in SCHEMA.field(column).type] == names


@settings(max_examples=50, deadline=None)
@given(score=st.sampled_from(SCORES), value=st.floats(-9, 9), threshold=st.floats(-9, 9))
def test_the_threshold_itself_passes_and_only_the_worse_side_is_beyond(
    score: Score, value: float, threshold: float
) -> None:
    assert not score.beyond(threshold, threshold)
    assert score.beyond(value, threshold) == (value < threshold if score.better == "high" else value > threshold)


def test_a_score_is_never_judged_from_both_sides() -> None:
    assert BY_NAME["length_ratio"].better != BY_NAME["length_excess"].better
    assert {s.better for s in SCORES if s.name.startswith("toxicity")} == {"low"}
