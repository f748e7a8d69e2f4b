"""Review sheets: rows out for native readers, their verdicts back in as scores and a table of the report."""

from __future__ import annotations

import csv
import json
import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import ConfigError, InputError
from pipeline.publish import MANIFEST, describe_files, verify, write_manifest
from pipeline.report import write_pages
from pipeline.report_page import REVIEW_QUESTIONS
from schemas.hashing import number
from schemas.kinds import KIND_OF
from schemas.rows import EXCHANGES
from transforms.write import STAGING, write_table

_ANSWERS = {"yes": 1.0, "y": 1.0, "1": 1.0, "true": 1.0, "no": 0.0, "n": 0.0, "0": 0.0, "false": 0.0}
_TEXTS = ("source_prompt", "adapted_prompt", "prompt", "source_response", "adapted_response", "response")
_ABOUT = ("id", "locale", "kind", "label", *_TEXTS, "edits")
_EMPTY = ("reviewer", *REVIEW_QUESTIONS, "comment")
COLUMNS = (*_ABOUT, *_EMPTY)
_READ = ["id", "group_id", "locale", "origin", "prompt_label", *_TEXTS, "edits"]
VERDICTS = "reviews/verdicts.parquet"
_SCHEMA = pa.schema(
    [("id", pa.string()), ("locale", pa.string()), ("reviewer", pa.string())]
    + [(name, pa.float64()) for name in REVIEW_QUESTIONS]
    + [("comment", pa.string())]
)


def export_sheet(out: Path, to: Path, per_locale: int) -> dict[str, int]:
    """Writes rows of the published dataset with empty verdict columns, as CSV or JSONL by the file's name.

    Rows are drawn by hash of their id, in turn from every kind of edit and label that a locale has, so that a short
    sheet sees as many as possible; the same folder gives the same sheet.

    Returns:
        Locale -> rows written.

    Raises:
        InputError: the folder is no finished run.
        ConfigError: the sheet exists already, or its name ends in neither .csv nor .jsonl.
    """
    if not (out / MANIFEST).is_file():
        raise InputError(f"{out} has no {MANIFEST}: not a finished run")
    if to.suffix not in (".csv", ".jsonl"):
        raise ConfigError(f"--to {to}: expected a name that ends in .csv or .jsonl")
    if to.exists():
        raise ConfigError(f"--to {to}: exists already, perhaps with verdicts in it; choose another name")
    rows = [row for folder in sorted((out / "data").iterdir()) for row in _draw(_candidates(folder), per_locale)]
    with open(to, "w", encoding="utf-8", newline="") as file:
        if to.suffix == ".csv":
            file.write("\ufeff")  # spreadsheet programs take CSV for Latin-1 without it
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(_without_formulas(row) for row in rows)
        else:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row["locale"]] += 1
    return dict(counts)


def _candidates(folder: Path) -> Iterator[Mapping[str, Any]]:
    for path in sorted(folder.glob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(columns=_READ):
            yield from (row for row in batch.to_pylist() if row["origin"] != "native")


def _draw(rows: Iterable[Mapping[str, Any]], most: int) -> list[dict[str, Any]]:
    strata: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        sheet = _sheet_row(row)
        strata[sheet["kind"], sheet["label"]].append(sheet)
    turns = [
        (turn, key, row)
        for key, members in strata.items()
        for turn, row in enumerate(sorted(members, key=lambda r: (number("review", r["id"]), r["id"])))
    ]
    # The rarest kinds first, so that they are there where a turn must be cut short.
    chosen = sorted(turns, key=lambda t: (t[0], len(strata[t[1]]), t[1]))[:most]
    return sorted((row for _, _, row in chosen), key=lambda r: (r["kind"], r["label"], r["id"]))


def _sheet_row(row: Mapping[str, Any]) -> dict[str, Any]:
    swaps = [e for e in row["edits"] or () if e["action"] in EXCHANGES]
    return {
        "id": row["id"],
        "locale": row["locale"],
        "kind": KIND_OF.get(swaps[0]["kind"], swaps[0]["kind"]) if swaps else "generic",
        "label": row["prompt_label"] or "unlabelled",
        **{name: row[name] or "" for name in _TEXTS},
        "edits": "; ".join(f"{e['before']} \u2192 {e['after']}" for e in swaps),
        **dict.fromkeys(_EMPTY, ""),
    }


def _without_formulas(row: Mapping[str, Any]) -> dict[str, Any]:
    """A cell that a spreadsheet program would compute is a text there too; the apostrophe is what they hide."""
    return {k: f"'{v}" if v and v[0] in "=+-@\t\r" else v for k, v in row.items()}


def import_sheet(out: Path, sheet: Path) -> int:
    """Takes the verdicts of a filled sheet into a finished run: `reviews/verdicts.parquet`, report and manifest.

    A verdict replaces an earlier one of the same reviewer on the same row. Rows without a single answer are passed over.

    Returns:
        Verdicts taken.

    Raises:
        InputError: folder or sheet cannot be read.
        ConfigError: a row of the sheet is not of this run, or an answer is neither yes nor no; names the line, never the text.
    """
    if not (out / MANIFEST).is_file():
        raise InputError(f"{out} has no {MANIFEST}: not a finished run")
    wrong = verify(out)
    if wrong:
        raise ConfigError(f"{out} is damaged: {'; '.join(wrong[:3])}; its report cannot be trusted with verdicts")
    locales = {row["id"]: row["locale"] for folder in sorted((out / "data").iterdir()) for row in _candidates(folder)}
    merged = {(v["id"], v["reviewer"]): v for v in _known(out)}
    taken = 0
    for line, row in _read_sheet(sheet):
        verdict = _verdict(row, f"{sheet}:{line}")
        if verdict is None:
            continue
        if verdict["id"] not in locales:
            raise ConfigError(f"{sheet}:{line}: {out} publishes no row of this id; was the sheet exported from it?")
        merged[verdict["id"], verdict["reviewer"]] = {**verdict, "locale": locales[verdict["id"]]}
        taken += 1
    if taken:
        _publish(out, [merged[key] for key in sorted(merged)])
    return taken


def _known(out: Path) -> list[dict[str, Any]]:
    path = out / VERDICTS
    rows: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist() if path.is_file() else []
    return rows


def _read_sheet(sheet: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line, row) for each row of a sheet; the line is where the row ends, for a CSV cell may hold several."""
    try:
        with open(sheet, encoding="utf-8-sig", newline="") as file:
            if sheet.suffix == ".jsonl":
                for line, text in enumerate(file, 1):
                    if text.strip():
                        yield line, json.loads(text)
                return
            reader = csv.DictReader(file)
            missing = {"id", *REVIEW_QUESTIONS} - set(reader.fieldnames or ())
            if missing:
                raise ConfigError(
                    f"{sheet}:1: lacks the columns {', '.join(sorted(missing))}; keep those of the export"
                )
            for row in reader:
                yield reader.line_num, row
    except OSError as error:
        raise InputError(f"{sheet}: cannot read the sheet ({error.strerror})") from None
    except (UnicodeDecodeError, ValueError, csv.Error) as error:
        raise ConfigError(f"{sheet}: not a sheet in UTF-8 CSV or JSONL ({type(error).__name__})") from None


def _verdict(row: Mapping[str, Any], where: str) -> dict[str, Any] | None:
    answers: dict[str, float | None] = {}
    for name in REVIEW_QUESTIONS:
        given = str(row.get(name) or "").strip().lower()
        if given and given not in _ANSWERS:
            raise ConfigError(f"{where}: {name}: expected yes, no or nothing")
        answers[name] = _ANSWERS.get(given)
    if all(answer is None for answer in answers.values()):
        return None
    reviewer, comment = (str(row.get(name) or "").strip() for name in ("reviewer", "comment"))
    return {"id": str(row.get("id") or ""), "reviewer": reviewer, **answers, "comment": comment}


def sum_up(verdicts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Locale -> rows, reviewers, and for each question the answers and how many were yes."""
    by_locale: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for verdict in verdicts:
        by_locale[verdict["locale"]].append(verdict)
    return {
        locale: {
            "rows": len({v["id"] for v in given}),
            "reviewers": len({v["reviewer"] for v in given}),
            **{
                name: {
                    "answers": sum(v[name] is not None for v in given),
                    "yes": sum(v[name] == 1 for v in given),
                }
                for name in REVIEW_QUESTIONS
            },
        }
        for locale, given in sorted(by_locale.items())
    }


def _publish(out: Path, verdicts: list[dict[str, Any]]) -> None:
    write_table(str(out), VERDICTS, pa.Table.from_pylist(verdicts, schema=_SCHEMA))
    shutil.rmtree(out / STAGING, ignore_errors=True)
    report = json.loads((out / "report" / "report.json").read_text("utf-8"))
    write_pages(out, report | {"reviews": sum_up(verdicts)})
    manifest = json.loads((out / MANIFEST).read_text("utf-8"))
    write_manifest(out, manifest | {"files": describe_files(out)})
