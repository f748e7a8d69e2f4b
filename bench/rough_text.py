"""Runs the pipeline over rough texts, counts what became of their sentences and checks what must hold of every text.

`python -m bench.rough_text` does so on 500 made rows of forty shapes (code, markup, chats, lists, long paragraphs, white
space; `bench/rough_rows.py`), `--demo` on the shipped demo. Everything is counted from the Parquet files of the run. Ends
with 1 if a promise is broken, naming row, locale and shape.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from bench.results import write_section
from bench.rough_rows import make_rows
from data import resource
from transforms.blocks import cut_blocks
from transforms.gate import is_translatable
from transforms.inline import inline_pieces

LOCALES = "ar-EG,de-DE,hi-IN,th-TH,zh-CN"
FLAGS = ("cut_inside_sentence", "split_at_clauses", "truncated", "oversized", "translation_failed")
# Of rows, of sentences, of texts.
COLUMNS = ("rows", "row-locales", "accepted", "block_kept", "sentences", "with pieces", *FLAGS, "unknown tokens",
           "piece lost, flagged", "piece lost, rejected", "symbol lost", "broken")  # fmt: skip
_ALL = "all"
_LINE_END = re.compile(r"\r\n|[\r\n\u2028\u2029]")
# Deliberately not the patterns of transforms/: what is checked must not be found by what it checks.
_LEAD = re.compile(r"[^\S\r\n\u2028\u2029]*(?:(?:[-*+•>#|]+|\d+[.)]|[a-z]\)|\[[ xX]\])[^\S\r\n\u2028\u2029]+)*")
_TRAIL = re.compile(r"\s*$")
# Emoji and marks of direction: nothing promises them, but nobody would want them lost.
_SYMBOL = re.compile("[\u200e\u200f\u2764\U0001f000-\U0001faff]")


def broken_promises(source: str | None, target: str | None, kept: Sequence[str], raised: Iterable[str]) -> list[str]:
    """What of the promises on a text does not hold.

    Args:
        source: the adapted text.
        target: its translation.
        kept: stretches that must stand in the translation as often as in the source; those of other texts are ignored.
        raised: flags of the row and the reasons against it.
    """
    if not is_translatable(source) or source is None:
        return [] if target == source else ["a text without words was changed"]
    if target is None:
        return [] if "translation_failed" in raised else ["no translation and no flag"]
    found = []
    if lost_pieces(source, target, kept) and not {"piece_lost", "cut_inside_sentence"} & set(raised):
        found.append("a piece was lost without a word")
    at = 0
    for block in cut_blocks(source):
        if block.kind == "kept" and block.text.strip():
            at = target.find(block.text, at) + len(block.text)
            if at < len(block.text):
                found.append("a block is not where it was")
                break
    if _LINE_END.findall(source) != _LINE_END.findall(target):
        return [*found, "line ends differ"]
    for before, after in zip(_LINE_END.split(source), _LINE_END.split(target), strict=True):
        if _margins(before) != _margins(after):
            return [*found, "what leads or ends a line differs"]
    return found


def _margins(line: str) -> tuple[str, str, int]:
    lead, trail = _LEAD.match(line), _TRAIL.search(line)
    assert lead and trail
    return lead.group(), trail.group(), line.count("|") if lead.group().startswith("|") else 0


def lost_pieces(source: str, target: str, kept: Iterable[str]) -> list[str]:
    """The stretches, given or found, that do not stand in the target as often as in the source."""
    stretches = dict.fromkeys([*inline_pieces(source), *(k for k in kept if k in source)])
    return [s for s in stretches if target.count(s) != source.count(s)]


def rows_of(folder: Path) -> Iterator[dict[str, Any]]:
    """Every row of a folder's Parquet files."""
    for path in sorted(folder.rglob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(batch_size=100):
            yield from batch.to_pylist()


class Count:
    """Counts of a run, by shape, by locale and in all.

    Attributes:
        by: (shape or locale or "all") -> column -> number.
        broken: (row id, locale, shape, promise) of every promise that does not hold.
    """

    def __init__(self) -> None:
        self.by: dict[str, Counter[str]] = defaultdict(Counter)
        self.reasons: dict[str, Counter[str]] = defaultdict(Counter)
        self.broken: list[tuple[str, str, str, str]] = []
        self._rows: dict[str, tuple[str, str]] = {}

    def add(self, row: Mapping[str, Any], column: str, number: int = 1) -> None:
        for name in (*self._rows[row["id"]], _ALL):
            self.by[name][column] += number

    def add_native(self, row: Mapping[str, Any], passed: bool) -> None:
        """A row of the source locale: one that was read and got an id."""
        self._rows[row["id"]] = (_shape(row), row["locale"])
        self.add(row, "rows")
        self.add(row, "passed", int(passed))

    def add_row(self, row: Mapping[str, Any]) -> None:
        """A row in a locale, accepted or rejected."""
        shape = _shape(row)
        self._rows[row["id"]] = (shape, row["locale"])
        self.add(row, "row-locales")
        self.add(row, "accepted", int(not row["reasons"]))
        self.add(row, "block_kept", int("block_kept" in row["flags"]))
        self.reasons[shape].update(row["reasons"])
        kept = json.loads(row["metadata"]).get("kept", [])
        raised = [*row["flags"], *row["reasons"]]
        for name in ("prompt", "response"):
            source, target = row[f"adapted_{name}"] or row[f"source_{name}"], row[name]
            for promise in broken_promises(source, target, kept, raised):
                self.broken.append((row["id"], row["locale"], shape, f"{name}: {promise}"))
                self.add(row, "broken")
            if source and target and lost_pieces(source, target, kept):
                self.add(row, "piece lost, rejected" if "piece_lost" in raised else "piece lost, flagged")
            if source and target and Counter(_SYMBOL.findall(source)) != Counter(_SYMBOL.findall(target)):
                self.add(row, "symbol lost")

    def add_segment(self, segment: Mapping[str, Any]) -> None:
        """A sentence of a row that was added before."""
        row = {"id": segment["row_id"]}
        self.add(row, "sentences")
        self.add(row, "with pieces", int(bool(inline_pieces(segment["source"]))))
        self.add(row, "unknown tokens", segment["unknown"])
        for flag in segment["flags"]:
            self.add(row, flag)


def _shape(row: Mapping[str, Any]) -> str:
    return str(json.loads(row["metadata"]).get("shape", "demo"))


def count_run(out: Path, source_locale: str = "en-US") -> Count:
    """Counts a finished run with its segment table."""
    count = Count()
    for verdict in ("data", "rejected"):
        for row in rows_of(out / verdict / source_locale):
            count.add_native(row, verdict == "data")
    for verdict in ("data", "rejected"):
        for folder in sorted(p for p in (out / verdict).iterdir() if p.name != source_locale):
            for row in rows_of(folder):
                count.add_row(row)
    for segment in rows_of(out / "segments"):
        count.add_segment(segment)
    ledger, counted = json.loads((out / "manifest.json").read_text("utf-8"))["ledger"], count.by[_ALL]
    gate, after = ledger["gate"], ledger["locales"]
    if not (gate["balanced"] and after["balanced"] and gate["passed"] == counted["passed"]
            and after["expected"] == counted["row-locales"] + after["dead"]):  # fmt: skip
        count.broken.append(("-", "-", "-", "the ledger does not balance"))
    if after["dead"]:
        count.broken.append(("-", "-", "-", f"{after['dead']} row-locales are dead"))
    return count


def _table(first: str, names: Iterable[str], count: Count, columns: Sequence[str]) -> list[str]:
    lines = [f"| {first} | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    return lines + [f"| {name} | " + " | ".join(f"{count.by[name][c]:,}" for c in columns) + " |" for name in names]


def describe(count: Count, locales: Sequence[str]) -> str:
    """The counts as Markdown tables: by shape with the commonest reasons, and by locale."""
    shapes = [name for name in count.by if name not in (*locales, "en-US", _ALL)]
    lines = _table("shape", [*sorted(shapes), *([_ALL] if len(shapes) > 1 else [])], count, COLUMNS)
    lines += ["", *_table("locale", locales, count, COLUMNS[1:])]
    lines += ["", "Commonest reasons against row-locales:", ""]
    for shape in sorted(shapes):
        if found := count.reasons[shape].most_common(4):
            lines.append(f"- {shape}: " + ", ".join(f"{reason} {n}" for reason, n in found))
    lines += ["", f"Broken promises: {len(count.broken)}."]
    return "\n".join(lines)


def write_rough_config(folder: Path, rows: int, locales: Sequence[str]) -> Path:
    """Writes rows and a config over them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in make_rows(rows))
    (folder / "train.jsonl").write_text("".join(lines), "utf-8")
    config = {
        "dataset": "rough", "licence": "Apache-2.0", "inputs": [{"path": str(folder / "train.jsonl")}],
        "locales": list(locales), "output": {"folder": str(folder / "out"), "segments": True},
        "memory": str(folder / "memory"),
    }  # fmt: skip
    path = folder / "rough.yaml"
    path.write_text(yaml.safe_dump(config), "utf-8")
    return path


def measure(folder: Path, config: Path, overrides: Sequence[str]) -> tuple[Count, str]:
    """Runs a config into folder/out, if that is not done yet, and counts; says how long the run took too.

    Raises:
        SystemExit: the run failed; it has said why.
    """
    from pipeline.cli import main as transcreate

    code = transcreate(["run", str(config), "--output", str(folder / "out"), *overrides])
    if code:
        raise SystemExit(code)
    report = json.loads((folder / "out" / "report" / "report.json").read_text("utf-8"))
    found = report["run"]["timings"]
    asked, known = (
        sum(found[f"{x}_{how}"] for x in ("translations", "similarities")) for how in ("asked", "remembered")
    )
    took = f"{found['gate_s'] + found['slices_s']:.0f} s with {known / max(1, asked):.0%} of the answers remembered"
    return count_run(folder / "out"), took


def main() -> int:
    """Runs, counts, writes the section; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=500)
    parser.add_argument("--locales", default=LOCALES, help=f"default: {LOCALES}")
    parser.add_argument("--demo", action="store_true", help="the shipped demo in place of rough rows")
    parser.add_argument("--output", type=Path, help="folder for input and run; default: one that is removed again")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.output or Path(temporary)
        if args.demo:
            name, config = "Segments of the demo", Path(str(resource("demo/demo.yaml")))
            given = ["--set", "output.segments=true", "--set", f"memory={json.dumps(str(folder / 'memory'))}"]
            locales = yaml.safe_load(config.read_text("utf-8"))["locales"]
            about = "`python -m bench.rough_text --demo`: the shipped demo"
        else:
            name, locales, given = "Segments of rough texts", args.locales.split(","), []
            config = write_rough_config(folder, args.rows, locales)
            about = f"`python -m bench.rough_text --rows {args.rows} --locales {args.locales}`: made rows"
        count, took = measure(folder, config, given)
    about += (
        f", demo translator, {os.cpu_count()} cores, {took}. Rows: also those that the gate rejected. Sentences and"
        " their flags are counted a row-locale, so that a sentence that many rows share counts each time. With pieces:"
        " sentences with a URL, code or placeholder. Symbol lost: texts whose emoji or marks of direction changed."
    )
    text = f"{about}\n\n{describe(count, locales)}"
    print(text)
    write_section(name, text)
    for row, locale, shape, promise in count.broken:
        print(f"BROKEN row {row} {locale} ({shape}): {promise}", file=sys.stderr)
    return 1 if count.broken else 0


if __name__ == "__main__":
    sys.exit(main())
