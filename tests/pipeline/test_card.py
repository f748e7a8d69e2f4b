"""The card: a folder that `datasets` loads, and nothing in it that is not so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.card import _COLUMNS, write_card
from schemas.parquet import SCHEMA
from schemas.scores import SCORES
from tests.pipeline.outputs import make_output, make_row, write_rows

os.environ["HF_HUB_OFFLINE"] = "1"


def front_matter(out: Path) -> dict[str, Any]:
    _, front, _ = (out / "README.md").read_text("utf-8").split("---\n", 2)
    loaded: dict[str, Any] = yaml.safe_load(front)
    return loaded


def configs(out: Path) -> dict[str, dict[str, list[str]]]:
    return {c["config_name"]: {f["split"]: f["path"] for f in c["data_files"]} for c in front_matter(out)["configs"]}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("card")
    run = make_output(out)
    write_card(out, run)
    return out, run


@pytest.mark.parametrize(
    ("name", "splits"),
    [
        (None, {"train": 49, "test": 20}),
        ("hi-IN", {"train": 25, "test": 10}),
        ("hin_Deva", {"train": 25, "test": 10}),
        ("en-US", {"train": 30, "test": 10}),
        ("rejected", {"train": 11, "test": 1}),
    ],
)
def test_every_config_loads(
    made: tuple[Path, dict[str, Any]], tmp_path: Path, name: str | None, splits: dict[str, int]
) -> None:
    from datasets import load_dataset

    loaded = load_dataset(str(made[0]), name, cache_dir=str(tmp_path))
    assert {split: rows.num_rows for split, rows in loaded.items()} == splits
    assert loaded["train"].column_names == SCHEMA.names


def test_default_is_every_target_locale_and_nothing_else(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    from datasets import load_dataset

    rows = load_dataset(str(made[0]), cache_dir=str(tmp_path), split="train")
    assert set(rows["locale"]) == {"ar-EG", "hi-IN"}
    assert not any(rows["reasons"])


def test_a_language_spans_its_locales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("schemas.locales", fromlist=["LOCALES"]).LOCALES, "hi-FJ", "hin_Deva")
    run = make_output(tmp_path, 8)
    write_rows(tmp_path, "data", [make_row(1, "hi-IN") | {"locale": "hi-FJ", "id": "x"}])
    write_card(tmp_path, run)
    assert configs(tmp_path)["hin_Deva"]["train"] == ["data/hi-FJ/train-*.parquet", "data/hi-IN/train-*.parquet"]


def test_only_splits_with_files_are_listed(tmp_path: Path) -> None:
    run = make_output(tmp_path, 1, ("hi-IN",))
    write_card(tmp_path, run)
    # The one row that passed is a test row, and it is dead in hi-IN: neither default nor hi-IN has a file.
    assert configs(tmp_path) == {
        "en-US": {"test": ["data/en-US/test-*.parquet"]},
        "rejected": {"train": ["rejected/en-US/train-*.parquet"]},
    }


def test_rejected_rows_are_spoken_of_only_where_there_are_some(
    made: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    run = make_output(tmp_path, 8)
    shutil.rmtree(tmp_path / "rejected")
    write_card(tmp_path, run)
    assert "rejected" not in configs(tmp_path)
    for out, there in ((made[0], True), (tmp_path, False)):
        text = (out / "README.md").read_text("utf-8")
        assert ('load_dataset("path/to/this/folder", "rejected")' in text) == there
        assert ("rows that a filter rejected are in a config" in text) == there


def test_a_stray_file_is_an_error(tmp_path: Path) -> None:
    run = make_output(tmp_path, 8)
    (tmp_path / "data" / "hi-IN" / "copy.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match=r"copy\.parquet: not named as a shard"):
        write_card(tmp_path, run)


def test_front_matter_tells_licence_languages_and_size(made: tuple[Path, dict[str, Any]]) -> None:
    front = front_matter(made[0])
    assert front["license"] == "cc-by-4.0"
    assert front["language"] == ["ar", "en", "hi"]
    assert front["size_categories"] == ["n<1K"]
    assert front["task_categories"] == ["text-classification"]


@pytest.mark.parametrize("licence", ["CC-BY-NC-4.0", "cc-by-nc-sa-4.0", "Model licence (non-commercial)"])
def test_a_non_commercial_model_bars_commercial_use(tmp_path: Path, licence: str) -> None:
    run = make_output(tmp_path, 8)
    run["models"][0] |= {"name": "facebook/nllb-200-distilled-600M", "licence": licence}
    write_card(tmp_path, run)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "may not be used commercially" in text
    assert "NLLB-200 is a research model" in text
    assert front_matter(tmp_path)["license"] == "other"


@pytest.mark.parametrize("licence", ["unknown", "", "mit, unknown"])
def test_a_model_of_unknown_licence_promises_nothing(tmp_path: Path, licence: str) -> None:
    run = make_output(tmp_path, 8)
    run["models"][0] |= {"name": "org/model", "licence": licence}
    write_card(tmp_path, run)
    assert "The licence of org/model is not known" in (tmp_path / "README.md").read_text("utf-8")
    assert front_matter(tmp_path)["license"] == "other"


@pytest.mark.parametrize("licence", ["INCLUDED-1.0", "MIT", "Apache-2.0"])
def test_other_licences_do_not(tmp_path: Path, licence: str) -> None:
    run = make_output(tmp_path, 8)
    run["models"][0]["licence"] = licence
    write_card(tmp_path, run)
    assert "commercial" not in (tmp_path / "README.md").read_text("utf-8")


def test_every_column_and_score_is_explained(made: tuple[Path, dict[str, Any]]) -> None:
    assert list(_COLUMNS) == SCHEMA.names
    text = (made[0] / "README.md").read_text("utf-8")
    assert all(f"| `{name}` |" in text for name in [*SCHEMA.names, *(score.name for score in SCORES)])


def test_thresholds_and_their_origin(made: tuple[Path, dict[str, Any]]) -> None:
    text = (made[0] / "README.md").read_text("utf-8")
    assert "| `similarity` | 0.7 / 0.8 | 0.7 / 0.8 | general |" in text
    assert "| `length_excess` | 2 | 2 | config |" in text


def test_hostile_names_stay_text(tmp_path: Path) -> None:
    run = make_output(tmp_path, 8)
    run["config"]["dataset"] = "a | b\n# c <script> [d](javascript:e) \u202e ``` : - {"
    write_card(tmp_path, run)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert "<script>" not in text.split("## Reproduce it")[0].split("---\n", 2)[2]
    assert "\n# c" not in text
    assert "\u202e" not in text
    assert "````yaml" in text
    assert front_matter(tmp_path)["pretty_name"].startswith("a | b\n# c")


def test_same_data_same_bytes_and_no_row_text(made: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    run = make_output(tmp_path)
    write_card(tmp_path, run)
    text = (tmp_path / "README.md").read_bytes()
    assert text == (made[0] / "README.md").read_bytes()
    assert b"How do I move" not in text
