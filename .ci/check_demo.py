"""Checks the demo's output against what the project promises of it; run by .ci/run."""

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

LEAST_ACCEPTED, LEAST_ADAPTED = 200, 60
EXPECTED = Path("data/demo/expected.jsonl")


def endings(out: Path) -> dict[str, str]:
    """Where each source row ended: "passed" or its reason by source id; dead letters by file and line."""
    found = {}
    for verdict, folder in (("passed", out / "data" / "en-US"), ("rejected", out / "rejected" / "en-US")):
        for row in pq.read_table(folder, columns=["source_id", "reasons"]).to_pylist():
            found[row["source_id"]] = verdict if verdict == "passed" else row["reasons"][0].split(":")[0]
    for line in (out / "dead_letters" / "gate.jsonl").read_text("utf-8").splitlines():
        letter = json.loads(line)
        found[letter["location"]] = letter["error"]
    return found


def main(out: Path) -> int:
    report = json.loads((out / "report" / "report.json").read_text("utf-8"))
    targets = {name: counts for name, counts in report["locales"].items() if not counts["is_source"]}
    wrong = []
    for line in ("gate", "locales"):
        if not report["ledger"][line]["balanced"]:
            wrong.append(f"the {line} line of the ledger does not balance")
    for locale, counts in targets.items():
        if counts["accepted"] < LEAST_ACCEPTED:
            wrong.append(f"{locale}: {counts['accepted']} accepted, under {LEAST_ACCEPTED}")
        if counts["adapted"] < LEAST_ADAPTED:
            wrong.append(f"{locale}: {counts['adapted']} adapted, under {LEAST_ADAPTED}")
    if len(targets) != 8:
        wrong.append(f"{len(targets)} locales instead of 8")
    wrong += [
        f"{name} is missing"
        for name in ("README.md", "manifest.json", "_SUCCESS", "report/index.html")
        if not (out / name).is_file()
    ]
    ended = endings(out)
    for line in EXPECTED.read_text("utf-8").splitlines():
        row = json.loads(line)
        place = f"{row['file']}:{row['line']}"
        got = ended.get(place if row["ends"] == "dead" else row["id"])
        if got != (row["reason"] or "passed"):
            wrong.append(f"{place} ended as {got}, not as {row['reason'] or 'passed'} ({row['why']})")
    print("\n".join(wrong) or f"{out}: as promised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
