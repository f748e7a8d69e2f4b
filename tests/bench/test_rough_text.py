"""The rough rows are what they say, and a broken promise does not pass unseen."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.results import write_section
from bench.rough_rows import SHAPES, make_row, make_rows
from bench.rough_text import broken_promises, count_run, describe
from schemas.parquet import SCHEMA
from schemas.segments import SEGMENTS
from schemas.taxonomy import load_taxonomy


def test_rows_are_the_same_every_time_and_all_shapes_come_equally_often() -> None:
    rows = make_rows(500)
    assert rows == make_rows(500) and len({r["id"] for r in rows}) == 500
    often = Counter(r["shape"] for r in rows)
    assert set(often) == set(SHAPES) and max(often.values()) - min(often.values()) <= 1


def test_every_tenth_response_is_missing_or_white_space() -> None:
    empty = [r["response"] for r in make_rows(500) if r["response_label"] is None]
    assert 40 <= len(empty) <= 60 and {None, "", " "} <= set(empty)
    assert all(not (e or "").strip() or e == "None" for e in empty)


def test_labels_are_those_of_the_taxonomy() -> None:
    taxonomy = load_taxonomy("aegis2")
    for row in make_rows(80):
        assert taxonomy.read(row["prompt_label"], row["response_label"], row["violated_categories"])[3] == []
    assert {r["prompt_label"] for r in make_rows(80)} == {"safe", "unsafe"}


@pytest.mark.parametrize("number", range(2 * len(SHAPES)))
def test_what_must_be_kept_stands_in_the_row_and_the_row_itself_keeps_all_promises(number: int) -> None:
    row = make_row(number)
    assert all(k in row["prompt"] or k in (row["response"] or "") for k in row["kept"])
    for text in (row["prompt"], row["response"]):
        assert broken_promises(text, text, row["kept"], []) == []


SOURCE = "- See https://a.org/x now.\r\n```\nx = 1\n```\n| a | b |\n"


@pytest.mark.parametrize(("target", "raised", "expected"), [
    ("- Siehe https://a.org/x jetzt.\r\n```\nx = 1\n```\n| c | d |\n", [], 0),
    ("- Siehe jetzt.\r\n```\nx = 1\n```\n| c | d |\n", [], 1),
    ("- Siehe jetzt.\r\n```\nx = 1\n```\n| c | d |\n", ["piece_lost"], 0),
    ("- Siehe https://a.org/x jetzt.\r\n```\nx = 2\n```\n| c | d |\n", [], 1),
    ("- Siehe https://a.org/x jetzt.\n```\nx = 1\n```\n| c | d |\n", [], 1),
    ("* Siehe https://a.org/x jetzt.\r\n```\nx = 1\n```\n| c | d |\n", [], 1),
    ("- Siehe https://a.org/x jetzt. \r\n```\nx = 1\n```\n| c | d |\n", [], 1),
    ("- Siehe https://a.org/x jetzt.\r\n```\nx = 1\n```\n| c d |\n", [], 1),
    (None, ["translation_failed"], 0),
    (None, [], 1),
])  # fmt: skip
def test_a_broken_promise_is_seen(target: str | None, raised: list[str], expected: int) -> None:
    assert len(broken_promises(SOURCE, target, ["https://a.org/x"], raised)) == expected


@pytest.mark.parametrize("text", [None, "", " \n", "None"])
def test_a_text_without_words_must_not_change(text: str | None) -> None:
    assert broken_promises(text, text, [], []) == []
    assert broken_promises(text, "Nein.", [], [])


def test_a_stretch_that_only_the_generator_knows_is_looked_for_too() -> None:
    assert broken_promises("Ask #bread now.", "Frag jetzt.", ["#bread"], [])
    assert broken_promises("Ask #bread now.", "Frag jetzt.", ["of the other text"], []) == []


def write_run(out: Path, expected: int) -> None:
    """A run of one row in one locale, as far as it is counted."""
    row: dict[str, Any] = dict.fromkeys(SCHEMA.names) | {
        "id": "1", "locale": "en-US", "flags": [], "reasons": [], "source_prompt": "See `x` now.", "prompt": "See `x` now.",
        "metadata": json.dumps({"shape": "inline_code", "kept": ["`x`"]}),
    }  # fmt: skip
    german = row | {"id": "2", "locale": "de-DE", "prompt": "Sieh jetzt.", "reasons": ["piece_lost"]}
    sentence = {
        "row_id": "2",
        "locale": "de-DE",
        "source": "See `x` now.",
        "unknown": 3,
        "flags": ["cut_inside_sentence", "truncated"],
    }
    for name, rows, schema in (
        ("data/en-US", [row], SCHEMA), ("rejected/de-DE", [german], SCHEMA), ("segments/de-DE", [sentence], SEGMENTS)
    ):  # fmt: skip
        (out / name).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), out / name / "train-00000-of-00001.parquet")
    after = {"balanced": True, "expected": expected, "dead": 0}
    ledger = {"gate": {"balanced": True, "passed": 1}, "locales": after}
    (out / "manifest.json").write_text(json.dumps({"ledger": ledger}))


def test_a_run_is_counted_from_what_it_wrote(tmp_path: Path) -> None:
    write_run(tmp_path, expected=1)
    count = count_run(tmp_path)
    for name in ("inline_code", "de-DE", "all"):
        assert count.by[name] == Counter(
            {"row-locales": 1, "sentences": 1, "with pieces": 1, "unknown tokens": 3, "cut_inside_sentence": 1, "truncated": 1,
             "piece lost, rejected": 1} | ({} if name == "de-DE" else {"rows": 1, "passed": 1})
        )  # fmt: skip
    assert count.broken == []
    text = describe(count, ["de-DE"])
    assert "| inline_code | 1 | 1 |" in text and "- inline_code: piece_lost 1" in text


def test_a_ledger_that_does_not_balance_is_a_broken_promise(tmp_path: Path) -> None:
    write_run(tmp_path, expected=2)
    assert [promise for *_, promise in count_run(tmp_path).broken] == ["the ledger does not balance"]


def test_a_section_replaces_its_like_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    for name, text in (("One", "1\n"), ("Two", "2"), ("One", r"\1 again")):
        write_section(name, text, path)
    made = path.read_text("utf-8")
    assert made.count("## One\n\n\\1 again\n") == 1 and made.count("## Two\n\n2\n") == 1
    assert made.index("## One") < made.index("## Two") and made.startswith("# ")
