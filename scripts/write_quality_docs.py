"""Writes docs/quality.md from the table of scores, the reasons and docs/quality_examples.yaml: `python -m scripts.write_quality_docs`.

Every example is scored as a pair of a run is, so that the page shows what the gate really says of it.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.calibrate import PairScorer, Scored
from schemas.locales import LANGUAGES
from schemas.reasons import FLAGS, GATE, JUDGE, NOTES
from schemas.scores import BY_NAME, SCORES, Score
from transforms.inference.sentence_encoder import BUNDLED, SentenceEncoder
from transforms.judge import PROFILES, Thresholds, merge_thresholds, shipped_layers

DOCS = Path(__file__).parent.parent / "docs"
_INTRO = """# Quality: every score and every reason

Written by `python -m scripts.write_quality_docs`; edit the table in `schemas/scores.py` or `docs/quality_examples.yaml` instead.

A row is accepted whole or rejected with the reasons of all its texts. Scores are computed for every text and stand in
`scores_prompt` and `scores_response` (other texts: `other_texts`), whatever the verdict, so that `transcreate judge` can judge
again without a model. A score that a threshold needs and that could not be computed is listed in `not_judged`, and rejects.
Where thresholds come from: [thresholds.md](thresholds.md); what they catch and what they cost: [bench/RESULTS.md](../bench/RESULTS.md).
"""

_JUDGE = """## A language model as judge

`judge` in the config names an OpenAI-compatible endpoint that gives every translated text five marks from 1 to 5: fluency, accuracy,
idiomaticity, terminology, handling of format. The worst of them is the score `faith`, so that a fluent refusal does not pass; a mark
below 3 rejects. With `judge.label: true` it also labels the translated row itself, with no translation back that could be what went
wrong, and `label_survives` tells whether each label is the source's. A judge that is down, refuses or answers no JSON passes nothing:
the score is not judged, and that rejects; the same command asks again. It may not be the model that adapts. Every translated text is
asked about once, also such that other scores reject, so that `transcreate judge` can weigh the marks anew; tokens and their price are
in the report. Tested against a local server that plays a judge; how well real models mark is not known here.
"""


@dataclass(frozen=True)
class Example:
    """A translation that a score rejects."""

    score: Score
    language: str
    source: str
    target: str


@functools.cache
def load_examples() -> tuple[Example, ...]:
    """The examples, in the order of the table."""
    raw = yaml.safe_load((DOCS / "quality_examples.yaml").read_text("utf-8"))
    return tuple(
        Example(s, raw[s.name]["language"], raw[s.name]["source"], raw[s.name]["target"])
        for s in SCORES
        if s.name in raw
    )


def shipped(language: str) -> Thresholds:
    """The thresholds of the profile balanced."""
    return merge_thresholds((language,), *shipped_layers(BUNDLED))


def judge_examples(scorer: PairScorer) -> dict[str, tuple[Scored, set[str]]]:
    """Score name -> (the scores of its example, the reasons against it)."""
    found = {}
    for example in load_examples():
        thresholds = shipped(example.language)
        language = LANGUAGES[example.language]
        (scored,) = scorer.score([(example.source, example.target)], language, thresholds.expansion[example.language])
        found[example.score.name] = (scored, scored.reasons(example.language, thresholds))
    return found


def page(judged: Mapping[str, tuple[Scored, set[str]]]) -> str:
    """The page, as Markdown."""
    parts = [_INTRO, "## Scores\n"]
    examples = {e.score.name: e for e in load_examples()}
    for score in SCORES:
        reason = f"rejects as `{score.reason}`" if score.reason else "reported only"
        scale = f"{_end(score.low)} to {_end(score.high)}, {score.better} is good"
        parts.append(f"### {score.name}\n{score.about} ({scale}; {reason}.)\n")
        if score.name in judged:
            parts.append(_example(examples[score.name], *judged[score.name]))
    parts.append(_JUDGE)
    parts.append("## Reasons\n")
    for title, table in (("The gate, before anything else", GATE), ("Judge", JUDGE), ("Flags that only tell", NOTES)):
        parts.append(f"{title}:\n\n| code | what it says |\n|---|---|")
        parts.append("\n".join(f"| `{code}` | {about} |" for code, about in table.items()) + "\n")
    parts.append(f"Flags that reject whatever the scores say: {', '.join(f'`{flag}`' for flag in FLAGS)}.\n")
    rates = ", ".join(f"`{name}` {rate:.1%}" for name, rate in PROFILES.items())
    parts.append(
        "## Profiles\n\n`thresholds.profile` chooses how many good human translations all calibrated scores together may cost: "
        f"{rates}. `balanced` is the default. Your own: `transcreate calibrate --pairs FILE...` and `thresholds.file`."
    )
    return "\n".join(parts) + "\n"


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:g}"


def _example(example: Example, scored: Scored, reasons: set[str]) -> str:
    limit = shipped(example.language).get(example.score.name, example.language, scored.short)
    others = [f"`{s.reason}`" for s in SCORES if s.reason in reasons and s.reason != example.score.reason]
    value: Any = scored.scores[example.score.name]
    return (
        f"> {_shown(example.source)} → {_shown(example.target)}\n>\n"
        f"> {example.language}: {value:g}, limit {limit:g}{'; also ' + ', '.join(others) if others else ''}\n"
    )


def _shown(text: str) -> str:
    return text.replace("\n", " ⏎ ").replace("\u200b", "␣").replace("`", "\\`")


def main() -> int:
    """Writes the page."""
    judged = judge_examples(PairScorer(SentenceEncoder(BUNDLED, "", "cpu")))
    (DOCS / "quality.md").write_text(page(judged), "utf-8")
    wrong = [name for name, (_, reasons) in judged.items() if BY_NAME[name].reason not in reasons]
    print(
        f"not rejected by the score they are for: {', '.join(wrong)}"
        if wrong
        else f"{len(judged)} examples, all rejected"
    )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
