from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.inference.memory import Memory

FINGERPRINT = "f" * 32
quick = settings(max_examples=60, deadline=None)
batch_of_answers = st.dictionaries(
    st.text(st.characters(codec="utf-8"), max_size=12), st.binary(max_size=40), max_size=8
)


def files(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*") if p.is_file())


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


@quick
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_file_is_set_aside_and_never_gives_a_wrong_answer(at: float, flip: int, cut: bool) -> None:
    answers = {f"key-{i}": b"answer %d" % i * 5 for i in range(20)}
    with tempfile.TemporaryDirectory() as root:
        memory = Memory(root, FINGERPRINT)
        memory.remember("b", answers)
        (path,) = files(Path(root))
        data = bytearray(path.read_bytes())
        place = int(len(data) * at)
        if cut:
            del data[place:]
        else:
            data[place] ^= flip
        path.write_bytes(data)
        logging.disable(logging.WARNING)
        try:
            found = memory.recall("b", answers)
        finally:
            logging.disable(logging.NOTSET)
        assert found in (answers, {})
        if not found:
            assert [p.suffix for p in files(Path(root))] == [".corrupt"]
            memory.remember("b", answers)
            assert memory.recall("b", answers) == answers


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


def test_a_file_of_another_shape_is_set_aside(tmp_path: Path) -> None:
    import pyarrow as pa

    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    (path,) = files(tmp_path)
    pq.write_table(pa.table({"other": [1]}), path)
    assert memory.recall("b", ["k"]) == {}
    assert [p.suffix for p in files(tmp_path)] == [".corrupt"]


def test_a_file_that_another_run_took_away_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a"})
    read = pq.read_table

    def too_late(path: Path, **options: Any) -> Any:
        os.unlink(path)
        return read(path, **options)

    monkeypatch.setattr(pq, "read_table", too_late)
    assert memory.recall("b", ["k"]) == {}


def test_a_run_that_is_killed_while_writing_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(table: Any, path: Path, **options: Any) -> None:
        Path(path).write_bytes(b"half a")
        raise KeyboardInterrupt

    memory = Memory(str(tmp_path), FINGERPRINT)
    with monkeypatch.context() as patched:
        patched.setattr(pq, "write_table", die)
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
