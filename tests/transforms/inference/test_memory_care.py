from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from transforms.inference import memory_care, memory_files
from transforms.inference.memory import Memory
from transforms.inference.memory_care import Compaction, Stats, compact, stats, verify

FINGERPRINT, OTHER = "f" * 32, "0" * 32
ANSWERS = {f"k{i:03}": b"%d" % i * 9 for i in range(60)}


def names(root: Path, pattern: str = "*.parquet") -> list[str]:
    return sorted(str(p.relative_to(root)) for p in root.rglob(pattern))


def fill(root: Path, fingerprint: str = FINGERPRINT) -> Memory:
    memory = Memory(str(root), fingerprint, "translate demo")
    for i, (key, answer) in enumerate(ANSWERS.items()):
        memory.remember(f"b{i % 3}", {key: answer, f"also {key}": answer})
    return memory


def recall_all(memory: Memory) -> dict[str, bytes]:
    asked = [*ANSWERS, *(f"also {key}" for key in ANSWERS)]
    return {key: answer for bucket in ("b0", "b1", "b2") for key, answer in memory.recall(bucket, asked).items()}


def test_stats_count_what_is_there_per_fingerprint(tmp_path: Path) -> None:
    fill(tmp_path)
    Memory(str(tmp_path), OTHER).remember("b", {"k": b"a"})
    paths = [tmp_path / name for name in names(tmp_path) if FINGERPRINT in name]
    paths[0].rename(paths[0].with_suffix(".corrupt"))
    paths[1].write_bytes(b"junk")
    paths[2].with_name(".0.tmp").write_bytes(b"half")
    small, large = stats(str(tmp_path))
    assert (small.fingerprint, small.about, small.files, small.answers) == (OTHER, "", 1, 1)
    held = sum(p.stat().st_size for p in paths[1:])
    assert large == Stats(FINGERPRINT, "translate demo", 3, 59, 116, held, corrupt=2, staged=1)


def test_what_a_fingerprint_stands_for_is_written_once(tmp_path: Path) -> None:
    Memory(str(tmp_path), FINGERPRINT, "first").remember("b", {"k": b"a"})
    Memory(str(tmp_path), FINGERPRINT, "second").remember("b", {"l": b"a"})
    assert [s.about for s in stats(str(tmp_path))] == ["first"]
    (tmp_path / FINGERPRINT / "about.json").write_text("[")
    assert [s.about for s in stats(str(tmp_path))] == [""]


@pytest.mark.parametrize("look", [stats, compact, verify])
def test_what_is_not_a_memory_is_refused_with_advice(tmp_path: Path, look: Any) -> None:
    with pytest.raises(FileNotFoundError, match=r"no such folder.*<output>.memory"):
        look(str(tmp_path / "nothing"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.parquet").write_bytes(b"somebody's")
    with pytest.raises(ValueError, match="not a memory"):
        look(str(tmp_path))
    with pytest.raises(ValueError, match="not a memory"):
        look(str(tmp_path / "data" / "x.parquet"))
    assert names(tmp_path) == ["data/x.parquet"]


def test_an_empty_folder_is_an_empty_memory(tmp_path: Path) -> None:
    assert stats(str(tmp_path)) == []
    assert compact(str(tmp_path)) == Compaction(0, 0, 0, 0)
    assert verify(str(tmp_path)) == (0, [])


def test_compaction_keeps_every_answer_and_a_second_one_does_nothing(tmp_path: Path) -> None:
    memory = fill(tmp_path)
    before = recall_all(memory)
    assert compact(str(tmp_path)) == Compaction(60, 3, 0, 0)
    assert recall_all(memory) == before and len(before) == 120
    left = {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)}
    assert compact(str(tmp_path)) == Compaction(3, 3, 0, 0)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)} == left
    memory.remember("b0", {"new": b"a"})
    assert compact(str(tmp_path)) == Compaction(4, 3, 0, 0)


def test_a_merged_file_is_no_larger_than_its_limit_and_no_two_fit_into_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = fill(tmp_path)
    limit = 2 * max(p.stat().st_size for p in tmp_path.rglob("*.parquet"))
    monkeypatch.setattr(memory_care, "_MOST", limit)
    before = recall_all(memory)
    assert compact(str(tmp_path)).after > 3
    assert recall_all(memory) == before
    for bucket in (tmp_path / FINGERPRINT).glob("b*"):
        sizes = sorted(p.stat().st_size for p in bucket.iterdir())
        assert sizes[-1] <= limit < sizes[0] + sizes[1]
    left = names(tmp_path)
    compact(str(tmp_path))
    assert names(tmp_path) == left


def test_a_file_that_holds_all_of_another_is_not_deleted_with_it(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), FINGERPRINT)
    memory.remember("b", {"k": b"a", "l": b"b"})
    memory.remember("b", {"k": b"a"})
    assert compact(str(tmp_path)) == Compaction(2, 1, 0, 0)
    assert memory.recall("b", "kl") == {"k": b"a", "l": b"b"}


@pytest.mark.parametrize("survived", range(0, 25, 4))
def test_a_compaction_that_is_killed_loses_nothing_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survived: int
) -> None:
    memory = fill(tmp_path)
    before, steps = recall_all(memory), iter(range(survived))

    def live_or_die() -> None:
        if next(steps, None) is None:
            raise KeyboardInterrupt

    def delete_one_by_one(system: Any, paths: Iterable[str]) -> None:
        for path in sorted(paths):
            live_or_die()
            system.delete_file(path)

    replace = os.replace
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", lambda *given: (live_or_die(), replace(*given)))
        patched.setattr(memory_care, "_delete", delete_one_by_one)
        with pytest.raises(KeyboardInterrupt):
            compact(str(tmp_path))
    assert recall_all(memory) == before
    assert compact(str(tmp_path)).after == 3
    assert recall_all(memory) == before


def test_compaction_sets_damaged_files_aside_and_merges_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    memory = fill(tmp_path)
    (tmp_path / names(tmp_path)[0]).write_bytes(b"junk")
    assert compact(str(tmp_path)) == Compaction(60, 3, 1, 0)
    assert len(names(tmp_path, "*.corrupt")) == 1 and "is damaged" in caplog.text
    assert len(recall_all(memory)) == 118


def test_compaction_removes_what_killed_runs_left_and_leaves_what_is_being_written(tmp_path: Path) -> None:
    fill(tmp_path)
    old, bucket, young = (tmp_path / FINGERPRINT / place for place in (".a.tmp", "b0/.b.tmp", "b0/.c.tmp"))
    for path in (old, bucket, young):
        path.write_bytes(b"half")
    for path in (old, bucket):
        os.utime(path, (time.time() - 3700,) * 2)
    assert compact(str(tmp_path)).stale == 2
    assert names(tmp_path, ".*.tmp") == [f"{FINGERPRINT}/b0/.c.tmp"]


def test_verify_names_every_damaged_file_and_leaves_them_unless_asked(tmp_path: Path) -> None:
    fill(tmp_path)
    assert verify(str(tmp_path)) == (60, [])
    chosen = [str(tmp_path / name) for name in (names(tmp_path)[3], names(tmp_path)[40])]
    for path in chosen:
        Path(path).write_bytes(Path(path).read_bytes()[:-5])
    assert verify(str(tmp_path)) == (60, chosen)
    assert names(tmp_path, "*.corrupt") == []
    assert verify(str(tmp_path), aside=True) == (60, chosen)
    assert len(names(tmp_path, "*.corrupt")) == 2
    assert verify(str(tmp_path)) == (58, [])


def test_verify_finds_damage_in_any_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_files, "_ROWS", 7)
    Memory(str(tmp_path), FINGERPRINT).remember("b", ANSWERS)
    (path,) = (tmp_path / name for name in names(tmp_path))
    whole = path.read_bytes()
    place = whole.index(memory_files.pq.read_table(path)["check"][30].as_py())
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert verify(str(tmp_path)) == (1, [str(path)])
