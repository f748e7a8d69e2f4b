"""Runs a plan: gate, slices in order, publish. Each finished step leaves a marker; a killed run goes on after the last."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import resource
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.config import Config, Runner, differing_keys, lasting
from pipeline.errors import ConfigError
from pipeline.graph import build_gate, build_slice
from pipeline.plan import Plan, shard_counts, slice_count
from pipeline.progress import Progress
from pipeline.publish import (
    FILES,
    FOLDERS,
    MANIFEST,
    SUCCESS,
    WORK,
    describe_inputs,
    publish,
    remove_gate,
    remove_listed,
    remove_slice,
    verify,
    write_whole,
)
from pipeline.runners import run_job
from transforms.heartbeat import total_beats
from transforms.inference.memory_files import probe
from transforms.inference.sentence_encoder import BUNDLED

_RUN = "run.json"


def run(plan: Plan, force: bool = False) -> dict[str, Any] | None:
    """Runs a plan to its end.

    Returns:
        The manifest, or None if the folder was finished already and nothing was done.

    Raises:
        ConfigError: the folder holds another run; names the keys that differ.
        LedgerError: the ledger does not balance, or a quality floor is broken.
    """
    out = Path(plan.config.output.folder)
    work = out / WORK
    with _alone(out):
        return _run(plan, out, work, force)


@contextlib.contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Holds the output folder; a second run of it is told so instead of breaking the first."""
    out.parent.mkdir(parents=True, exist_ok=True)
    lock = out.parent / f".{out.name}.lock"
    with open(lock, "w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(f"another run is at work on {out}; wait for it, or choose another output") from None
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def _run(plan: Plan, out: Path, work: Path, force: bool) -> dict[str, Any] | None:
    if force:
        remove_listed(out)
    if _is_finished(plan, out):
        shutil.rmtree(work, ignore_errors=True)
        return None
    _check_machine(plan.config)
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


def _check_machine(config: Config) -> None:
    """Finds out before the gate what would else fail after it: where the memory lies, and what the models run on.

    Raises:
        ConfigError: names the key.
    """
    address = config.memory_folder()
    try:
        probe(address)
    except (OSError, ValueError) as error:
        said = next(iter(str(error).splitlines()), "")[:300]
        raise ConfigError(
            f"memory: {address.split('?')[0]} cannot be written and read ({said}); give a folder, or a bucket that exists, "
            "with its keys in the environment"
        ) from error
    if config.runner.name not in ("FnApiRunner", "BundleBasedDirectRunner"):
        return  # the models run elsewhere
    for role, endpoint in config.endpoints().items():
        if importlib.util.find_spec("openai") is None:
            raise ConfigError(f"{role}: the client is not installed; pip install 'transcreate[llm]'")
        if endpoint.key and not os.environ.get(endpoint.key):
            raise ConfigError(f"{role}.key: the environment variable {endpoint.key} is not set")
    import ctranslate2

    device, wanted = config.translate.device, config.translate.compute_type
    try:
        able = sorted(ctranslate2.get_supported_compute_types(device))
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"translate.device: {device} cannot be used here ({error}); cpu always can") from error
    if wanted not in able:
        raise ConfigError(
            f"translate.compute_type: {wanted} is not supported on this machine's {device}; one of {', '.join(able)}"
        )
    if config.similarity.device == "cuda" and config.similarity.model != BUNDLED:
        import torch

        if not torch.cuda.is_available():
            raise ConfigError("similarity.device: cuda cannot be used here (PyTorch finds none); cpu always can")


def _identity(plan: Plan) -> dict[str, Any]:
    return {"config": lasting(plan.config), "fingerprints": plan.fingerprints(), "inputs": describe_inputs(plan)}


def _is_finished(plan: Plan, out: Path) -> bool:
    """Whether nothing is left to do.

    Raises:
        ConfigError: the folder belongs to another run, or holds files that are nobody's.
    """
    if (out / MANIFEST).is_file() and (out / SUCCESS).is_file():
        manifest = json.loads((out / MANIFEST).read_text("utf-8"))
        _same(manifest["lasting_config"], manifest["fingerprints"], manifest["inputs"], plan, out)
        wrong = verify(out)
        if wrong:
            raise ConfigError(f"{out} is finished but damaged: {'; '.join(wrong[:3])}; --force makes it anew")
        return True
    if (out / WORK / _RUN).is_file():
        begun = json.loads((out / WORK / _RUN).read_text("utf-8"))
        _same(begun["config"], begun["fingerprints"], begun["inputs"], plan, out)
        return False
    strangers = [name for name in (*FOLDERS, *FILES, MANIFEST) if (out / name).exists()]
    if strangers:
        raise ConfigError(f"{out} holds {', '.join(strangers)} but no run to go on with; choose another output")
    return False


def _same(config: dict[str, Any], marks: dict[str, str], inputs: dict[str, str], plan: Plan, out: Path) -> None:
    keys = differing_keys(config, lasting(plan.config))
    if not keys:
        keys = [f"fingerprint of {k}" for k in differing_keys(marks, plan.fingerprints())]
    if not keys:
        keys = [f"input {k}" for k in differing_keys(inputs, describe_inputs(plan))]
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
    remove_gate(Path(plan.config.output.folder), plan.config.source_locale)
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
    shards = shard_counts(plan.config, per_split, slices)
    remove_slice(Path(plan.config.output.folder), plan.config.source_locale, k, slices, shards)
    beats = work / "beats" / f"{k:05d}"
    shutil.rmtree(beats, ignore_errors=True)
    beats.mkdir(parents=True)
    started = time.monotonic()
    with Progress(f"slice {k + 1} of {slices}", str(beats)):
        run_job(lambda root: build_slice(root, plan, str(file), slices, per_split, str(beats)), plan.config.runner)
    counts = {f"{what.replace(' ', '_')}": n for what, n in total_beats(str(beats)).items()}
    return {"slices_s": round(time.monotonic() - started, 1), **counts}
