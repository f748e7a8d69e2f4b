from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.rows import Segment, Text
from schemas.scores import SCORES
from tests.builders import make_row
from transforms.judge import judge, judge_text, merge_thresholds

SEGMENT = Segment(
    "How are you today, my friend from the city, and how is everybody whom I met there last year?",
    "Wie geht es dir?",
    -0.1,
    -0.5,
    0,
    (),
)
TEXT = Text(
    "prompt",
    0,
    SEGMENT.source,
    SEGMENT.source,
    SEGMENT.target,
    segments=(SEGMENT,),
    scores={"similarity": 0.9, "copy": 0.1},
)
THRESHOLDS = merge_thresholds(
    ("deu_Latn",), {"origin": "test", "similarity": {"deu_Latn": {"short": 0.7, "long": 0.85}}, "copy": 0.5}
)


def test_a_text_within_its_thresholds_has_no_reason() -> None:
    assert judge_text(TEXT, "deu_Latn", THRESHOLDS) == []


def test_a_value_at_the_threshold_passes_and_beyond_it_does_not() -> None:
    assert judge_text(replace(TEXT, scores={"similarity": 0.85, "copy": 0.5}), "deu_Latn", THRESHOLDS) == []
    assert judge_text(replace(TEXT, scores={"similarity": 0.8499, "copy": 0.1}), "deu_Latn", THRESHOLDS) == [
        "meaning_differs"
    ]
    assert judge_text(replace(TEXT, scores={"similarity": 0.9, "copy": 0.51}), "deu_Latn", THRESHOLDS) == ["copied"]


def test_short_texts_have_thresholds_of_their_own() -> None:
    short = replace(TEXT, adapted="How are you?", scores={"similarity": 0.75})
    assert judge_text(short, "deu_Latn", THRESHOLDS) == []


def test_a_missing_score_is_a_reason_unless_it_does_not_apply() -> None:
    assert judge_text(replace(TEXT, scores={"copy": 0}, not_judged=("similarity",)), "deu_Latn", THRESHOLDS) == [
        "not_judged"
    ]
    assert judge_text(replace(TEXT, scores={"copy": 0}), "deu_Latn", THRESHOLDS) == []


def test_cross_lingual_scores_do_not_apply_where_nothing_was_translated() -> None:
    assert (
        judge_text(replace(TEXT, scores={"similarity": 0.1, "copy": 0.9}), "deu_Latn", THRESHOLDS, crosses=False) == []
    )


@pytest.mark.parametrize("flag", ["translation_failed", "truncated", "oversized"])
def test_a_damaging_flag_is_a_reason(flag: str) -> None:
    assert flag in judge_text(replace(TEXT, flags=(flag,)), "deu_Latn", THRESHOLDS)


def test_a_harmless_flag_is_none() -> None:
    assert judge_text(replace(TEXT, flags=("cut_inside_sentence", "kept_source_culture")), "deu_Latn", THRESHOLDS) == []


def test_a_row_is_accepted_whole_or_not_at_all() -> None:
    bad = replace(TEXT, role="response", turn=1, scores={"similarity": 0.1})
    row = replace(make_row(), language="deu_Latn", origin="machine_translated", texts=(TEXT, bad))
    verdict = judge(row, THRESHOLDS).verdict
    assert verdict is not None and not verdict.accepted and verdict.reasons == ("meaning_differs",)


@given(st.sampled_from([s for s in SCORES if s.reason]), st.floats(-2, 2), st.floats(-2, 2))
def test_a_better_score_never_turns_an_acceptance_into_a_rejection(score, a, b) -> None:
    thresholds = merge_thresholds(("deu_Latn",), {score.name: 0.0})
    worse, better = (min(a, b), max(a, b)) if score.better == "high" else (max(a, b), min(a, b))
    rejected = [
        bool(judge_text(replace(TEXT, scores={score.name: v}), "deu_Latn", thresholds)) for v in (worse, better)
    ]
    assert rejected[0] >= rejected[1]


def test_later_layers_win_and_null_switches_a_score_off() -> None:
    merged = merge_thresholds(
        ("deu_Latn", "tha_Thai"), {"copy": 0.5, "numbers": 1}, {"copy": {"deu_Latn": 0.4}, "numbers": None}
    )
    assert merged.get("copy", "deu_Latn", False) == 0.4 and merged.get("copy", "tha_Thai", False) == 0.5
    assert merged.get("numbers", "deu_Latn", False) is None


def test_a_threshold_for_no_score_is_an_error_that_lists_the_scores() -> None:
    with pytest.raises(ValueError, match="similarity_min"):
        merge_thresholds(("deu_Latn",), {"lid_langdetect": 0.5})


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        ({"copy": True}, "finite number"),
        ({"copy": float("nan")}, "finite number"),
        ({"copy": "0.5"}, "finite number"),
        ({"copy": {"hi-IN": 0.5}}, "hi-IN is no FLORES-200 code"),
        ({"copy": {"hin_Deva": {"short": 1}}}, "exactly the keys short and long"),
        ({"copy": {"hin_Deva": None}}, "finite number"),
        ({"expansion": {"hin_Deva": 0}}, "above 0"),
    ],
)
def test_what_is_no_threshold_is_an_error_that_names_the_key(layer: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        merge_thresholds(("hin_Deva",), layer)


def test_short_and_long_go_for_all_languages_and_origins_are_kept_by_language() -> None:
    merged = merge_thresholds(
        ("deu_Latn", "hin_Deva"),
        {"origin": "a", "copy": {"short": 0.4, "long": 0.6}},
        {"origin": "b", "copy": {"deu_Latn": 0.5}},
    )
    assert merged.get("copy", "hin_Deva", True) == 0.4 and merged.get("copy", "hin_Deva", False) == 0.6
    assert merged.origins["copy"] == {"deu_Latn": "b", "hin_Deva": "a"}
