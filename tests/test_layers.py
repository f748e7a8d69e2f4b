"""The house's own rules: which way imports go, and what loads what."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BELOW = {"schemas": {"data"}, "transforms": {"schemas", "data"}, "pipeline": {"transforms", "schemas", "data"}}
OURS = {"schemas", "transforms", "pipeline", "data", "scripts", "tests"}
PURE = [
    "transforms.adapt", "transforms.gate", "transforms.group", "transforms.invisible", "transforms.judge", "transforms.read",
    "transforms.score", "transforms.segment", "transforms.segregate", "transforms.translate", "transforms.write",
    "transforms.blocks", "transforms.inline", "transforms.inference.memory", "transforms.inference.memory_care",
    "transforms.inference.memory_files", "transforms.inference.batches", "transforms.inference.language_id", "pipeline.config",
    "pipeline.report", "pipeline.card", "schemas.parquet",
]  # fmt: skip


@pytest.mark.parametrize("package", BELOW)
def test_imports_go_one_way(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            rooms = {name.split(".")[0] for name in names} & OURS
            assert rooms <= BELOW[package] | {package}, f"{path.name} imports {rooms}"


def test_pure_logic_imports_without_beam_and_without_models() -> None:
    heavy = ("apache_beam", "torch", "ctranslate2", "sentence_transformers", "fasttext")
    code = f"import sys, {', '.join(PURE)}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_package_is_listed_in_setup_and_tests_are_not() -> None:
    setup = (ROOT / "setup.py").read_text("utf-8")
    for package in ("data", "pipeline", "schemas", "transforms", "transforms.inference"):
        assert f'"{package}"' in setup
    assert '"tests"' not in setup
