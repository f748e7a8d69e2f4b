import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.parquet import SCHEMA, to_columns
from schemas.rows import DeadLetter
from tests.builders import make_row
from transforms.write import shard_name, write_dead_letters, write_shard


def rows(count: int) -> list[dict]:
    return [to_columns(make_row(f"Prompt {i}?", id=f"{i:03d}"), "eng_Latn") for i in range(count)]


def test_a_shard_has_the_same_bytes_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    made = rows(40)
    write_shard(str(tmp_path), "data/de-DE/a.parquet", made, SCHEMA, ("id",))
    random.Random(1).shuffle(made)
    write_shard(str(tmp_path), "data/de-DE/b.parquet", made, SCHEMA, ("id",))
    a, b = ((tmp_path / "data" / "de-DE" / f"{n}.parquet").read_bytes() for n in "ab")
    assert a == b
    ids = pq.read_table(tmp_path / "data" / "de-DE" / "a.parquet")["id"].to_pylist()
    assert ids == sorted(ids)


def test_nothing_unfinished_stays_beside_a_finished_name(tmp_path: Path) -> None:
    write_shard(str(tmp_path), "data/x.parquet", rows(3), SCHEMA, ("id",))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["x.parquet"]


def test_a_column_that_the_schema_does_not_have_is_not_dropped_in_silence(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="silence"):
        write_shard(str(tmp_path), "x.parquet", [rows(1)[0] | {"extra": 1}], SCHEMA, ("id",))


def test_every_shard_lies_within_one_slice() -> None:
    slices_of: dict[str, set[int]] = {}
    for h in range(5000):
        slices_of.setdefault(shard_name("data", "de-DE", "train", h * 7919, 3, 4), set()).add(h * 7919 % 3)
    assert len(slices_of) == 12
    assert all(len(s) == 1 for s in slices_of.values())
    assert all(name.endswith("-of-00012.parquet") for name in slices_of)


def test_dead_letters_are_sorted_lines(tmp_path: Path) -> None:
    letters = [DeadLetter("gate", f"f:{i}", "E", "m") for i in (2, 1)]
    assert write_dead_letters(str(tmp_path), "dead_letters/gate.jsonl", letters) == 2
    lines = (tmp_path / "dead_letters" / "gate.jsonl").read_text().splitlines()
    assert "f:1" in lines[0] and "f:2" in lines[1]
