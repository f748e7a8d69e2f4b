"""The table that ends a run on the screen."""

from __future__ import annotations

import json
from pathlib import Path


def print_summary(out: Path) -> None:
    """Prints counts per locale, both ledger lines and where to look next, from the finished report."""
    from rich.console import Console
    from rich.table import Table

    report = json.loads((out / "report" / "report.json").read_text("utf-8"))
    table = Table(title=f"Transcreate: {out}")
    for column in ("locale", "accepted", "adapted", "rejected", "dead", "most frequent reasons"):
        table.add_column(column, justify="left" if column in ("locale", "most frequent reasons") else "right")
    for locale, counts in report["locales"].items():
        reasons = sorted(counts["reasons"].items(), key=lambda item: (-item[1], item[0]))[:3]
        table.add_row(
            locale, *(f"{counts[k]:,}" for k in ("accepted", "adapted", "rejected", "dead")),
            ", ".join(f"{reason} {n}" for reason, n in reasons),
        )  # fmt: skip
    console = Console()
    console.print(table)
    gate, after = report["ledger"]["gate"], report["ledger"]["locales"]
    left = f" + left out {gate['left_out']:,}" if gate["left_out"] else ""
    console.print(
        f"gate     read {gate['read']:,} = passed {gate['passed']:,} + rejected {gate['rejected']:,} + dead {gate['dead']:,}{left}"
    )
    console.print(
        f"locales  {after['expected']:,} = accepted {after['accepted']:,} + rejected {after['rejected']:,} + dead {after['dead']:,}"
    )
    console.print(f"report   {out / 'report' / 'index.html'}")
