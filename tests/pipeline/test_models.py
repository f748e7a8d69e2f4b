import json
from pathlib import Path

import pytest

from pipeline.config import Translate
from pipeline.errors import ConfigError
from pipeline.models import find_translator
from tests.pipeline.runs import demo_lines, run, write_config


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRANSCREATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_hugging_face_checkpoint_is_converted_once(checkpoint: Path, cache: Path) -> None:
    settings = Translate(model=str(checkpoint))
    first = find_translator(settings)
    model = Path(first.directory) / "model.bin"
    made = model.stat().st_mtime_ns
    assert find_translator(settings) == first
    assert model.stat().st_mtime_ns == made
    assert [p.name for p in (cache / "models").iterdir()] == [Path(first.directory).name]


def test_looking_at_a_plan_converts_nothing(checkpoint: Path, cache: Path) -> None:
    assert find_translator(Translate(model=str(checkpoint)), fetch=False).directory == ""
    assert not cache.exists()


def test_other_settings_are_another_fingerprint(checkpoint: Path, cache: Path) -> None:
    marks = {find_translator(Translate(model=str(checkpoint), beam_size=b)).fingerprint for b in (1, 2)}
    assert len(marks) == 2


def test_a_model_says_its_licence_by_its_card_or_its_name(cache: Path) -> None:
    assert find_translator(Translate(model="demo")).licence == "apache-2.0"
    assert find_translator(Translate(model="facebook/nllb-200-distilled-600M"), fetch=False).licence == "CC-BY-NC-4.0"


def test_a_model_that_cannot_be_fetched_is_an_error_that_says_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="give a local directory"):
        find_translator(Translate(model="nobody/nothing"))
    assert not list((cache / "models").iterdir())


def test_a_checkpoint_runs_through_the_same_pipeline(checkpoint: Path, cache: Path, tmp_path: Path) -> None:
    translate = {"model": str(checkpoint), "max_output_tokens": 20, "beam_size": 1}
    config = write_config(tmp_path, demo_lines(6), locales=["de-DE"], translate=translate)
    assert run(config) == 0
    ledger = json.loads((tmp_path / "out" / "manifest.json").read_text())["ledger"]
    assert ledger["locales"]["rejected"] == ledger["locales"]["expected"] > 0, "random weights translate nothing right"
