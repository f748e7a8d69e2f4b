"""Builders for end-to-end tests: a small slice of the demo dataset and a config over it."""

import hashlib
import random
from pathlib import Path

import yaml

from data import resource
from pipeline.cli import main

LOCALES = ["de-DE", "hi-IN", "ja-JP"]


def demo_lines(count: int) -> list[bytes]:
    """The first lines of the demo's train file, broken ones included."""
    return resource("demo/train.jsonl").read_bytes().splitlines()[:count]


def write_config(folder: Path, lines: list[bytes], shuffle: int | None = None, **changes: object) -> Path:
    """Writes input and config; `changes` replace top-level keys."""
    folder.mkdir(parents=True, exist_ok=True)
    if shuffle is not None:
        random.Random(shuffle).shuffle(lines)
    (folder / "train.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    config = {
        "dataset": "small", "licence": "Apache-2.0", "inputs": [{"path": str(folder / "train.jsonl")}],
        "locales": LOCALES, "output": str(folder / "out"), "memory": str(folder / "memory"),
        "slice": {"rows": 60}, **changes,
    }  # fmt: skip
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def run(config: Path, *flags: str) -> int:
    return main(["run", str(config), *flags])


def parquet_hashes(out: Path) -> dict[str, str]:
    """sha256 of every Parquet file by relative path."""
    return {
        p.relative_to(out).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(out.rglob("*.parquet"))
    }
