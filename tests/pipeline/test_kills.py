"""kill -9 in every stage, on a seeded schedule, twenty times inside translation."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.pipeline.killed_runs import OTHER_KILLS, STAGES, TRANSLATE_KILLS
from tests.pipeline.runs import demo_lines, parquet_hashes, run, write_config

THREADS = 2
SMALL_BATCHES = {"batch_tokens": 24, "threads": THREADS}


@pytest.mark.slow
def test_a_run_killed_in_every_stage_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    reference = write_config(tmp_path / "reference", demo_lines(60), translate=SMALL_BATCHES)
    assert run(reference) == 0
    config, log = write_config(tmp_path / "killed", demo_lines(60), translate=SMALL_BATCHES), tmp_path / "log"
    done = subprocess.run(
        [sys.executable, "-m", "tests.pipeline.killed_runs", str(config), str(log), "3"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = log.read_text().splitlines()
    killed = Counter(line.split()[1] for line in lines if line.startswith("killed"))
    assert killed == {s: TRANSLATE_KILLS if s == "translate" else OTHER_KILLS for s in STAGES}
    assert parquet_hashes(tmp_path / "killed" / "out") == parquet_hashes(tmp_path / "reference" / "out")

    remembered: set[str] = set()
    asked: Counter[str] = Counter()
    in_hand: list[int] = []
    for line in lines:
        word, *keys = line.split()
        if word == "asked":
            assert not remembered & set(keys), "an answer that was remembered was asked for again"
            asked.update(keys)
            in_hand.append(len(keys))
        elif word == "remembered":
            remembered |= set(keys)
    repeated = sum(asked.values()) - len(asked)
    assert 0 < repeated <= sum(killed.values()) * THREADS * max(in_hand)
    print(f"{sum(killed.values())} kills; {len(asked)} sentences, {repeated} of them asked again")
