from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rows import DeadLetter
from tests.builders import make_source
from transforms import read
from transforms.read import Source, Unit, count_units, file_format, iter_lines, read_units

quick = settings(max_examples=80, deadline=None)


def parts(source: Source) -> tuple[list[Unit], list[DeadLetter]]:
    found = list(read_units(source))
    return [u for u in found if isinstance(u, Unit)], [d for d in found if isinstance(d, DeadLetter)]


def units_read(source: Source) -> int:
    units, dead = parts(source)
    return len(units) + sum(letter.units for letter in dead)


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data, ".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstd,
}  # fmt: skip

fragments = st.sampled_from(
    [b'{"a": 1}', b"{}", b"[1]", b"null", b"NaN", b'{"a": "\xe2\x80\xa8"}', b'{"a": "\\ud800"}', b'{"a": "\xff"}',
    b"\xef\xbb\xbf",
     b" ", b"\t", b"\r", b"\x0b", b"\x0c", b"\x00", b"\x1c", b"\xc2\x85", b'{"a": ', b"}", b'"', b"[" * 40, b"9" * 50,
     b"x"]
)  # fmt: skip
wild_bytes = st.one_of(
    st.binary(max_size=120),
    st.lists(st.one_of(fragments, st.just(b"\n"), st.just(b"\r\n")), max_size=30).map(b"".join),
)


# --- lines ---


@quick
@given(data=wild_bytes, cap=st.integers(0, 60), chunk=st.integers(1, 40))
def test_lines_are_those_of_a_split_at_line_feeds(data: bytes, cap: int, chunk: int) -> None:
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    with patch.object(read, "_CHUNK", chunk):
        found = list(iter_lines(io.BytesIO(data), cap))
    assert [number for number, _ in found] == list(range(1, len(expected) + 1))
    for (_, line), whole in zip(found, expected, strict=True):
        if len(whole) <= cap:
            assert line == whole
        elif whole.strip():
            assert line is None
        else:
            assert line is not None
            assert not line.strip()


# --- JSONL ---


@quick
@given(data=wild_bytes, cap=st.integers(1, 60), chunk=st.integers(1, 40))
def test_every_non_blank_line_of_any_file_is_one_unit(data: bytes, cap: int, chunk: int) -> None:
    with tempfile.TemporaryDirectory() as folder, patch.object(read, "_CHUNK", chunk):
        path = Path(folder, "in.jsonl")
        path.write_bytes(data)
        source = make_source(path, max_unit_bytes=cap)
        non_blank = sum(bool(line.strip()) for line in data.split(b"\n"))
        assert units_read(source) == count_units(source) == non_blank


@quick
@given(data=wild_bytes, cut=st.floats(0, 1), suffix=st.sampled_from([".gz", ".bz2", ".zst"]))
def test_a_compressed_file_cut_anywhere_is_read_and_counted_alike(data: bytes, cut: float, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"in.jsonl{suffix}")
        packed = PACK[suffix](data)
        path.write_bytes(packed[: int(len(packed) * cut)])
        source = make_source(path)
        assert units_read(source) == count_units(source)


@quick
@given(junk=st.binary(max_size=200), suffix=st.sampled_from([".gz", ".bz2", ".zst"]))
def test_a_file_that_is_not_what_its_suffix_says_is_one_dead_letter(junk: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"in.jsonl{suffix}")
        path.write_bytes(b"junk" + junk)
        units, dead = parts(make_source(path))
        assert units == []
        assert len(dead) == 1 == count_units(make_source(path))
        assert dead[0].location == path.name


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".zst", ".GZ", ".Zst"])
def test_compression_changes_nothing(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in.jsonl{suffix}"
    path.write_bytes(PACK[suffix.lower()](b'{"a": 1}\n\n{"a": 2}'))
    units, dead = parts(make_source(path))
    assert [u.record for u in units] == [{"a": 1}, {"a": 2}]
    assert dead == []
    assert [u.origin.line for u in units] == [1, 3]


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zst"])
def test_a_second_compressed_part_is_read_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"in.jsonl{suffix}"
    path.write_bytes(PACK[suffix](b'{"a": 1}\n') + PACK[suffix](b'{"a": 2}\n'))
    assert [u.record for u in parts(make_source(path))[0]] == [{"a": 1}, {"a": 2}]
    assert count_units(make_source(path)) == 2


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".zst"])
def test_a_truncated_file_is_never_taken_for_a_whole_one(tmp_path: Path, suffix: str) -> None:
    lines = b"".join(b'{"a": %d}\n' % i for i in range(2000))
    packed = PACK[suffix](lines)
    path = tmp_path / f"in.jsonl{suffix}"
    path.write_bytes(packed[: len(packed) // 2])
    source = make_source(path)
    _, dead = parts(source)
    assert [letter.location for letter in dead] == [path.name]
    assert units_read(source) == count_units(source)


def test_line_ends_of_windows_and_a_byte_order_mark_are_no_content(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n\r\n{"a": 2}\r\n')
    units, dead = parts(make_source(path))
    assert [u.record for u in units] == [{"a": 1}, {"a": 2}]
    assert dead == []
    assert count_units(make_source(path)) == 2


def test_a_unicode_line_separator_does_not_end_a_line(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"a": "one\u2028two\u2029three\x85four"}\n', "utf-8")
    units, _ = parts(make_source(path))
    assert [u.record["a"] for u in units] == ["one\u2028two\u2029three\x85four"]
    assert count_units(make_source(path)) == 1


def test_a_line_over_the_cap_is_one_dead_letter_and_loses_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n{"a": "' + b"x" * 8_000_000 + b'"}\n{"a": 2}\n', 1))
    source = make_source(path, max_unit_bytes=1_000_000)
    began = time.monotonic()
    tracemalloc.start()
    units, dead = parts(source)
    counted = count_units(source)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [u.record for u in units] == [{"a": 1}, {"a": 2}]
    assert [(d.location, d.error) for d in dead] == [("in.jsonl.gz:2", "LineTooLong")]
    assert counted == 3
    assert peak < 7_000_000
    assert time.monotonic() - began < 5


def test_a_blank_line_over_the_cap_is_still_blank(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b" " * 5000 + b'\n{"a": 1}\n')
    source = make_source(path, max_unit_bytes=100)
    assert units_read(source) == count_units(source) == 1


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"a": "\xff"}', "NotUtf8"),
        (b'{"a": ', "MalformedJson"),
        (b"[" * 100_000, "MalformedJson"),
        (b"9" * 9_000, "MalformedJson"),
        (b"[1, 2]", "NotAnObject"),
        (b'"text"', "NotAnObject"),
        (b"null", "NotAnObject"),
        (b"{" + b'"a":{' * 30_000, "MalformedJson"),
    ],
)
def test_a_bad_line_is_buried_with_its_number_and_the_next_is_read(tmp_path: Path, line: bytes, error: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"a": 1}\n' + line + b'\n{"a": 2}\n')
    source = make_source(path, max_unit_bytes=1_000_000)
    units, dead = parts(source)
    assert [u.origin.line for u in units] == [1, 3]
    assert [(d.location, d.error, d.stage) for d in dead] == [("in.jsonl:2", error, "read")]
    assert count_units(source) == 3


def test_a_lone_surrogate_is_read_so_that_the_gate_can_name_the_field(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"prompt": "\\ud83d"}\n')
    units, dead = parts(make_source(path))
    assert units[0].record == {"prompt": "\ud83d"}
    assert dead == []


@quick
@given(data=wild_bytes, name=st.sampled_from(["in.jsonl", "in.json", "in.csv", "in.parquet", "in.csv.gz"]))
def test_dead_letters_never_hold_payload(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(b'SECRET{"SECRET": SECRET}' + data.replace(b"\n", b"SECRET\nSECRET") + b"\xffSECRET")
        _, dead = parts(make_source(path, max_unit_bytes=80))
        assert all("SECRET" not in letter.as_json() for letter in dead)


# --- other formats ---


@quick
@given(data=wild_bytes, name=st.sampled_from(["in.json", "in.csv", "in.parquet", "in.json.gz", "in.csv.zst"]))
def test_any_bytes_under_any_name_are_read_without_a_crash_and_counted_alike(data: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        source = make_source(path, max_unit_bytes=40)
        assert units_read(source) == count_units(source)


def test_a_json_array_is_read_object_by_object(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('\ufeff[{"a": 1}, 7, {"a": 2}]', "utf-8")
    units, dead = parts(make_source(path))
    assert [u.record for u in units] == [{"a": 1}, {"a": 2}]
    assert [(d.location, d.error) for d in dead] == [("in.json:2", "NotAnObject")]


def test_json_that_is_no_array_is_told_what_is_expected(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('{"a": 1}', "utf-8")
    _, dead = parts(make_source(path))
    assert len(dead) == 1
    assert "array" in dead[0].message


def test_csv_cells_may_hold_commas_quotes_and_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["a", "b"], ['x, "y"\nz', "ü"], [], ["", "2"]])
    units, dead = parts(make_source(path))
    assert [u.record for u in units] == [{"a": 'x, "y"\nz', "b": "ü"}, {"a": "", "b": "2"}]
    assert dead == []


@pytest.mark.parametrize("line", ["1", "1,2,3"])
def test_a_csv_row_with_another_number_of_cells_is_buried_not_guessed(tmp_path: Path, line: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"a,b\n1,2\n{line}\n3,4\n", "utf-8")
    units, dead = parts(make_source(path))
    assert [u.record["a"] for u in units] == ["1", "3"]
    assert [(d.location, d.error) for d in dead] == [("in.csv:2", "WrongCellCount")]


def test_a_csv_cell_over_the_cap_does_not_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"a,b\n1,2\n{'x' * 300_000},4\n5,6\n", "utf-8")
    source = make_source(path, max_unit_bytes=1000)
    units, dead = parts(source)
    assert [u.record["a"] for u in units] == ["1", "5"]
    assert [(d.location, d.error) for d in dead] == [("in.csv:2", "MalformedCsv")]


def test_a_csv_cell_below_the_cap_may_be_longer_than_pythons_own_limit(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f"a,b\n{'x' * 300_000},4\n", "utf-8")
    units, dead = parts(make_source(path, max_unit_bytes=1_000_000))
    assert len(units) == 1
    assert dead == []


def test_bytes_that_are_not_utf8_stay_within_their_csv_row(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a\n\xff\nok\n")
    units, _ = parts(make_source(path))
    assert [u.record["a"] for u in units] == ["\udcff", "ok"]


def write_parquet(path: Path, rows: int) -> None:
    table = pa.table({"id": [str(i) for i in range(rows)], "prompt": [f"text {i}" for i in range(rows)]})
    pq.write_table(table, path, row_group_size=500, compression="zstd")


def test_parquet_rows_are_numbered_from_one(tmp_path: Path) -> None:
    write_parquet(tmp_path / "in.parquet", 1500)
    source = make_source(tmp_path / "in.parquet")
    units, dead = parts(source)
    assert [u.origin.line for u in units] == list(range(1, 1501))
    assert dead == []
    assert units[-1].record == {"id": "1499", "prompt": "text 1499"}
    assert count_units(source) == 1500


@pytest.mark.parametrize("at", [0.1, 0.5, 0.8])
def test_a_broken_page_of_parquet_stands_for_all_rows_that_are_lost(tmp_path: Path, at: float) -> None:
    path = tmp_path / "in.parquet"
    write_parquet(path, 2000)
    data = bytearray(path.read_bytes())
    body = pq.read_metadata(path).row_group(3).column(0).dictionary_page_offset or 4
    start = int(body * at)
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    source = make_source(path)
    _, dead = parts(source)
    assert len(dead) == 1
    assert units_read(source) == count_units(source) == 2000


def test_one_parquet_string_that_is_not_utf8_costs_one_row(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    column = pa.array([b"good", b"bad \xff", b"fine"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"prompt": column}), path)
    source = make_source(path)
    units, dead = parts(source)
    assert [u.record["prompt"] for u in units] == ["good", "fine"]
    assert [d.location for d in dead] == ["in.parquet:2"]
    assert units_read(source) == count_units(source) == 3


def test_parquet_values_that_are_no_text_reach_the_gate_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    when = datetime(2024, 5, 1, tzinfo=UTC)
    pq.write_table(pa.table({"n": [1.5], "when": [when], "raw": [b"\x00"], "many": [["a"]]}), path)
    units, dead = parts(make_source(path))
    assert units[0].record == {"n": 1.5, "when": when, "raw": b"\x00", "many": ["a"]}
    assert dead == []


# --- files ---


@pytest.mark.parametrize(
    "name", ["in.jsonl", "in.ndjson", "in.json", "in.csv", "in.parquet", "in.jsonl.gz", "in.json.zst"]
)
def test_a_file_that_is_gone_is_one_dead_letter(tmp_path: Path, name: str) -> None:
    source = make_source(tmp_path / name)
    units, dead = parts(source)
    assert units == []
    assert [d.location for d in dead] == [name]
    assert count_units(source) == 1


@pytest.mark.parametrize("name", ["in.jsonl", "in.csv", "in.jsonl.gz", "in.jsonl.zst"])
def test_an_empty_file_holds_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"")
    assert list(read_units(make_source(path))) == []
    assert count_units(make_source(path)) == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.jsonl", ".jsonl"), ("A.JSONL.GZ", ".jsonl"), ("b.v2.csv.zst", ".csv"), ("c.parquet", ".parquet")],
)
def test_the_suffix_tells_the_format(name: str, expected: str) -> None:
    assert file_format(name) == expected


@pytest.mark.parametrize("name", ["a", "a.gz", "a.txt", "jsonl", "a.jsonl.xz"])
def test_an_unknown_format_is_an_error_that_names_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=r"\.jsonl.*\.parquet"):
        file_format(name)


def test_records_survive_a_round_trip_through_jsonl(tmp_path: Path) -> None:
    records = [{"prompt": 'नमस्ते \u2028 \x00 "q"', "n": [1, {"x": None}]}, {}]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in records), "utf-8")
    assert [u.record for u in parts(make_source(path))[0]] == records
