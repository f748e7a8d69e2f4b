"""The file of results: one section a measurement, each written by its own command."""

from __future__ import annotations

import re
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
_HEADING = "# What was measured\n\nEach section is written by a command of `bench/`, on the machine at hand.\n"


def write_section(name: str, text: str, path: Path = RESULTS) -> None:
    """Writes a section, in place of the one of that name or after all others.

    Args:
        name: its title; also what its markers are called.
        text: Markdown without the title.
    """
    begin, end = f"<!-- begin: {name} -->", f"<!-- end: {name} -->"
    section = f"{begin}\n## {name}\n\n{text.strip()}\n{end}"
    before = path.read_text("utf-8") if path.is_file() else _HEADING
    there = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    after = there.sub(lambda _: section, before) if there.search(before) else f"{before.rstrip()}\n\n{section}\n"
    path.write_text(after, "utf-8")
