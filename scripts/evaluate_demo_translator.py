"""Measures a demo translator: how it translates the phrase book, and what its own scores say about everything else.

`python -m scripts.evaluate_demo_translator --json figures.json --errors errors.tsv --thresholds --card`

Two questions. Are sentences right whose combination of template and values was never trained on? And do the decoder's
log-probabilities tell such sentences from English that the model has never seen, for which it can only make things up?
Thresholds for the second are fitted on one half of the sentences and reported on the other.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import yaml

from data import resource
from schemas.locales import LANGUAGES
from schemas.rows import Segment
from scripts.phrasebook import LOCALES
from scripts.train_demo_translator import OUT, SEED, pairs
from transforms.inference.decoding import Decoding
from transforms.inference.nllb import NllbModel

BATCH = 64
# Share of in-domain sentences that the thresholds may refuse.
BUDGET = 0.01
# Share of out-of-domain sentences that may pass when the thresholds are widened.
ROOM = 0.005
EVALUATION_SEED = 2020
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
# Thresholds for one score alone, for both, and for both if wrong translations may be refused without counting.
GATES = ("logprob", "worst", "both", "both_of_right")


@dataclass(frozen=True)
class Pair:
    """A phrase book sentence and its translation."""

    template: str
    source: str
    target: str


@dataclass(frozen=True)
class Gate:
    """A segment passes if both scores reach these, and if it carries no flag and no unknown token."""

    logprob: float
    worst: float

    def passes(self, segment: Segment) -> bool:
        return is_sound(segment) and segment.logprob >= self.logprob and segment.worst >= self.worst


def is_sound(segment: Segment) -> bool:
    """Whether a segment has neither flags nor unknown tokens, whatever its scores."""
    return not segment.flags and not segment.unknown


# --- sentences ---


def trained_pairs(per_template: int) -> dict[str, list[Pair]]:
    """The pairs that `train` drew, language by language, from the same seed in the same order."""
    rng = random.Random(SEED)
    return {lang: [Pair(*p) for p in pairs(lang, per_template, False, rng)] for lang in LOCALES}


def evenly(drawn: Iterable[Pair], n: int, rng: random.Random) -> list[Pair]:
    """At most n pairs, taken in turn from each template in random order, so that every template has its share."""
    by_template: dict[str, list[Pair]] = defaultdict(list)
    for pair in drawn:
        by_template[pair.template].append(pair)
    queues = [rng.sample(queue, len(queue)) for queue in by_template.values()]
    rng.shuffle(queues)
    turns = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    return list(itertools.islice((pair for pair in turns if pair is not None), n))


def held_out_pairs(language: str, n: int, trained: Iterable[Pair], rng: random.Random) -> list[Pair]:
    """At most n pairs whose combination was kept from the training, evenly over the templates that have any.

    `pairs` counts a template's combinations among what it drew, so after a training with few draws per template a
    sentence can be held out here that was trained there: such a sentence is left out, with a warning.
    """
    known = {pair.source for pair in trained}
    drawn = [Pair(*p) for p in pairs(language, max(20, n // 8), True, rng)]
    if leaked := [pair.source for pair in drawn if pair.source in known]:
        print(f"{language}: left out {len(leaked)} sentences that were trained on, such as {leaked[0]!r}")
    return evenly((pair for pair in drawn if pair.source not in known), n, rng)


def read_lines(path: Path) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in path.read_text("utf-8").splitlines() if line.strip()))


def halves(items: Sequence[Any], seed: str) -> tuple[list[Any], list[Any]]:
    """Splits at random, always alike: the half to fit on, the half to report on."""
    order = random.Random(seed).sample(range(len(items)), len(items))
    middle = (len(items) + 1) // 2
    return [items[i] for i in order[:middle]], [items[i] for i in order[middle:]]


def translate(model: NllbModel, sources: Sequence[str], language: str) -> list[Segment]:
    """Translates English sentences in batches, two side by side."""
    questions = [(text, "eng_Latn", language) for text in sources]
    batches = [questions[i : i + BATCH] for i in range(0, len(questions), BATCH)]
    with ThreadPoolExecutor(2) as pool:
        return [s for answers in pool.map(model.translate, batches) for s in answers]


# --- quality ---


def quality(expected: Sequence[Pair], got: Sequence[Segment]) -> dict[str, Any]:
    """Exact matches, corpus chrF, and for each template with failures how many of how many failed."""
    from sacrebleu.metrics.chrf import CHRF

    total = Counter(pair.template for pair in expected)
    wrong = Counter(p.template for p, s in zip(expected, got, strict=True) if s.target != p.target)
    chrf = CHRF().corpus_score([s.target for s in got], [[p.target for p in expected]]).score
    return {
        "sentences": len(expected),
        "templates": len(total),
        "exact": 1 - wrong.total() / len(expected),
        "chrf": round(chrf, 2),
        "failures": {key: [n, total[key]] for key, n in wrong.most_common()},
    }


def replaced(expected: str, got: str, spaceless: bool) -> list[tuple[str, str]]:
    """The stretches in which two sentences differ, as (expected, got) pairs."""
    a, b = (list(expected), list(got)) if spaceless else (expected.split(), got.split())
    glue = "" if spaceless else " "
    changes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    return [(glue.join(a[i:j]), glue.join(b[k:m])) for tag, i, j, k, m in changes if tag != "equal"]


# --- the gate ---


def quantiles(values: Iterable[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {f"{q:g}": ordered[min(len(ordered) - 1, int(q * len(ordered)))] for q in QUANTILES}


def spare(segments: Sequence[Segment], budget: float) -> int:
    """How many sound segments a gate may refuse, since the unsound ones are refused anyway."""
    return max(0, int(budget * len(segments)) - sum(not is_sound(s) for s in segments))


def highest(values: Iterable[float], refused: int) -> float:
    """The highest threshold that at most so many values fall below."""
    ordered = sorted(values)
    return ordered[min(refused, len(ordered) - 1)] if ordered else -math.inf


def fit(inside: Sequence[Segment], outside: Sequence[Segment], budget: float = BUDGET) -> dict[str, Gate]:
    """Thresholds for each score alone and for both together that refuse at most a share of the inside.

    Of all pairs that spend the budget, the one is taken that lets the fewest of the outside pass.
    """
    sound, allowed = [s for s in inside if is_sound(s)], spare(inside, budget)
    found = {
        "logprob": Gate(highest((s.logprob for s in sound), allowed), -math.inf),
        "worst": Gate(-math.inf, highest((s.worst for s in sound), allowed)),
    }
    candidates = []
    for logprob in sorted({s.logprob for s in sound})[: allowed + 1]:
        kept = [s for s in sound if s.logprob >= logprob]
        left = allowed - (len(sound) - len(kept))
        if left >= 0:
            candidates.append(Gate(logprob, highest((s.worst for s in kept), left)))
    candidates = candidates or [Gate(-math.inf, -math.inf)]
    found["both"] = widen(min(candidates, key=lambda gate: sum(map(gate.passes, outside))), outside)
    return found


def widen(gate: Gate, outside: Sequence[Segment]) -> Gate:
    """Lowers both thresholds by up to half their value, as far as the outside stays out.

    A quantile of a few hundred sentences is a guess; between the two groups there is room to be lenient in.
    """
    for factor in (1.5, 1.4, 1.3, 1.2, 1.1):
        wider = Gate(factor * gate.logprob, factor * gate.worst)
        if share(wider, outside) <= ROOM:
            return Gate(round(wider.logprob, 4), round(wider.worst, 4))
    return gate


def share(gate: Gate, segments: Sequence[Segment]) -> float:
    """The share of segments that pass."""
    return sum(map(gate.passes, segments)) / len(segments) if segments else math.nan


def gate_figures(
    language: str, inside: Sequence[tuple[Pair, Segment]], outside: Mapping[str, Sequence[Segment]]
) -> dict[str, Any]:
    """Fits the three gates on one half of everything and measures them on the other."""
    fit_in, report_in = halves(inside, f"inside {language}")
    # Every language gets the same half of the outside sentences: the split knows their order, not their answers.
    split = {name: halves(segments, name) for name, segments in outside.items()}
    to_fit_out = [s for half, _ in split.values() for s in half]
    gates = fit([s for _, s in fit_in], to_fit_out)
    gates["both_of_right"] = fit([s for p, s in fit_in if s.target == p.target], to_fit_out)["both"]
    right = [s for p, s in report_in if s.target == p.target]
    wrong = [s for p, s in report_in if s.target != p.target]
    figures: dict[str, Any] = {"fitted_on": len(fit_in), "reported_on": len(report_in), "wrong": len(wrong)}
    for score in ("logprob", "worst"):
        groups = {"in_domain": [s for _, s in inside], **outside}
        figures[score] = {name: quantiles(getattr(s, score) for s in some) for name, some in groups.items() if some}
    figures["gates"] = {
        name: {
            "thresholds": {score: v for score, v in vars(gate).items() if math.isfinite(v)},
            "refused_in_domain": 1 - share(gate, [s for _, s in report_in]),
            "refused_right": 1 - share(gate, right),
            "refused_wrong": 1 - share(gate, wrong) if wrong else None,
            "accepted": {kind: share(gate, half) for kind, (_, half) in split.items()},
            "accepted_of": {kind: len(half) for kind, (_, half) in split.items()},
        }
        for name, gate in gates.items()
    }
    return figures


def pooled(languages: Mapping[str, Any]) -> dict[str, Any]:
    """The gates over all languages together, and what the worst language shows."""
    found: dict[str, Any] = {}
    for name in GATES:
        rows = [(f["gate"]["reported_on"], f["gate"]["gates"][name]) for f in languages.values()]
        refused = [row["refused_in_domain"] for _, row in rows]
        found[name] = {
            "refused_in_domain": sum(n * row["refused_in_domain"] for n, row in rows) / sum(n for n, _ in rows),
            "refused_in_domain_worst": max(refused),
            "accepted": {
                kind: sum(row["accepted"][kind] for _, row in rows) / len(rows) for kind in rows[0][1]["accepted"]
            },
            "accepted_worst": {
                kind: max(row["accepted"][kind] for _, row in rows) for kind in rows[0][1]["accepted"]
            },
        }  # fmt: skip
    return found


# --- what is written ---


def threshold_file(figures: Mapping[str, Any], name: str = "both") -> str:
    """The thresholds of both scores together, as the pipeline reads them."""
    gates = {lang: f["gate"]["gates"][name]["thresholds"] for lang, f in figures["languages"].items()}
    fitted = sum(f["gate"]["fitted_on"] for f in figures["languages"].values())
    of_which = "the right translations of " if name == "both_of_right" else ""
    refused = f"refuse at most {100 * BUDGET:g} % of {of_which}{fitted} held-out in-domain sentences"
    content = {
        "origin": f"scripts/evaluate_demo_translator.py: {refused}",
        "decoder": {lang: gate["logprob"] for lang, gate in gates.items()},
        "decoder_worst": {lang: gate["worst"] for lang, gate in gates.items()},
    }
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)


def percent(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{100 * value:.1f} %"


def card(figures: Mapping[str, Any]) -> str:
    """Renders the model card of the demo translator from an evaluation's figures."""
    codes = ["en", *(locale[:2] for locale in LOCALES.values())]
    languages = figures["languages"]
    counts = sorted({f["held_out"]["sentences"] for f in languages.values()})
    table = [
        "| language | held-out sentences: exact | chrF | trained sentences: exact | chrF | "
        "in domain, refused | out of domain, accepted |",
        "|---|---|---|---|---|---|---|",
    ]
    for lang, f in languages.items():
        held, trained, gate = f["held_out"], f["trained"], f["gate"]["gates"]["both"]
        table.append(
            f"| {lang} | {percent(held['exact'])} | {held['chrf']:.1f} | {percent(trained['exact'])} | "
            f"{trained['chrf']:.1f} | {percent(gate['refused_in_domain'])} | "
            f"{percent(gate['accepted']['out_of_domain'])} |"
        )
    overall = figures["gates"]["both"]
    outside = next(iter(languages.values()))["gate"]["gates"]["both"]["accepted_of"]["out_of_domain"]
    return f"""---
license: apache-2.0
language:
{"".join(f"- {code}{chr(10)}" for code in codes)}pipeline_tag: translation
library_name: ctranslate2
tags:
- translation
- demo
---

# Demo translator

Translates the sentences of this project's phrase book from English into eight languages (FLORES-200 codes):
{", ".join(languages)}.
It is small enough to ship with the project, so that the demo and the tests run the code that runs the real models
without downloading one.

**It knows only the phrase book's sentences. Do not use it for anything but the demo.** Whatever else it is given, it
makes something up out of pieces of the phrase book.

## Training data

The phrase book (`data/phrasebook/`) and the culture packs (`data/culture/`): templates and values written by the
project, put together at random. There is no other text in it, and nothing that another model wrote. Some sentences are
mildly unsafe on purpose, because the demo is about safety data; none is of use to anyone who means harm. One in
fifteen combinations of every template that has at least 60 was kept for the evaluation.

## Architecture

M2M100, as NLLB-200: pre-norm, sinusoidal positions, tied embeddings, language tokens. 3 encoder and 3 decoder layers,
d 256, 4 heads, 7.07 M parameters, one BPE vocabulary of 6,000 pieces for all languages. CTranslate2, int8.

## Training

```
{figures["training"]["command"]}
```

{figures["training"]["minutes"]:g} minutes on two CPU cores.

The shipped weights were made in two legs on a busy machine: 27 minutes from the start, then 31 minutes with `--resume`
and with the sentences of small templates repeated, because the first leg had not learned sentences without slots. One
run from the start, which is what the command does, repeats them from its first step; its figures were not measured.

## Figures

`{figures["command"]}`

Held-out sentences (at most {max(counts):,} per language, evenly over the templates that have any) are combinations of
template and values that were never trained on. Exact is the phrase book's own translation, character by character. The
last two columns are the decoder gate, described below.

{chr(10).join(table)}

## Out of domain

The decoder's own scores, the mean and the lowest log-probability of a token, are the only warning. `thresholds.yaml`
holds two thresholds per language, which together refuse at most {percent(BUDGET)} of the held-out sentences of one half
of the data. On the other half they refuse {percent(overall["refused_in_domain"])} of the held-out sentences of all
languages, and accept {percent(overall["accepted"]["out_of_domain"])} of {outside} English sentences from outside the
phrase book (in the worst language {percent(overall["accepted_worst"]["out_of_domain"])}), a quarter of which were
written to look like the phrase book. What is accepted wrongly reads well and says something else than its source.

## Limits

- From English only, into these eight languages only, and one sentence at a time.
- A name, a city or a dish that is in no list comes out as one that is.
- It knows one translation of everything: the one that the phrase book's authors wrote.
- Its figures say nothing about models that translate free text.
"""


def error_rows(language: str, group: str, expected: Sequence[Pair], got: Sequence[Segment]) -> Iterator[str]:
    """TSV rows of what differs from the phrase book."""
    for pair, segment in zip(expected, got, strict=True):
        if segment.target != pair.target:
            cells = (language, group, pair.template, pair.source, pair.target, segment.target)
            yield "\t".join((*(c.replace("\t", " ") for c in cells), f"{segment.logprob:.4f}", f"{segment.worst:.4f}"))


# --- the evaluation ---


def evaluate(args: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Runs everything; returns the figures and the TSV rows of the errors."""
    started = time.time()
    decoding = Decoding(beam_size=args.beam_size, patience=args.patience)
    model = NllbModel(str(args.model), decoding, threads=2)
    trained = trained_pairs(args.per_template)
    outside = {"out_of_domain": resource("demo/out_of_domain.txt").read_text("utf-8").splitlines()}
    if args.extra:
        outside["extra"] = [s for s in read_lines(args.extra) if s not in set(outside["out_of_domain"])]
    languages: dict[str, Any] = {}
    rows = ["language\tset\ttemplate\tsource\texpected\tgot\tlogprob\tworst"]
    for language in LOCALES:
        rng = random.Random(f"{EVALUATION_SEED} {language}")
        inside = held_out_pairs(language, max(args.per_language, args.gate), trained[language], rng)
        held, known = inside[: args.per_language], evenly(trained[language], args.trained, rng)
        inside_got = translate(model, [p.source for p in inside], language)
        held_got, known_got = inside_got[: len(held)], translate(model, [p.source for p in known], language)
        outside_got = {name: translate(model, some, language) for name, some in outside.items()}
        changes = Counter(
            change for p, s in zip(inside, inside_got, strict=True)
            for change in replaced(p.target, s.target, not LANGUAGES[language].spaced)
        )  # fmt: skip
        languages[language] = {
            "held_out": quality(held, held_got),
            "held_out_all": quality(inside, inside_got),
            "trained": quality(known, known_got),
            "changes": [[n, *change] for change, n in changes.most_common(12)],
            "gate": gate_figures(language, list(zip(inside, inside_got, strict=True)), outside_got),
        }
        rows += error_rows(language, "held_out", inside, inside_got)
        rows += error_rows(language, "trained", known, known_got)
        print_language(language, languages[language])
        if args.answers:
            write_answers(args.answers, language, inside, inside_got, outside_got)
    figures = {
        "model": args.model.name,
        "command": "python -m scripts.evaluate_demo_translator "
        f"--per-language {args.per_language} --gate {args.gate} --per-template {args.per_template} "
        f"--beam-size {args.beam_size} --patience {args.patience:g}",
        "training": {
            "minutes": args.minutes,
            "command": "python -m scripts.train_demo_translator "
            f"--minutes {args.minutes:g} --per-template {args.per_template}",
        },
        "languages": languages,
        "gates": pooled(languages),
        "seconds": round(time.time() - started),
    }
    return figures, rows


def write_answers(
    folder: Path,
    language: str,
    inside: Sequence[Pair],
    got: Sequence[Segment],
    outside: Mapping[str, Sequence[Segment]],
) -> None:
    """Writes every answer with its scores, to look into: group, logprob, worst, flags, source, answer, expected."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = [("in_domain", s, p.target) for p, s in zip(inside, got, strict=True)]
    groups += [(name, s, "") for name, some in outside.items() for s in some]
    lines = [
        "\t".join((group, f"{s.logprob}", f"{s.worst}", ",".join(s.flags), f"{s.unknown}", s.source, s.target, target))
        for group, s, target in groups
    ]
    (folder / f"{language}.tsv").write_text("\n".join(lines) + "\n", "utf-8")


def print_language(language: str, figures: Mapping[str, Any]) -> None:
    for name in ("held_out", "held_out_all", "trained"):
        q = figures[name]
        failures = dict(itertools.islice(q["failures"].items(), 5))
        print(f"{language} {name}: {q['sentences']} sentences of {q['templates']} templates, "
              f"exact {percent(q['exact'])}, chrF {q['chrf']:.2f}; failures of templates {failures}")  # fmt: skip
    for n, expected, got in figures["changes"][:5]:
        print(f"    {n} x {expected!r} -> {got!r}")
    for name, gate in figures["gate"]["gates"].items():
        accepted = ", ".join(f"{kind} {percent(value)}" for kind, value in gate["accepted"].items())
        print(f"    gate {name} {gate['thresholds']}: refused in domain {percent(gate['refused_in_domain'])} "
              f"(of the right {percent(gate['refused_right'])}, of the wrong {percent(gate['refused_wrong'])}), "
              f"accepted {accepted}", flush=True)  # fmt: skip


def main() -> int:
    """Evaluates and writes what was asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=OUT, help="a translator directory")
    parser.add_argument("--per-language", type=int, default=250, help="held-out sentences to judge the quality with")
    parser.add_argument("--gate", type=int, default=1000, help="held-out sentences to fit and report the gate with")
    parser.add_argument("--trained", type=int, default=150, help="trained sentences to judge the quality with")
    parser.add_argument("--per-template", type=int, default=200, help="as the translator was trained")
    parser.add_argument("--beam-size", type=int, default=Decoding.beam_size)
    parser.add_argument("--patience", type=float, default=Decoding.patience, help="of the beam search")
    parser.add_argument("--gate-fitted-on", choices=("both", "both_of_right"), default="both", help="for --thresholds")
    parser.add_argument("--minutes", type=float, default=40, help="as the translator was trained, for the card")
    parser.add_argument("--extra", type=Path, help="more sentences from outside the phrase book, one a line")
    parser.add_argument("--errors", type=Path, help="write every failure to this TSV file")
    parser.add_argument("--answers", type=Path, help="write every answer with its scores to TSV files in this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--thresholds", action="store_true", help="write thresholds.yaml next to the model")
    parser.add_argument("--card", action="store_true", help="write README.md next to the model")
    args = parser.parse_args()
    figures, rows = evaluate(args)
    for name, row in figures["gates"].items():
        accepted = ", ".join(
            f"{kind} {percent(value)} (worst language {percent(row['accepted_worst'][kind])})"
            for kind, value in row["accepted"].items()
        )
        print(f"all languages, gate {name}: refused in domain {percent(row['refused_in_domain'])} "
              f"(worst language {percent(row['refused_in_domain_worst'])}), accepted {accepted}")  # fmt: skip
    if args.errors:
        args.errors.write_text("\n".join(rows) + "\n", "utf-8")
    if args.json:
        args.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if args.thresholds:
        (args.model / "thresholds.yaml").write_text(threshold_file(figures, args.gate_fitted_on), "utf-8")
    if args.card:
        (args.model / "README.md").write_text(card(figures), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
