"""The run report: what the published files hold, as JSON and as one self-contained HTML page.

The counts are read from the files again, a few columns of a few thousand rows at a time. Only the ledger and the facts
of the run are passed in.
"""

from __future__ import annotations

import heapq
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.report_page import ENOUGH, GAP, render
from schemas.hashing import digest
from schemas.locales import LANGUAGES, LOCALES
from schemas.scores import SCORES, Score

BINS = 20
# Where rows of a verdict are published, below the output folder.
FOLDERS = {"accepted": "data", "rejected": "rejected"}
_SAMPLES = {"accepted": 12, "rejected": 4}
_BATCH = 8_192
# Values that are counted one by one; a null is counted under UNLABELLED.
_COUNTED = {"splits": "split", "prompt_labels": "prompt_label", "response_labels": "response_label", "tags": "tag"}
UNLABELLED = "unlabelled"
_TEXT_SCORES = ["scores_prompt", "scores_response", "other_texts.list.element.scores"]
_LIGHT = ["id", *_COUNTED.values(), "flags", "reasons", "edits", *_TEXT_SCORES]
_SAMPLE = [
    "id", "source_id", "group_id", "split", "usage", "language", "locale", "prompt", "response", "prompt_label",
    "response_label", "label_status", "categories", "tag", "origin", "source_prompt", "source_response",
    "adapted_prompt", "adapted_response", "edits", "scores_prompt", "scores_response", "other_texts", "flags",
    "not_judged", "reasons",
]  # fmt: skip
# Dead letters of these stages stand on the gate's line of the ledger.
_GATE_STAGES = frozenset({"read", "gate"})

Shards = dict[str, list[Path]]


def list_shards(out: Path, verdict: str) -> Shards:
    """Locale -> its Parquet files sorted by name. `verdict` is "accepted" or "rejected"."""
    found: Shards = {}
    for path in sorted((out / FOLDERS[verdict]).glob("*/*.parquet")):
        found.setdefault(path.parent.name, []).append(path)
    return found


def build_report(out: Path, run: Mapping[str, Any]) -> dict[str, Any]:
    """Reads the published files again and sums them up.

    Args:
        out: the output folder.
        run: `ledger` and `config` (with `source_locale` and `locales`) are required. `thresholds` is locale -> score ->
            number, or mapping of `short` and `long` with an `origin`. Every other fact of the run (models,
            fingerprints, versions, timings, ...) is passed through as it is.

    Returns:
        A JSON-able dict that is the same whenever the data and `run` are. A row with several reasons counts once for
        each; histograms count texts (prompts, responses and all others), not rows.

    Raises:
        ValueError: a dead letter is not a JSON object; names file and line.
    """
    facts: dict[str, Any] = _plain(run)
    ledger, source, targets = facts["ledger"], facts["config"]["source_locale"], facts["config"]["locales"]
    shards = {verdict: list_shards(out, verdict) for verdict in FOLDERS}
    names = sorted({*targets, source, *(name for found in shards.values() for name in found)})
    thresholds = {name: _limits(facts.get("thresholds", {}).get(name, {})) for name in names}
    axes = _axes(shards, thresholds)
    letters = _read_dead_letters(out, source, targets)
    locales = {}
    for name in names:
        counts = {verdict: _count(found.get(name, []), verdict, axes) for verdict, found in shards.items()}
        gate = ledger["gate"]
        expected = gate["read"] - gate.get("left_out", 0) if name == source else gate["passed"]
        locales[name] = {
            "language": LOCALES.get(name),
            "name": LANGUAGES[LOCALES[name]].name if name in LOCALES else name,
            "is_source": name == source,
            "expected": expected,
            "dead": letters["locales"].get(name, 0),
            **_sum_up(counts),
            "histograms": _histograms(counts, thresholds[name]),
            "samples": {verdict: _read_samples(counts[verdict].smallest, _SAMPLES[verdict]) for verdict in FOLDERS},
        }
    differences = _differences(ledger, locales, source, letters["units"])
    return {
        "verdict": _verdict(ledger, differences),
        "ledger": ledger,
        "differences": differences,
        "locales": locales,
        "axes": axes,
        "dead_letters": letters,
        "run": {key: value for key, value in facts.items() if key != "ledger"},
    }


def write_report(out: Path, run: Mapping[str, Any]) -> None:
    """Writes report/report.json and report/index.html below the output folder."""
    write_pages(out, build_report(out, run))


def write_pages(out: Path, report: Mapping[str, Any]) -> None:
    """Writes a report that `build_report` made, as JSON and as a page."""
    folder = out / "report"
    folder.mkdir(parents=True, exist_ok=True)
    encoded = json.dumps(report, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    (folder / "report.json").write_text(encoded + "\n", "utf-8")
    (folder / "index.html").write_text(render(report), "utf-8")


def _plain(value: Any) -> Any:
    """The value as JSON knows it. Numbers that JSON has not (NaN, infinity) become text."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _limits(given: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Score -> threshold for short texts and for others, and where they are from."""
    return {
        score: {
            "short": float(value["short"] if isinstance(value, Mapping) else value),
            "long": float(value["long"] if isinstance(value, Mapping) else value),
            "origin": value.get("origin") if isinstance(value, Mapping) else None,
        }
        for score, value in given.items()
        if value is not None
    }


@dataclass
class _Counts:
    """What is counted over the files of one locale and verdict. `smallest` has (hash, id, path) by tag."""

    rows: int = 0
    values: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in _COUNTED})
    reasons: Counter[str] = field(default_factory=Counter)
    by_label: Counter[tuple[str, str]] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)
    edits: Counter[tuple[str, str]] = field(default_factory=Counter)
    bins: dict[str, Any] = field(default_factory=dict)
    odd: Counter[str] = field(default_factory=Counter)
    smallest: dict[str, list[tuple[str, str, Path]]] = field(default_factory=dict)


def _batches(path: Path, columns: list[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_BATCH, columns=columns)


def _count(paths: Iterable[Path], verdict: str, axes: Mapping[str, Mapping[str, float]]) -> _Counts:
    counts = _Counts()
    for path in paths:
        for batch in _batches(path, _LIGHT):
            counts.rows += batch.num_rows
            for name, column in _COUNTED.items():
                for pair in pc.value_counts(batch[column]).to_pylist():
                    counts.values[name][pair["values"] or UNLABELLED] += pair["counts"]
            for given, label in zip(batch["reasons"].to_pylist(), batch["prompt_label"].to_pylist(), strict=True):
                reasons = {reason.partition(":")[0] for reason in given or ()}
                counts.reasons.update(reasons)
                counts.by_label.update((reason, label or UNLABELLED) for reason in reasons)
            for flags in batch["flags"].to_pylist():
                counts.flags.update(set(flags or ()))
            edits = pc.list_flatten(batch["edits"])
            kinds, actions = (pc.struct_field(edits, name).to_pylist() for name in ("kind", "action"))
            counts.edits.update(zip(kinds, actions, strict=True))
            for score in SCORES:
                _add_bins(counts, score.name, batch, axes)
            _keep_smallest(counts.smallest, batch, _SAMPLES[verdict], path)
    return counts


def _score_values(batch: pa.RecordBatch, score: str) -> Any:
    """All values of a score in a batch, of texts of every role, nulls left out."""
    others = pc.struct_field(pc.list_flatten(batch["other_texts"]), "scores")
    found = (pc.struct_field(s, score).drop_null() for s in (batch["scores_prompt"], batch["scores_response"], others))
    return np.concatenate([values.to_numpy(zero_copy_only=False) for values in found]).astype(float)


def _add_bins(counts: _Counts, score: str, batch: pa.RecordBatch, axes: Mapping[str, Mapping[str, float]]) -> None:
    values = _score_values(batch, score)
    finite = values[np.isfinite(values)]
    counts.odd[score] += len(values) - len(finite)
    if len(finite):
        low, high = axes[score]["low"], axes[score]["high"]
        found, _ = np.histogram(np.clip(finite, low, high), bins=BINS, range=(low, high))
        counts.bins[score] = counts.bins.get(score, 0) + found


def _keep_smallest(
    smallest: dict[str, list[tuple[str, str, Path]]], batch: pa.RecordBatch, most: int, path: Path
) -> None:
    by_tag: dict[str, list[tuple[str, str, Path]]] = {}
    for row_id, tag in zip(batch["id"].to_pylist(), batch["tag"].to_pylist(), strict=True):
        by_tag.setdefault("adapted" if tag == "adapted" else "generic", []).append((digest(row_id), row_id, path))
    for tag, found in by_tag.items():
        smallest[tag] = heapq.nsmallest(most, smallest.get(tag, []) + found)


def _axes(shards: Mapping[str, Shards], thresholds: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Where each histogram begins and ends.

    At 0 or 1 where the score's range does. A side that is open, or at the -1 that no cosine comes near, ends at what
    was observed: at the farthest 0.5 % quantile of any batch, so that one runaway value does not flatten the rest (it
    is counted in the outermost bin), and wide enough to show all thresholds.
    """
    seen: dict[str, list[float]] = {score.name: [] for score in SCORES}
    for path in (p for found in shards.values() for paths in found.values() for p in paths):
        for batch in _batches(path, _TEXT_SCORES):
            for score in SCORES:
                if _is_open(score.low) or _is_open(score.high):
                    values = _score_values(batch, score.name)
                    values = values[np.isfinite(values)]
                    if len(values):
                        edges = [float(edge) for edge in np.quantile(values, (0.005, 0.995))]
                        seen[score.name] = [min(edges + seen[score.name]), max(edges + seen[score.name])]
    for limits in thresholds.values():
        for name, limit in limits.items():
            if name in seen:
                seen[name] += [limit["short"], limit["long"]]
    return {score.name: _axis(score, seen[score.name]) for score in SCORES}


def _is_open(end: float | None) -> bool:
    return end not in (0, 1)


def _axis(score: Score, seen: list[float]) -> dict[str, float]:
    low, high = score.low, score.high
    if low is None or _is_open(low):
        low = math.floor(min(seen, default=0) * 100) / 100
    if high is None or _is_open(high):
        high = math.ceil(max(seen, default=1) * 100) / 100
    return {"low": float(low), "high": float(high if high > low else low + 1)}


def _sum_up(counts: Mapping[str, _Counts]) -> dict[str, Any]:
    accepted, rejected = counts["accepted"], counts["rejected"]

    def both(mine: Counter[str], theirs: Counter[str]) -> dict[str, dict[str, int]]:
        return {key: {"accepted": mine[key], "rejected": theirs[key]} for key in sorted({*mine, *theirs})}

    edits: dict[str, dict[str, int]] = {}
    for (kind, action), number in sorted(accepted.edits.items()):
        edits.setdefault(kind, {})[action] = number
    return {
        "accepted": accepted.rows,
        "rejected": rejected.rows,
        "adapted": accepted.values["tags"]["adapted"],
        "generic": accepted.values["tags"]["generic"],
        **{name: both(accepted.values[name], rejected.values[name]) for name in _COUNTED},
        "reasons": dict(sorted(rejected.reasons.items())),
        "label_differences": label_differences(counts),
        # Test rows that `filter.test: keep` let through: published, with what stands against them.
        "kept_reasons": dict(sorted(accepted.reasons.items())),
        "flags": both(accepted.flags, rejected.flags),
        "edits": edits,
    }


def label_differences(counts: Mapping[str, _Counts]) -> dict[str, dict[str, Any]]:
    """Reason -> how many safe and unsafe prompts it rejects of how many, and how far apart the rates are.

    `low` and `high` are the 95 % interval of the difference (unsafe less safe) by Agresti and Caffo 2000. `biased`: the
    interval leaves out 0, the difference is GAP or more, and there are ENOUGH prompts of both labels.
    """
    whole = {label: sum(c.values["prompt_labels"][label] for c in counts.values()) for label in ("safe", "unsafe")}
    by_label = counts["rejected"].by_label
    found = {}
    for reason in sorted({reason for reason, _ in by_label}):
        hits = {label: by_label[reason, label] for label in whole}
        safe, unsafe = ((hits[label] + 1) / (whole[label] + 2) for label in ("safe", "unsafe"))
        spread = 1.96 * math.sqrt(
            safe * (1 - safe) / (whole["safe"] + 2) + unsafe * (1 - unsafe) / (whole["unsafe"] + 2)
        )
        low, high = unsafe - safe - spread, unsafe - safe + spread
        enough = min(whole.values()) >= ENOUGH
        apart = hits["unsafe"] / whole["unsafe"] - hits["safe"] / whole["safe"] if all(whole.values()) else None
        found[reason] = {
            "safe": [hits["safe"], whole["safe"]],
            "unsafe": [hits["unsafe"], whole["unsafe"]],
            "difference": None if apart is None else round(apart, 4),
            "low": round(low, 4),
            "high": round(high, 4),
            "biased": bool(enough and apart is not None and abs(apart) >= GAP and (low > 0 or high < 0)),
        }
    return found


def _histograms(counts: Mapping[str, _Counts], limits: Mapping[str, Any]) -> dict[str, Any]:
    """The scores that any text of the locale has."""
    return {
        score.name: {
            "thresholds": limits.get(score.name),
            "not_finite": sum(c.odd[score.name] for c in counts.values()),
            **{v: [int(n) for n in c.bins.get(score.name, [0] * BINS)] for v, c in counts.items()},
        }
        for score in SCORES
        if any(score.name in c.bins or c.odd[score.name] for c in counts.values())
    }


def _read_samples(smallest: Mapping[str, list[tuple[str, str, Path]]], most: int) -> list[dict[str, Any]]:
    """The chosen rows in full: half adapted and half generic while there are enough of both."""
    adapted, generic = smallest.get("adapted", []), smallest.get("generic", [])
    half = most // 2
    chosen = adapted[: max(half, most - len(generic))] + generic[: max(half, most - len(adapted))]
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted({path for _, _, path in chosen}):
        ids = [row_id for _, row_id, where in chosen if where == path]
        # The filter reads only the row groups that can hold these ids: shards are sorted by id.
        table = pq.read_table(path, columns=_SAMPLE, filters=[("id", "in", ids)], partitioning=None)
        rows.update({row["id"]: _plain(row) for row in table.to_pylist()})
    return [rows[row_id] for _, row_id, _ in chosen]


def _read_dead_letters(out: Path, source: str, targets: list[str]) -> dict[str, Any]:
    """Sums up dead letters by stage and error, and by locale as far as they say where they belong."""
    causes: dict[tuple[str, str], dict[str, Any]] = {}
    locales: Counter[str] = Counter()
    for path in sorted((out / "dead_letters").glob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
            if not line:
                continue
            try:
                letter = json.loads(line)
                stage, error, units = str(letter["stage"]), str(letter["error"]), int(letter.get("units", 1))
            except (ValueError, TypeError, KeyError) as problem:
                raise ValueError(
                    f"{path}:{number}: not a dead letter ({type(problem).__name__}); write the folder again"
                ) from None
            cause = causes.setdefault(
                (stage, error), {"stage": stage, "error": error, "letters": 0, "units": 0, "examples": []}
            )
            cause["letters"] += 1
            cause["units"] += units
            if len(cause["examples"]) < 3:
                cause["examples"].append({name: str(letter.get(name)) for name in ("location", "message")})
            locales.update(_place(stage, str(letter.get("location")), units, source, targets))
    units = sum(cause["units"] for cause in causes.values())
    return {
        "letters": sum(cause["letters"] for cause in causes.values()),
        "units": units,
        "causes": [causes[key] for key in sorted(causes)],
        "locales": dict(sorted(locales.items())),
        "unplaced": units - locales.total(),
    }


def _place(stage: str, location: str, units: int, source: str, targets: list[str]) -> dict[str, int]:
    """The locales that lost a row: the one that the location names, or all if it was lost before the fan-out."""
    named = [word for word in location.split() if word in targets]
    if stage in _GATE_STAGES:
        return {source: units}
    if named:
        return {named[-1]: units}
    return dict.fromkeys(targets, 1) if units == len(targets) else {}


def _differences(ledger: Mapping[str, Any], locales: Mapping[str, Any], source: str, dead: int) -> list[str]:
    """Where the ledger and the files disagree, in words."""
    others = [found for name, found in locales.items() if name != source]
    gate, fanned = ledger["gate"], ledger["locales"]
    pairs = [
        ("source rows published", fanned.get("native", gate["passed"]), locales[source]["accepted"]),
        ("rows rejected by the gate", gate["rejected"], locales[source]["rejected"]),
        ("rows accepted in the target locales", fanned["accepted"], sum(found["accepted"] for found in others)),
        ("rows rejected in the target locales", fanned["rejected"], sum(found["rejected"] for found in others)),
        ("dead units", gate["dead"] + fanned["dead"], dead),
    ]
    return [f"{what}: {said:,} in the ledger, {found:,} in the files" for what, said, found in pairs if said != found]


def _verdict(ledger: Mapping[str, Any], differences: list[str]) -> str:
    fanned = ledger["locales"]
    rate = f" ({fanned['accepted'] / fanned['expected']:.1%})" if fanned["expected"] else ""
    accepted = f"{fanned['accepted']:,} of {fanned['expected']:,} expected rows were accepted{rate}"
    open_lines = [name for name, line in (("gate", ledger["gate"]), ("locales", fanned)) if not line["balanced"]]
    if open_lines:
        return f"Not balanced: units of the {' and the '.join(open_lines)} are unaccounted for; {accepted}."
    if differences:
        return f"Balanced, but the files hold other numbers than the ledger; {accepted}."
    return f"Balanced: every unit that was read is accounted for, and {accepted}."
