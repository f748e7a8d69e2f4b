"""Runs a plan: gate, slices in order, publish. Each finished step leaves a marker; a killed run goes on after the last."""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.config import Runner, differing_keys, lasting
from pipeline.errors import ConfigError
from pipeline.graph import build_gate, build_slice
from pipeline.plan import Plan, slice_count
from pipeline.progress import Progress
from pipeline.publish import MANIFEST, SUCCESS, WORK, publish, remove_listed, verify, write_whole
from pipeline.runners import run_job
from transforms.heartbeat import total_beats

_RUN = "run.json"


def run(plan: Plan, force: bool = False) -> dict[str, Any] | None:
    """Runs a plan to its end.

    Returns:
        The manifest, or None if the folder was finished already and nothing was done.

    Raises:
        ConfigError: the folder holds another run; names the keys that differ.
        LedgerError: the ledger does not balance, or a quality floor is broken.
    """
    out = Path(plan.config.output)
    work = out / WORK
    if force:
        remove_listed(out)
    if _is_finished(plan, out):
        return None
    (work / "beats").mkdir(parents=True, exist_ok=True)
    write_whole(work / _RUN, json.dumps(_identity(plan), sort_keys=True))
    timings: dict[str, Any] = _once(work / "gate.json", lambda: _gate(plan, work))
    per_split = dict(Counter(_splits(work)))
    slices = slice_count(plan.config, sum(per_split.values()))
    done = [
        _once(work / f"slice-{k:05d}.json", lambda k=k: _slice(plan, work, k, slices, per_split))  # type: ignore[misc]
        for k in range(slices)
    ]
    merged: Counter[str] = Counter()
    for facts in done:
        merged.update(facts)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    timings = {**timings, **{k: round(v, 1) for k, v in merged.items()}, "slices": slices, "peak_memory_mb": peak >> 10}
    return publish(plan, timings)


def _identity(plan: Plan) -> dict[str, Any]:
    return {"config": lasting(plan.config), "fingerprints": plan.fingerprints(), "inputs": _inputs(plan)}


def _inputs(plan: Plan) -> dict[str, int]:
    return {s.name: Path(s.path).stat().st_size for s in plan.sources}


def _is_finished(plan: Plan, out: Path) -> bool:
    """Whether nothing is left to do.

    Raises:
        ConfigError: the folder belongs to another run, or holds files that are nobody's.
    """
    if (out / MANIFEST).is_file() and (out / SUCCESS).is_file():
        manifest = json.loads((out / MANIFEST).read_text("utf-8"))
        _same(manifest["lasting_config"], manifest["fingerprints"], plan, out)
        wrong = verify(out)
        if wrong:
            raise ConfigError(f"{out} is finished but damaged: {'; '.join(wrong[:3])}; --force makes it anew")
        return True
    if (out / WORK / _RUN).is_file():
        begun = json.loads((out / WORK / _RUN).read_text("utf-8"))
        _same(begun["config"], begun["fingerprints"], plan, out)
        if begun["inputs"] != _inputs(plan):
            raise ConfigError(f"{out} was begun with other input files; --force begins anew")
        return False
    if (out / "data").exists() or (out / MANIFEST).exists():
        raise ConfigError(
            f"{out} holds files but no run to go on with; choose another output, or clear it with --force"
        )
    return False


def _same(config: dict[str, Any], marks: dict[str, str], plan: Plan, out: Path) -> None:
    keys = differing_keys(config, lasting(plan.config))
    if not keys:
        keys = [f"fingerprint of {k}" for k in differing_keys(marks, plan.fingerprints())]
    if keys:
        raise ConfigError(
            f"{out} holds a run with another {', '.join(keys)}; choose another output, or --force to replace it"
        )


def _once(marker: Path, step: Any) -> dict[str, Any]:
    """Does a step unless its marker says that it was done; returns the facts it left."""
    if not marker.is_file():
        write_whole(marker, json.dumps(step(), sort_keys=True))
    facts: dict[str, Any] = json.loads(marker.read_text("utf-8"))
    return facts


def _gate(plan: Plan, work: Path) -> dict[str, Any]:
    shutil.rmtree(work / "rows", ignore_errors=True)
    (work / "rows").mkdir()
    started = time.monotonic()
    # The gate is light: one worker is faster than starting several.
    with Progress("gate", str(work / "beats")):
        run_job(lambda root: build_gate(root, plan, str(work)), Runner(plan.config.runner.name))
    return {"gate_s": round(time.monotonic() - started, 1)}


def _splits(work: Path) -> list[str]:
    found: list[str] = []
    for path in sorted((work / "rows").glob("*.parquet")):
        found += pq.read_table(path, columns=["split"])["split"].to_pylist()
    return found


def _slice(plan: Plan, work: Path, k: int, slices: int, per_split: dict[str, int]) -> dict[str, Any]:
    file = work / "rows" / f"slice-{k:05d}.parquet"
    if not file.is_file():
        return {}
    beats = work / "beats" / f"{k:05d}"
    shutil.rmtree(beats, ignore_errors=True)
    beats.mkdir(parents=True)
    started = time.monotonic()
    with Progress(f"slice {k + 1} of {slices}", str(beats)):
        run_job(lambda root: build_slice(root, plan, str(file), slices, per_split, str(beats)), plan.config.runner)
    counts = {f"{what.replace(' ', '_')}": n for what, n in total_beats(str(beats)).items()}
    return {"slices_s": round(time.monotonic() - started, 1), **counts}
