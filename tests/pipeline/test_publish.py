import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.publish import MANIFEST, SUCCESS, WORK, describe_files, remove_listed, remove_slice, verify, write_whole


def touch(out: Path, *names: str) -> None:
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".parquet"):
            pq.write_table(pa.table({"id": [name]}), out / name)
        else:
            (out / name).write_text(name)


def finish(out: Path) -> None:
    write_whole(out / MANIFEST, json.dumps({"files": describe_files(out)}))
    write_whole(out / SUCCESS, "")


def left(out: Path) -> list[str]:
    return sorted(p.relative_to(out).as_posix() for p in out.rglob("*") if p.is_file())


def test_the_manifest_lists_what_a_run_publishes_and_nobody_elses_files(tmp_path: Path) -> None:
    touch(tmp_path, "README.md", "report/report.json", "notes.txt", "other/data.csv", f"{WORK}/gate.json")
    assert sorted(describe_files(tmp_path)) == ["README.md", "report/report.json"]


def test_force_deletes_what_the_manifest_lists_and_nothing_else(tmp_path: Path) -> None:
    touch(tmp_path, "README.md", "report/report.json")
    finish(tmp_path)
    touch(tmp_path, "report/mine.txt", "other/data.csv")
    (tmp_path / "empty").mkdir()
    remove_listed(tmp_path)
    assert left(tmp_path) == ["other/data.csv", "report/mine.txt"]
    assert (tmp_path / "empty").is_dir()


def test_force_on_an_unfinished_folder_leaves_no_shard_of_the_old_run(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "data/ja-JP/train-00000-of-00002.parquet",
        "dead_letters/gate.jsonl",
        f"{WORK}/run.json",
        "data/mine.parquet",
    )
    remove_listed(tmp_path)
    assert left(tmp_path) == ["data/mine.parquet"]


def test_a_slice_that_is_done_again_starts_without_its_old_shards(tmp_path: Path) -> None:
    touch(
        tmp_path, "data/de-DE/train-00000-of-00004.parquet", "data/de-DE/train-00002-of-00004.parquet",
        "rejected/de-DE/train-00003-of-00004.parquet", "rejected/en-US/train-00000-of-00001.parquet",
        "dead_letters/slice-00001.jsonl", "dead_letters/slice-00000.jsonl",
    )  # fmt: skip
    remove_slice(tmp_path, "en-US", 1, 2, {"train": 2})
    assert left(tmp_path) == [
        "data/de-DE/train-00000-of-00004.parquet", "dead_letters/slice-00000.jsonl",
        "rejected/en-US/train-00000-of-00001.parquet",
    ]  # fmt: skip


def test_verify_names_what_is_missing_changed_or_foreign(tmp_path: Path) -> None:
    touch(tmp_path, "README.md", "data/de-DE/train-00000-of-00001.parquet")
    finish(tmp_path)
    assert verify(tmp_path) == []
    (tmp_path / "README.md").write_text("changed")
    (tmp_path / "data/de-DE/train-00000-of-00001.parquet").unlink()
    touch(tmp_path, "data/de-DE/train-00009-of-00010.parquet")
    wrong = "\n".join(verify(tmp_path))
    assert "README.md: sha256 differs" in wrong
    assert "train-00000-of-00001.parquet: missing" in wrong
    assert "train-00009-of-00010.parquet: not in the manifest" in wrong


def test_a_folder_that_is_no_output_says_so(tmp_path: Path) -> None:
    assert "no manifest.json" in verify(tmp_path)[0]


@pytest.mark.parametrize("killed_before", [MANIFEST, SUCCESS])
def test_a_folder_without_its_last_files_is_not_finished(tmp_path: Path, killed_before: str) -> None:
    touch(tmp_path, "README.md")
    finish(tmp_path)
    (tmp_path / killed_before).unlink()
    assert verify(tmp_path)
