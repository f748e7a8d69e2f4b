"""The ledger: what went in equals what came out, both sides counted on their own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.plan import Plan
from transforms.read import count_units

_GATE_STAGES = ("read", "gate")


def rows_in(folder: Path) -> int:
    """Rows of all Parquet files below a folder, from their footers."""
    return sum(pq.read_metadata(p).num_rows for p in sorted(folder.rglob("*.parquet")))


def dead_units(out: Path) -> Counter[str]:
    """Units of dead letters by stage."""
    found: Counter[str] = Counter()
    for path in sorted((out / "dead_letters").glob("*.jsonl")):
        for line in filter(None, path.read_text("utf-8").split("\n")):
            letter = json.loads(line)
            found[letter["stage"]] += letter["units"]
    return found


def build_ledger(plan: Plan, work: Path) -> dict[str, dict[str, Any]]:
    """Counts both lines from the input and from what was written.

    Returns:
        {"gate": {read, passed, rejected, dead, left_out, balanced}, "locales": {expected, accepted, rejected, dead,
        balanced}}: read = passed + rejected + dead (+ left out by --limit); passed x locales = accepted + rejected + dead.
        `native` counts the source-language rows, one a passed row.
    """
    out, config = Path(plan.config.output.folder), plan.config
    dead = dead_units(out)
    passed = rows_in(work / "rows")
    gate: dict[str, Any] = {
        "read": sum(count_units(s) for s in plan.sources),
        "passed": passed,
        "rejected": rows_in(out / "rejected" / config.source_locale),
        "dead": sum(dead[s] for s in _GATE_STAGES),
        "left_out": json.loads((work / "left_out.json").read_text()),
    }
    gate["balanced"] = gate["read"] == gate["passed"] + gate["rejected"] + gate["dead"] + gate["left_out"]
    after: dict[str, Any] = {
        "expected": passed * len(config.locales),
        "accepted": sum(rows_in(out / "data" / locale) for locale in config.locales),
        "rejected": sum(rows_in(out / "rejected" / locale) for locale in config.locales),
        "dead": sum(n for stage, n in dead.items() if stage not in _GATE_STAGES),
        "native": rows_in(out / "data" / config.source_locale),
    }
    lost_before_fan_out = dead["segregate"] // len(config.locales)
    after["balanced"] = (
        after["expected"] == after["accepted"] + after["rejected"] + after["dead"]
        and after["native"] == passed - lost_before_fan_out
    )
    return {"gate": gate, "locales": after}


def broken_lines(ledger: dict[str, dict[str, Any]]) -> list[str]:
    """What does not balance, in words; empty if all does."""
    found = []
    if not ledger["gate"]["balanced"]:
        found.append(
            "gate: read {read} is not passed {passed} + rejected {rejected} + dead {dead}".format(**ledger["gate"])
        )
    if not ledger["locales"]["balanced"]:
        line = "locales: expected {expected} is not accepted {accepted} + rejected {rejected} + dead {dead} (native {native})"
        found.append(line.format(**ledger["locales"]))
    return found
