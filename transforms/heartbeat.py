"""Tells a watching launcher how far the models are, through append-only files: FnApiRunner blocks and says nothing itself."""

from __future__ import annotations

import os
from pathlib import Path


def beat(folder: str | None, what: str, count: int) -> None:
    """Notes that `count` more of `what` happened. Never a reason to fail: a folder that cannot be written is no folder."""
    if folder is None:
        return
    try:
        with open(Path(folder) / f"{os.getpid()}.beats", "a", encoding="utf-8") as file:
            file.write(f"{what} {count}\n")
    except OSError:
        return


def total_beats(folder: str) -> dict[str, int]:
    """What happened so far, over all processes."""
    totals: dict[str, int] = {}
    for path in Path(folder).glob("*.beats"):
        for line in path.read_text("utf-8").splitlines():
            what, _, count = line.rpartition(" ")
            if what and count.isdigit():
                totals[what] = totals.get(what, 0) + int(count)
    return totals
