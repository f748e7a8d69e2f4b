"""Publishes a finished run: ledger, report, card, manifest and, last, _SUCCESS. Running it again changes nothing."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.card import write_card
from pipeline.config import Config, Llm, as_dict, as_yaml, lasting
from pipeline.errors import LedgerError
from pipeline.ledger import broken_lines, build_ledger
from pipeline.plan import Plan, run_facts
from pipeline.report import write_report
from schemas.hashing import sha256_of
from transforms.write import SHARD, STAGING

MANIFEST, SUCCESS, RESOLVED, WORK = "manifest.json", "_SUCCESS", "config.resolved.yaml", "_work"
# What a run publishes; nothing else in the folder is its business.
FILES, FOLDERS = ("README.md", RESOLVED), ("data", "rejected", "segments", "dead_letters", "report", "reviews")
_SHARDED = ("data", "rejected", "segments")


def publish(plan: Plan, timings: dict[str, Any]) -> dict[str, Any]:
    """Writes everything that makes the folder finished; returns the manifest.

    Raises:
        LedgerError: the ledger does not balance, or too few rows of a locale were accepted; report and manifest are
            written all the same, _SUCCESS is not.
    """
    out = Path(plan.config.output.folder)
    work = out / WORK
    shutil.rmtree(out / STAGING, ignore_errors=True)
    ledger = build_ledger(plan, work)
    run = run_facts(plan) | {"config": lasting(plan.config), "ledger": ledger, "timings": timings}
    run |= {role: llm_cost(endpoint, timings, role) for role, endpoint in plan.config.endpoints().items()}
    (out / RESOLVED).write_text(as_yaml(plan.config), "utf-8")
    write_report(out, run)
    write_card(out, run)
    manifest = {
        "files": describe_files(out),
        "inputs": describe_inputs(plan),
        "ledger": ledger,
        "config": as_dict(plan.config),
        "lasting_config": lasting(plan.config),
        "fingerprints": run["fingerprints"],
        "versions": run["versions"],
    }
    write_manifest(out, manifest)
    broken = broken_lines(ledger) + thin_locales(out, plan.config, ledger)
    if broken:
        raise LedgerError("; ".join(broken) + f" (see {out / 'report' / 'report.json'})")
    write_whole(out / SUCCESS, "")
    shutil.rmtree(work, ignore_errors=True)
    return manifest


def llm_cost(settings: Llm, counts: dict[str, Any], role: str) -> dict[str, Any]:
    """Tokens that this run paid a language model for, and their price; remembered answers cost nothing."""
    given, made = (int(counts.get(f"{role}_{side}_tokens", 0)) for side in ("input", "output"))
    usd = (given * settings.usd_per_million_input + made * settings.usd_per_million_output) / 1e6
    return {"model": settings.model, "input_tokens": given, "output_tokens": made, "usd": round(usd, 4)}


def thin_locales(out: Path, config: Config, ledger: dict[str, dict[str, Any]]) -> list[str]:
    """Locales of which too few rows were accepted (filter.least_accepted), in words."""
    floor, passed = config.filter.least_accepted, ledger["gate"]["passed"]
    found = []
    for locale in config.locales:
        # Rows that filter.test keeps have reasons: they count for the ledger, not for quality.
        shards = sorted((out / "data" / locale).glob("*.parquet"))
        reasons = [r for p in shards for r in pq.read_table(p, columns=["reasons"])["reasons"].to_pylist()]
        accepted = sum(not r for r in reasons)
        if accepted < floor * passed:
            found.append(f"{locale}: accepted {accepted} of {passed} rows, under filter.least_accepted {floor}")
    return found


def write_manifest(out: Path, manifest: dict[str, Any]) -> None:
    """Writes what a finished folder is verified against."""
    write_whole(out / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def describe_files(out: Path) -> dict[str, dict[str, Any]]:
    """Every published file by relative path: bytes, sha256, and rows of Parquet files."""
    described: dict[str, dict[str, Any]] = {}
    ours = [out / name for name in FILES] + [p for name in FOLDERS for p in (out / name).rglob("*")]
    for path in sorted(p for p in ours if p.is_file()):
        relative = path.relative_to(out)
        entry: dict[str, Any] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        if path.suffix == ".parquet":
            entry["rows"] = pq.read_metadata(path).num_rows
        described[relative.as_posix()] = entry
    return described


def describe_inputs(plan: Plan) -> dict[str, str]:
    """sha256 of every input file by name."""
    return {s.name: sha256_of(Path(s.path)) for s in plan.sources}


def write_whole(path: Path, text: str) -> None:
    """Writes a small file so that nobody sees half of it."""
    staged = path.with_name(f".{path.name}.tmp")
    staged.write_text(text, "utf-8")
    os.replace(staged, path)


def verify(out: Path) -> list[str]:
    """Compares a finished folder with its manifest; returns what differs, in words."""
    if not (out / MANIFEST).is_file():
        return [f"{out} has no {MANIFEST}: not a Transcreate output, or not finished"]
    manifest = json.loads((out / MANIFEST).read_text("utf-8"))
    found = [] if (out / SUCCESS).is_file() else [f"{out} has no {SUCCESS}: the run did not finish"]
    for name, entry in manifest["files"].items():
        path = out / name
        if not path.is_file():
            found.append(f"{name}: missing")
        elif sha256_of(path) != entry["sha256"]:
            found.append(f"{name}: sha256 differs from the manifest")
    listed = set(manifest["files"]) | {MANIFEST, SUCCESS}
    found += [
        f"{name}: not in the manifest"
        for folder in FOLDERS
        for path in sorted((out / folder).rglob("*.parquet"))
        if (name := path.relative_to(out).as_posix()) not in listed
    ]
    return found


def remove_listed(out: Path) -> None:
    """Deletes what the manifest lists and what an unfinished run left; anything else in the folder stays."""
    if (out / MANIFEST).is_file():
        for name in json.loads((out / MANIFEST).read_text("utf-8"))["files"]:
            (out / name).unlink(missing_ok=True)
    if (out / WORK).is_dir():
        for path in [p for name in _SHARDED for p in (out / name).rglob("*.parquet")]:
            if SHARD.fullmatch(path.name):
                path.unlink()
        for path in (out / "dead_letters").glob("*.jsonl"):
            path.unlink()
    for name in (MANIFEST, SUCCESS):
        (out / name).unlink(missing_ok=True)
    for name in (WORK, STAGING):
        shutil.rmtree(out / name, ignore_errors=True)
    for folder in [out / name for name in FOLDERS if (out / name).is_dir()]:
        for inner in [*sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True), folder]:
            if not any(inner.iterdir()):
                inner.rmdir()


def remove_slice(out: Path, source_locale: str, k: int, slices: int, shards: dict[str, int]) -> None:
    """Deletes what an earlier attempt at slice k wrote: a shard that comes out empty this time would not replace it."""
    for path in [p for name in _SHARDED for p in (out / name).rglob("*.parquet")]:
        found = SHARD.fullmatch(path.name)
        if found is None or path.parent == out / "rejected" / source_locale:
            continue
        per_slice = shards.get(found["split"], 0)
        if per_slice and int(found["of"]) == slices * per_slice and int(found["index"]) // per_slice == k:
            path.unlink()
    (out / "dead_letters" / f"slice-{k:05d}.jsonl").unlink(missing_ok=True)


def remove_gate(out: Path, source_locale: str) -> None:
    """Deletes what an earlier attempt at the gate wrote."""
    for path in (out / "rejected" / source_locale).glob("*.parquet"):
        path.unlink()
    (out / "dead_letters" / "gate.jsonl").unlink(missing_ok=True)
