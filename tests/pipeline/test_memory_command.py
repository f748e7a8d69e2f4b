import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main
from transforms.inference.memory import Memory

FINGERPRINT, OTHER = "f" * 32, "0" * 32


def fill(root: Path) -> None:
    for i in range(4):
        Memory(str(root), FINGERPRINT, "translate demo").remember("b", {f"k{i}": b"SECRET"})
    Memory(str(root), OTHER).remember("c", {"k": b"a"})


def damage(root: Path) -> Path:
    path = sorted(root.rglob(f"{FINGERPRINT}/*/*.parquet"))[0]
    path.write_bytes(b"SECRET")
    return path


def test_help_imports_neither_beam_nor_pyarrow() -> None:
    code = (
        "import sys\nfrom pipeline.cli import main\ntry: main(['memory', '--help'])\n"
        "except SystemExit: sys.exit(any(m in sys.modules for m in ('apache_beam', 'pyarrow')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


def test_stats_are_a_table_with_totals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    assert main(["memory", "stats", str(tmp_path)]) == 0
    header, other, ours, total = (line.split() for line in capsys.readouterr().out.splitlines())
    assert header == ["fingerprint", "about", "buckets", "files", "answers", "bytes", "corrupt", "staged"]
    assert other[:4] == [OTHER, "1", "1", "1"]
    assert ours[:6] == [FINGERPRINT, "translate", "demo", "1", "4", "4"]
    assert total[:4] == ["total", "2", "5", "5"]


def test_compact_tells_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    damage(tmp_path)
    assert main(["memory", "compact", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == ["5 files are now 2", "1 damaged files set aside"]
    assert main(["memory", "compact", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == ["2 files are now 2"]


def test_verify_ends_with_4_if_a_file_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path)
    assert main(["memory", "verify", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "5 files read, 0 damaged\n"
    path = damage(tmp_path)
    assert main(["memory", "verify", str(tmp_path)]) == 4
    said = capsys.readouterr()
    assert f"damaged: {path}\n5 files read, 1 damaged; --set-aside renames" in said.out
    assert path.exists()
    assert main(["memory", "verify", str(tmp_path), "--set-aside"]) == 4
    assert not path.exists()
    assert main(["memory", "verify", str(tmp_path)]) == 0
    assert "SECRET" not in said.out + said.err + capsys.readouterr().out


@pytest.mark.parametrize("action", ["stats", "compact", "verify"])
def test_no_memory_is_missing_input_with_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    assert main(["memory", action, str(tmp_path / "nothing")]) == 3
    assert "no such folder; a run's memory lies at <output>.memory" in capsys.readouterr().err
    (tmp_path / "data").mkdir()
    assert main(["memory", action, str(tmp_path)]) == 3
    assert "not a memory" in capsys.readouterr().err
    assert main(["memory", action, "ftp://host/x"]) == 2
    assert "s3://bucket/prefix" in capsys.readouterr().err
