from __future__ import annotations

import logging
import os
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.inference import memory as memory_module
from transforms.inference import memory_files
from transforms.inference.memory import Memory
from transforms.inference.memory_care import compact

ROOT = Path(__file__).parents[3]
FINGERPRINT = "f" * 32
quick = settings(max_examples=60, deadline=None)
batch_of_answers = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=12), st.binary(max_size=40), max_size=8
)


def files(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.is_file())


@contextmanager
def no_warnings() -> Iterator[None]:
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@quick
@given(answers=batch_of_answers, asked=st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=4))
def test_what_was_remembered_is_recalled_and_nothing_else(answers: dict[str, bytes], asked: list[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        memory = Memory(root, FINGERPRINT)
        memory.remember("b", answers)
        assert memory.recall("b", [*answers, *asked]) == answers
        assert memory.recall("b", asked) == {k: answers[k] for k in asked if k in answers}
        assert Memory(root, FINGERPRINT).recall("b", answers) == answers


def test_without_a_root_nothing_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    memory = Memory(None, FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    assert memory.recall("b", ["k"]) == {}
    assert files(tmp_path) == []


def test_nothing_to_remember_makes_no_file(tmp_path: Path) -> None:
    Memory(str(tmp_path), FINGERPRINT).remember("b", {})
    assert files(tmp_path) == []


def test_buckets_and_fingerprints_do_not_mix(tmp_path: Path) -> None:
    Memory(str(tmp_path), FINGERPRINT).remember("b", {"k": b"a"})
    assert Memory(str(tmp_path), FINGERPRINT).recall("c", ["k"]) == {}
    assert Memory(str(tmp_path), "0" * 32).recall("b", ["k"]) == {}


def test_batches_add_up(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    memory.remember("b", {"l": b"b"})
    assert memory.recall("b", ["k", "l", "m"]) == {"k": b"a", "l": b"b"}


def test_the_same_batch_is_one_file_whatever_its_order(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a", "l": b"b"})
    (first,) = files(tmp_path)
    content = first.read_bytes()
    Memory(str(tmp_path), FINGERPRINT).remember("b", {"l": b"b", "k": b"a"})
    assert files(tmp_path) == [first]
    assert first.read_bytes() == content


def test_of_two_answers_to_a_key_the_smaller_is_recalled_whatever_the_order_and_the_files(tmp_path: Path) -> None:
    batches = [{"k": b"b", "l": b"1"}, {"k": b"ab", "m": b"2"}, {"k": b"c", "l": b"0"}]
    for i, order in enumerate([batches, batches[::-1]]):
        memory = Memory(str(tmp_path / str(i)), FINGERPRINT)
        for batch in order:
            memory.remember("b", batch)
        assert memory.recall("b", "klm") == {"k": b"ab", "l": b"0", "m": b"2"}
        compact(str(tmp_path / str(i)))
        assert memory.recall("b", "klm") == {"k": b"ab", "l": b"0", "m": b"2"}


def test_a_memory_travels_to_a_worker(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT, "translate demo")
    memory.remember("b", {"k": b"a"})
    assert pickle.loads(pickle.dumps(memory)).recall("b", ["k"]) == {"k": b"a"}


def test_a_relative_folder_and_a_file_uri_are_the_same_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Memory("memory", FINGERPRINT).remember("b", {"k": b"a"})
    assert Memory(f"file://{tmp_path}/memory/", FINGERPRINT).recall("b", ["k"]) == {"k": b"a"}


def test_a_uri_of_an_unknown_kind_is_refused_with_advice() -> None:
    with pytest.raises(ValueError, match=r"ftp:// cannot be opened.*s3://bucket/prefix"):
        Memory("ftp://host/x", FINGERPRINT).recall("b", ["k"])


@pytest.mark.parametrize("asked", [45, 3])
def test_a_flipped_bit_or_a_cut_never_gives_a_wrong_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int
) -> None:
    monkeypatch.setattr(memory_files, "_ROWS", 10)
    answers = {memory_files.digest(str(i)): b"answer %d" % i * 5 for i in range(45)}
    wanted = {key: answers[key] for key in sorted(answers)[:asked]}
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", answers)
    (path,) = files(tmp_path)
    whole, rng, seen = path.read_bytes(), random.Random(1), set()
    for _ in range(400):
        data, place = bytearray(whole), rng.randrange(len(whole))
        if rng.random() < 0.1:
            del data[place:]
        else:
            data[place] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        with no_warnings():
            found = memory.recall("b", wanted)
        aside = path.with_suffix(".corrupt")
        assert found == ({} if aside.exists() else wanted)
        assert aside.exists() != path.exists()
        seen.add(aside.exists())
        aside.unlink(missing_ok=True)
    assert seen == {True, False}
    memory.remember("b", answers)
    assert memory.recall("b", answers) == answers


def test_a_footer_that_lies_about_its_rows_hides_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_files, "_ROWS", 10)
    answers = {f"k{i:02}": b"%d" % i for i in range(45)}
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", answers)
    (path,) = files(tmp_path)
    whole, lies = path.read_bytes(), 0
    for place in range(len(whole) // 2, len(whole)):
        data = bytearray(whole)
        data[place] ^= 1
        try:
            footer = pq.ParquetFile(pa.BufferReader(bytes(data))).metadata
            rows = sum(footer.row_group(i).num_rows for i in range(footer.num_row_groups))
        except Exception:
            continue
        if rows != 45:
            path.write_bytes(data)
            with no_warnings():
                assert memory.recall("b", answers) == {}
            path.with_suffix(".corrupt").unlink()
            lies += 1
    assert lies > 0


def test_damage_among_answers_that_nobody_asks_for_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory_files, "_ROWS", 10)
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {f"{i:02}": b"%d" % i for i in range(30)})
    (path,) = files(tmp_path)
    column = pq.read_metadata(path).row_group(1).column(2)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size - 1] ^= 1
    path.write_bytes(data)
    assert memory.recall("b", ["05", "25"]) == {"05": b"5", "25": b"25"}
    assert files(tmp_path) == [path]
    with no_warnings():
        assert memory.recall("b", ["05", "15"]) == {}
    assert [p.suffix for p in files(tmp_path)] == [".corrupt"]


def test_a_damaged_file_is_told_and_the_others_are_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"SECRET"})
    (path,) = files(tmp_path)
    path.write_bytes(b"junk SECRET")
    memory.remember("b", {"l": b"b"})
    with caplog.at_level(logging.WARNING):
        assert memory.recall("b", ["k", "l"]) == {"l": b"b"}
    assert path.name in caplog.text
    assert "SECRET" not in caplog.text
    caplog.clear()
    assert memory.recall("b", ["k", "l"]) == {"l": b"b"}
    assert caplog.text == ""


@pytest.mark.parametrize(
    "table",
    [
        {"other": [1]},
        {"key": ["k"], "answer": [b"a"]},
        {"key": ["k"], "check": [b"c" * 16]},
        {"key": [1], "answer": [2]},
    ],
)
def test_a_file_of_another_shape_is_set_aside(tmp_path: Path, table: dict[str, list[Any]]) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    (path,) = files(tmp_path)
    pq.write_table(pa.table(table), path)
    assert memory.recall("b", ["k"]) == {}
    assert [p.suffix for p in files(tmp_path)] == [".corrupt"]


def test_a_whole_file_under_another_name_is_set_aside(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    (path,) = files(tmp_path)
    path.rename(path.with_name("0" * 32 + ".parquet"))
    assert memory.recall("b", ["k"]) == {}
    assert [p.name for p in files(tmp_path)] == ["0" * 32 + ".corrupt"]


def test_a_damaged_file_that_cannot_be_renamed_is_still_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    memory.remember("b", {"l": b"b"})
    damaged = files(tmp_path)[0]
    (known,) = pq.read_table(files(tmp_path)[1])["key"].to_pylist()
    damaged.write_bytes(b"junk")
    damaged.with_suffix(".corrupt").mkdir()
    assert list(memory.recall("b", ["k", "l"])) == [known]
    assert damaged.exists()


def test_a_lost_connection_is_not_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    parse, calls = memory_files._parse, []

    def break_once(*given: Any) -> dict[str, bytes]:
        calls.append(given)
        if len(calls) == 1:
            raise OSError("connection reset")
        return parse(*given)

    bucket = pafs.SubTreeFileSystem("/", pafs.LocalFileSystem())
    monkeypatch.setattr(memory_module, "open_root", lambda root: (bucket, root))
    monkeypatch.setattr(memory_files, "_parse", break_once)
    assert memory.recall("b", ["k"]) == {"k": b"a"}
    assert [p.suffix for p in files(tmp_path)] == [".parquet"]


def test_a_file_that_went_away_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    listing = memory_module.list_files

    def too_late(*given: Any) -> Any:
        found = listing(*given)
        for path in files(tmp_path):
            path.unlink()
        return found

    monkeypatch.setattr(memory_module, "list_files", too_late)
    assert memory.recall("b", ["k"]) == {}
    assert caplog.text == ""


@pytest.mark.parametrize("blind", [False, True])
def test_files_that_are_merged_during_a_listing_are_found_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, blind: bool
) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    memory.remember("b", {"l": b"b"})
    listing, calls = memory_module.list_files, []

    def overtaken(*given: Any) -> Any:
        found = [] if blind and not calls else listing(*given)
        calls.append(found)
        compact(str(tmp_path))
        return found

    monkeypatch.setattr(memory_module, "list_files", overtaken)
    assert memory.recall("b", ["k", "l"]) == {"k": b"a", "l": b"b"}


def test_runs_share_a_memory_while_it_is_compacted_and_the_compaction_is_killed(tmp_path: Path) -> None:
    def start(code: str) -> subprocess.Popen[str]:
        code = (
            "from transforms.inference.memory import Memory\nfrom transforms.inference.memory_care import compact\n"
            f"root = {str(tmp_path)!r}\nmemory = Memory(root, {FINGERPRINT!r})\n{code}"
        )
        return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)

    write = (
        "for i in range({0}, {0} + 60):\n    memory.remember('b', {{f'k{{i}}': b'%d' % i}})\n    print(i, flush=True)"
    )
    compactors = [start("while True: compact(root)") for _ in range(2)]
    writers = [start(write.format(n)) for n in (0, 1000)]
    memory, remembered = Memory(str(tmp_path), FINGERPRINT), {}
    try:
        for lines in zip(*(w.stdout or () for w in writers), strict=True):
            remembered.update({f"k{int(line)}": b"%d" % int(line) for line in lines})
            assert memory.recall("b", remembered) == remembered
    finally:
        for process in compactors + writers:
            process.kill()
            process.wait()
    assert len(remembered) == 120
    compact(str(tmp_path))
    assert memory.recall("b", remembered) == remembered
    assert [p.suffix for p in files(tmp_path)].count(".parquet") == 1
    assert ".corrupt" not in [p.suffix for p in files(tmp_path)]


def test_a_run_that_is_killed_while_writing_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(number: int) -> None:
        raise KeyboardInterrupt

    memory = Memory(str(tmp_path), FINGERPRINT)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", die)
        with pytest.raises(KeyboardInterrupt):
            memory.remember("b", {"k": b"a"})
    assert files(tmp_path) == []
    assert memory.recall("b", ["k"]) == {}


def test_a_stray_staged_file_is_never_read(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    (path,) = files(tmp_path)
    path.with_name(".0123.tmp").write_bytes(b"half a")
    assert memory.recall("b", ["k"]) == {"k": b"a"}
    assert path.with_name(".0123.tmp").exists()
