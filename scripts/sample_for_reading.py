"""Draws accepted rows for a reader who sees only source, adapted text and translation.

`python -m scripts.sample_for_reading out/demo sheets --seed 1` writes sheets/<locale>.tsv with 20 random rows a locale: id, source,
adapted, translation, and an empty verdict. Readers fill in `right` or `wrong: why`; docs/reading.md holds the verdicts.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from pathlib import Path

import pyarrow.parquet as pq

COLUMNS = ("id", "source_prompt", "source_response", "adapted_prompt", "adapted_response", "prompt", "response")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("sheets", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=20)
    args = parser.parse_args()
    args.sheets.mkdir(parents=True, exist_ok=True)
    for folder in sorted((args.out / "data").iterdir()):
        rows = pq.read_table(folder, columns=[*COLUMNS, "origin"]).to_pylist()
        rows = [r for r in rows if r["origin"] != "native"]
        if not rows:
            continue
        chosen = random.Random(f"{args.seed} {folder.name}").sample(rows, min(args.rows, len(rows)))
        with open(args.sheets / f"{folder.name}.tsv", "w", encoding="utf-8", newline="") as file:
            sheet = csv.writer(file, delimiter="\t")
            sheet.writerow(["id", "source", "adapted", "translation", "verdict"])
            for row in chosen:
                pairs = [
                    " || ".join(row[f"{kind}{role}"] or "-" for role in ("prompt", "response"))
                    for kind in ("source_", "adapted_", "")
                ]
                sheet.writerow([row["id"], *pairs, ""])
    return 0


if __name__ == "__main__":
    sys.exit(main())
