"""Checks the demo's output against what the project promises of it; run by .ci/run."""

import json
import sys
from pathlib import Path

LEAST_ACCEPTED, LEAST_ADAPTED = 200, 60


def main(out: Path) -> int:
    report = json.loads((out / "report" / "report.json").read_text("utf-8"))
    wrong = []
    for line in ("gate", "locales"):
        if not report["ledger"][line]["balanced"]:
            wrong.append(f"the {line} line of the ledger does not balance")
    for locale, counts in report["locales"].items():
        if counts["accepted"] < LEAST_ACCEPTED:
            wrong.append(f"{locale}: {counts['accepted']} accepted, under {LEAST_ACCEPTED}")
        if counts["adapted"] < LEAST_ADAPTED:
            wrong.append(f"{locale}: {counts['adapted']} adapted, under {LEAST_ADAPTED}")
    if len(report["locales"]) != 8:
        wrong.append(f"{len(report['locales'])} locales instead of 8")
    wrong += [f"{name} is missing" for name in ("README.md", "manifest.json", "_SUCCESS", "report/index.html")
              if not (out / name).is_file()]  # fmt: skip
    print("\n".join(wrong) or f"{out}: as promised")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
