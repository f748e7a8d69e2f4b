import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.parquet import SCHEMA
from tests.pipeline.runs import LOCALES, demo_lines, parquet_hashes, run, write_config

COUNT = 60


def without_location(lines: list[bytes]) -> list[bytes]:
    """Lines that parse, so that a shuffle cannot move a dead letter to another line."""
    good = []
    for line in lines:
        try:
            json.loads(line)
        except ValueError:
            continue
        good.append(line)
    return good


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run, one worker."""
    folder = tmp_path_factory.mktemp("reference")
    assert run(write_config(folder, demo_lines(COUNT))) == 0
    return folder / "out"


def test_both_lines_of_the_ledger_balance(reference: Path) -> None:
    ledger = json.loads((reference / "manifest.json").read_text())["ledger"]
    assert ledger["gate"]["read"] == COUNT
    assert ledger["gate"]["balanced"] and ledger["locales"]["balanced"]
    assert ledger["locales"]["expected"] == ledger["gate"]["passed"] * len(LOCALES)


def test_every_locale_has_accepted_and_adapted_rows_with_all_columns(reference: Path) -> None:
    for locale in LOCALES:
        table = pq.read_table(reference / "data" / locale)
        assert table.schema.names == SCHEMA.names
        rows = table.to_pylist()
        assert any(r["tag"] == "adapted" for r in rows) and any(r["tag"] == "generic" for r in rows)
        for row in rows:
            assert row["locale"] == locale and row["reasons"] == [] and row["origin"] == "machine_translated"
            assert row["prompt"] and row["prompt"] != row["source_prompt"]
            assert row["label_status"] == "inherited" and row["scores_prompt"]["similarity"] > 0


def test_english_rows_that_passed_are_there_as_native(reference: Path) -> None:
    ledger = json.loads((reference / "manifest.json").read_text())["ledger"]
    rows = pq.read_table(reference / "data" / "en-US").to_pylist()
    assert len(rows) == ledger["gate"]["passed"]
    assert all(r["origin"] == "native" and r["prompt"] == r["source_prompt"] for r in rows)


def test_a_finished_folder_is_left_alone_and_damage_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path, demo_lines(8), locales=["de-DE"])
    assert run(config) == 0
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*")}
    assert run(config) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*")}
    assert run(config, "--set", "translate.beam_size=1") == 2
    assert "translate.beam_size" in capsys.readouterr().err
    next((tmp_path / "out" / "data").rglob("*.parquet")).write_bytes(b"PAR1")
    assert run(config) == 2
    assert "damaged" in capsys.readouterr().err
    keep = tmp_path / "out" / "mine.txt"
    keep.write_text("not the run's")
    assert run(config, "--force") == 0
    assert keep.exists()


@pytest.mark.parametrize(
    "workers", [{"workers": 1}, {"workers": 2, "mode": "threads"}, {"workers": 2, "mode": "processes"}]
)
def test_order_of_input_and_workers_change_no_byte(tmp_path: Path, reference: Path, workers: dict[str, object]) -> None:
    lines = without_location(demo_lines(COUNT))
    plain, shuffled = tmp_path / "plain", tmp_path / "shuffled"
    if workers["workers"] == 1:
        assert run(write_config(plain, lines)) == 0
        assert run(write_config(shuffled, lines, shuffle=7)) == 0
        assert parquet_hashes(plain / "out") == parquet_hashes(shuffled / "out")
    else:
        assert run(write_config(plain, demo_lines(COUNT), runner=workers)) == 0
        assert parquet_hashes(plain / "out") == parquet_hashes(reference)


def test_a_run_killed_in_phase_2_and_resumed_gives_the_same_bytes(tmp_path: Path, reference: Path) -> None:
    config = write_config(tmp_path, demo_lines(COUNT))
    command = [sys.executable, "-m", "pipeline.cli", "run", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 120
    # Killed once the first slice is done and the second has remembered a batch: inside phase 2.
    while time.monotonic() < deadline and process.poll() is None:
        first = tmp_path / "out" / "_work" / "slice-00000.json"
        if first.exists():
            later = first.stat().st_mtime_ns
            if any(p.stat().st_mtime_ns > later for p in (tmp_path / "memory").rglob("*.parquet")):
                break
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out" / "_SUCCESS").exists(), "the run was over before it could be killed"
    assert (tmp_path / "out" / "_work" / "slice-00000.json").exists()
    assert run(config) == 0
    assert parquet_hashes(tmp_path / "out") == parquet_hashes(reference)


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(tmp_path: Path, reference: Path) -> None:
    config = write_config(tmp_path, demo_lines(COUNT))
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "run", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not any((tmp_path / "memory").rglob("*.parquet")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert run(config) == 0
    assert parquet_hashes(tmp_path / "out") == parquet_hashes(reference)


def test_an_unchanged_run_into_a_new_folder_asks_no_model(tmp_path: Path) -> None:
    config = write_config(tmp_path, demo_lines(12), locales=["de-DE"])
    assert run(config) == 0
    assert run(config, "--output", str(tmp_path / "again")) == 0
    timings = json.loads((tmp_path / "again" / "report" / "report.json").read_text())["run"]["timings"]
    assert timings["translations_remembered"] == timings["translations_asked"] > 0
    assert timings.get("translations_answered", 0) == 0
    assert parquet_hashes(tmp_path / "out") == parquet_hashes(tmp_path / "again")


def test_limit_takes_the_same_rows_whatever_the_order(tmp_path: Path) -> None:
    lines = without_location(demo_lines(40))
    a = write_config(tmp_path / "a", lines, locales=["de-DE"])
    b = write_config(tmp_path / "b", lines, shuffle=3, locales=["de-DE"])
    assert run(a, "--limit", "6") == run(b, "--limit", "6") == 0
    assert parquet_hashes(tmp_path / "a" / "out") == parquet_hashes(tmp_path / "b" / "out")
    gate = json.loads((tmp_path / "a" / "out" / "manifest.json").read_text())["ledger"]["gate"]
    assert gate["passed"] + gate["rejected"] == 6 and gate["left_out"] == len(lines) - 6 and gate["balanced"]


def test_a_quality_floor_that_is_not_met_ends_with_4_and_no_success_file(tmp_path: Path) -> None:
    config = write_config(tmp_path, demo_lines(6), locales=["de-DE"], thresholds={"similarity": 0.9999})
    assert run(config, "--set", "filter.least_accepted=0.5") == 4
    assert (tmp_path / "out" / "report" / "report.json").exists()
    assert not (tmp_path / "out" / "_SUCCESS").exists()


def test_the_output_loads_as_a_hugging_face_dataset(
    tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    everything = load_dataset(str(reference), cache_dir=str(tmp_path))["train"]
    by_locale = load_dataset(str(reference), "hi-IN", cache_dir=str(tmp_path))["train"]
    by_language = load_dataset(str(reference), "hin_Deva", cache_dir=str(tmp_path))["train"]
    accepted = json.loads((reference / "manifest.json").read_text())["ledger"]["locales"]["accepted"]
    assert len(everything) == accepted
    assert set(everything["locale"]) == set(LOCALES)
    assert set(by_locale["locale"]) == {"hi-IN"}
    assert by_locale.to_list() == by_language.to_list()
    assert by_locale.features["categories"].feature.dtype == "string"
    assert by_locale.features["n_locales"].dtype == "int32"
    assert by_locale.features["scores_prompt"]["similarity"].dtype == "float64"
