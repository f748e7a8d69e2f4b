"""docs/quality.md shows what the gate says of its examples."""

from __future__ import annotations

import pytest

from pipeline.calibrate import PairScorer, Scored
from schemas.reasons import REASONS
from schemas.scores import SCORES
from scripts.write_quality_docs import DOCS, judge_examples, load_examples, page
from transforms.inference.sentence_encoder import BUNDLED, SentenceEncoder

Judged = dict[str, tuple[Scored, set[str]]]
# Of these no pair of texts alone is an example: they look at the decoder, at edits, at an adaptation, or at more than two unsafe words.
WITHOUT = {"unknown_tokens", "decoder", "decoder_worst", "edits_kept", "toxicity_added", "toxicity_lost"}


@pytest.fixture(scope="module")
def judged() -> Judged:
    return judge_examples(PairScorer(SentenceEncoder(BUNDLED, "", "cpu")))


@pytest.mark.parametrize("example", load_examples(), ids=lambda e: e.score.name)
def test_every_example_is_rejected_for_its_reason(judged: Judged, example: object) -> None:
    score = example.score  # type: ignore[attr-defined]
    assert score.reason in judged[score.name][1]


def test_every_score_of_a_pair_that_rejects_has_an_example(judged: Judged) -> None:
    rejecting = {s.name for s in SCORES if s.reason and s.by_score and s.name != "emoji"}
    assert rejecting - WITHOUT == set(judged)


def test_the_page_is_written_from_the_table(judged: Judged) -> None:
    assert (DOCS / "quality.md").read_text("utf-8") == page(judged), "run python -m scripts.write_quality_docs"
    assert all(f"`{reason}`" in page(judged) for reason in REASONS)
