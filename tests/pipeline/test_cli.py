import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from tests.pipeline.runs import demo_lines, write_config


def test_help_does_not_import_beam() -> None:
    code = "import sys; from pipeline.cli import make_parser; make_parser().format_help(); sys.exit('apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transalte": {}}, "did you mean translate?"),
        ({"translate": {"beam_sise": 2}}, "did you mean translate.beam_size?"),
        ({"translate": {"beam_size": "two"}}, "expected int"),
        ({"translate": {"beam_size": 0}}, "at least 1"),
        ({"locales": ["de-AT"]}, "did you mean de-DE?"),
        ({"locales": ["en-US"]}, "source locale"),
        ({"runner": {"mode": "fibres"}}, "threads, processes"),
        ({"taxonomy": "aegis3"}, "unknown taxonomy"),
        ({"thresholds": {"similarty": 0.5}}, "no such score"),
        ({"translate": {"model": "no such thing"}}, "no directory"),
    ],
)
def test_a_wrong_config_says_what_and_ends_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, object], said: str
) -> None:
    assert main(["plan", str(write_config(tmp_path, demo_lines(2), **change))]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"memory": "FILE/memory"}, "memory: FILE/memory cannot be written"),
        (
            {"memory": "s3://bucket/x?endpoint_override=127.0.0.1:9&scheme=http&region=r"},
            "memory: s3://bucket/x cannot",
        ),
        ({"translate": {"device": "cuda"}}, "translate.device: cuda cannot be used here"),
        ({"translate": {"compute_type": "bfloat16"}}, "translate.compute_type: bfloat16 is not supported"),
        ({"similarity": {"model": "org/encoder", "device": "cuda"}}, "similarity.device: cuda cannot be used here"),
    ],
)
def test_what_this_machine_cannot_do_is_told_before_the_gate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, change: dict, said: str
) -> None:
    import ctranslate2

    supported = ctranslate2.get_supported_compute_types

    def without_gpu(device: str) -> set[str]:
        if device == "cuda":
            raise RuntimeError("no CUDA")
        return supported(device) - {"bfloat16"}

    monkeypatch.setattr("ctranslate2.get_supported_compute_types", without_gpu)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("pipeline.run.run_job", lambda *given: pytest.fail("it reached the gate"))
    (tmp_path / "file").write_text("")
    file = str(tmp_path / "file")
    if "memory" in change:
        change = {"memory": change["memory"].replace("FILE", file)}
    assert main(["run", str(write_config(tmp_path, demo_lines(2), **change))]) == 2
    assert said.replace("FILE", file) in capsys.readouterr().err


def test_an_unknown_key_is_named_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("dataset: d\nlicence: x\n\nlocale: [de-DE]\n")
    assert main(["validate", str(path)]) == 2
    assert "c.yaml:4: locale: unknown key; did you mean locales?" in capsys.readouterr().err


def test_missing_input_ends_with_3(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path, demo_lines(2), inputs=[{"path": str(tmp_path / "nothing*.jsonl")}])
    assert main(["run", str(config)]) == 3
    assert "matches no file" in capsys.readouterr().err


def test_plan_says_what_would_run_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path, demo_lines(2))
    before = sorted(tmp_path.rglob("*"))
    assert main(["plan", str(config), "--set", "similarity.model=other/model"]) == 0
    said = capsys.readouterr().out
    assert "train.jsonl" in said and "de-DE" in said and "not judged    similarity" in said
    assert sorted(tmp_path.rglob("*")) == before


def test_an_override_needs_a_key_and_a_value(tmp_path: Path) -> None:
    assert main(["plan", str(write_config(tmp_path, demo_lines(2))), "--set", "beam"]) == 2
