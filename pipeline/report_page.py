"""Draws the report as one HTML page that needs nothing else and runs no script.

Texts of a safety dataset are hostile by nature: everything is escaped, invisible and direction-changing characters are
written out, and every text is an island for the bidirectional algorithm.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from typing import Any

import jinja2
import regex
from markupsafe import Markup

from pipeline.licences import forbids_commerce
from schemas.locales import LANGUAGES, LOCALES
from schemas.reasons import NOTES, REASONS
from schemas.rows import Text
from schemas.scores import BY_NAME, SCORES
from transforms.judge import SHORT

# Characters of a text that the page shows; the rest is counted, and whole in report.json.
_SHOWN = 1_500
# A gap between accept rates is worth a mark from five points on, when both sides have this many rows.
GAP, ENOUGH = 0.05, 30

# Invisible characters, less the joiners and variation selectors that the letter or emoji before them needs.
_HIDDEN = regex.compile(
    r"(?:(?![\n\t]|\r\n|(?<=[\p{Arabic}\p{M}\p{Extended_Pictographic}\p{EMod}\ufe0f])[\u200c\u200d]"
    r"|(?<=[\p{Emoji}\p{Han}\p{Mongolian}])[\ufe00-\ufe0f])"
    r"[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}])+"
)
_MOST_SPELLED = 4


# What a native reader answers with yes or no about a row; an empty cell is no answer.
REVIEW_QUESTIONS = {
    "natural": "Would a native have written it so?",
    "same_intent": "Does it ask for, or say, the same as the source?",
    "same_label": "Is it as safe or unsafe as the source?",
    "right_translation": "Is the translation right, whatever was adapted?",
    "no_blunder": "Is it free of anything that a native would laugh at or be hurt by?",
}


def show_hidden(value: Any) -> Any:
    """Writes invisible characters of a string out, such as ⟨U+202E⟩; a long run by its first and its length."""

    def spell(match: regex.Match[str]) -> str:
        run = match.group()
        if len(run) > _MOST_SPELLED:
            return f"⟨U+{ord(run[0]):04X} and {len(run) - 1} more hidden characters⟩"
        return "".join(f"⟨U+{ord(char):04X}⟩" for char in run)

    return _HIDDEN.sub(spell, value) if isinstance(value, str) and not isinstance(value, Markup) else value


def render(report: Mapping[str, Any]) -> str:
    """The HTML page of a report that `build_report` made."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=show_hidden
    )
    environment.filters |= {"n": "{:,}".format, "percent": _percent, "flat": _flat}
    template = environment.from_string(files("pipeline").joinpath("templates/report.html.j2").read_text("utf-8"))
    run = report["run"]
    locales = dict(sorted(report["locales"].items(), key=lambda item: (item[1]["is_source"], item[0])))
    edits = _edit_table(locales)
    return template.render(
        report=report,
        run=run,
        title=run["config"].get("dataset") or "Dataset",
        locales=locales,
        targets={name: found for name, found in locales.items() if not found["is_source"]},
        flows=_flows(report["ledger"], len(run["config"]["locales"])),
        labels=_label_table(locales),
        reasons=_matrix(locales, "reasons"),
        kept=_matrix(locales, "kept_reasons"),
        flags=_totals(locales, "flags"),
        edits=edits,
        reviews=report.get("reviews", {}),
        questions=REVIEW_QUESTIONS,
        about=REASONS | NOTES,
        barred={m["name"] for m in run.get("models", ()) if forbids_commerce(str(m["licence"]))},
        charts={name: _charts(found["histograms"], report["axes"]) for name, found in locales.items()},
        samples={name: _samples(found, name, run["config"]["source_locale"]) for name, found in locales.items()},
        actions=_ordered(("swap", "local", "universal", "topic"), [a for kind in edits.values() for a in kind]),
        splits=_ordered(("train", "validation", "test"), [s for found in locales.values() for s in found["splits"]]),
    )


def _ordered(known: Iterable[str], found: Iterable[str]) -> list[str]:
    """The names that were found, those that are known first and in their order."""
    names = set(found)
    first = [name for name in known if name in names]
    return first + sorted(names.difference(first))


def _percent(part: float, whole: float) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted keys and values of nested facts, as `--set` would name them."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list) and any(isinstance(item, (Mapping, list)) for item in value):
        for index, item in enumerate(value):
            yield from _flat(item, f"{prefix}.{index}")
    elif isinstance(value, list):
        yield prefix, ", ".join(map(str, value))
    else:
        yield prefix, "–" if value is None else str(value)


def _flows(ledger: Mapping[str, Any], fan_out: int) -> list[dict[str, Any]]:
    """The two ledger lines, each a bar that parts into bands."""
    gate, fanned = ledger["gate"], ledger["locales"]
    passed = [(name, gate[name]) for name in ("passed", "rejected", "dead")]
    if gate.get("left_out"):
        passed.append(("left out", gate["left_out"]))
    accepted = [(name, fanned[name]) for name in ("accepted", "rejected", "dead")]
    note = f"{gate['passed']:,} passed × {fan_out} locales"
    return [
        _flow("Gate", "read", gate["read"], passed, gate["balanced"], "rows of the input"),
        _flow("Locales", "expected", fanned["expected"], accepted, fanned["balanced"], note),
    ]


def _flow(title: str, what: str, total: int, parts: list[tuple[str, int]], balanced: bool, note: str) -> dict[str, Any]:
    missing = total - sum(value for _, value in parts)
    if missing > 0:
        parts = [*parts, ("unaccounted", missing)]
    height, gap, whole = 110, 26, max(total, sum(value for _, value in parts), 1)
    bands = []
    left = right = 12.0
    for name, value in parts:
        size = max(2.0, height * value / whole) if value else 0.0
        end = left + height * value / whole
        path = (
            f"M132 {left:.1f}C222 {left:.1f} 222 {right:.1f} 312 {right:.1f}V{right + size:.1f}"
            f"C222 {right + size:.1f} 222 {end:.1f} 132 {end:.1f}Z"
        )
        bands.append({"name": name, "value": value, "y": right, "size": size, "path": path if value else ""})
        left, right = end, right + size + gap
    return {"title": title, "what": what, "total": total, "bands": bands, "balanced": balanced, "note": note,
            "missing": missing, "height": height, "bottom": right}  # fmt: skip


def _label_table(locales: Mapping[str, Any]) -> dict[str, Any]:
    """Accept rate by prompt label and locale, and how far unsafe lies from safe."""
    names = sorted({label for found in locales.values() for label in found["prompt_labels"]})
    rows = {}
    for locale, found in locales.items():
        cells, rates = [], {}
        for label in names:
            counted = found["prompt_labels"].get(label, {"accepted": 0, "rejected": 0})
            whole = counted["accepted"] + counted["rejected"]
            cells.append({"label": label, "accepted": counted["accepted"], "whole": whole})
            rates[label] = (counted["accepted"] / whole if whole else None, whole)
        (safe, many_safe), (unsafe, many_unsafe) = (rates.get(label, (None, 0)) for label in ("safe", "unsafe"))
        gap = None if safe is None or unsafe is None else unsafe - safe
        marked = gap is not None and abs(gap) >= GAP and min(many_safe, many_unsafe) >= ENOUGH
        rows[locale] = {"cells": cells, "gap": gap, "marked": marked}
    biased = [
        {"locale": locale, "reason": reason, **counted}
        for locale, found in locales.items()
        for reason, counted in found["label_differences"].items()
        if counted["biased"] and not found["is_source"]
    ]
    return {"names": names, "rows": rows, "enough": ENOUGH, "biased": biased}


def _matrix(locales: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """Reasons by locale, the most frequent first; `share` is of the locale's rows of that verdict."""
    verdict = "rejected" if key == "reasons" else "accepted"
    totals: Counter[str] = Counter()
    for found in locales.values():
        totals.update(found[key])
    return [
        {
            "name": name,
            "total": total,
            "scores": [score.name for score in SCORES if score.reason == name],
            "cells": [
                {"number": found[key].get(name, 0), "share": found[key].get(name, 0) / max(found[verdict], 1)}
                for found in locales.values()
            ],
        }
        for name, total in sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    ]


def _totals(locales: Mapping[str, Any], key: str) -> dict[str, dict[str, int]]:
    totals: dict[str, dict[str, int]] = {}
    for found in locales.values():
        for name, counted in found[key].items():
            into = totals.setdefault(name, {"accepted": 0, "rejected": 0})
            for verdict in into:
                into[verdict] += counted[verdict]
    return dict(sorted(totals.items()))


def _edit_table(locales: Mapping[str, Any]) -> dict[str, Counter[str]]:
    table: dict[str, Counter[str]] = {}
    for found in locales.values():
        for kind, actions in found["edits"].items():
            table.setdefault(kind, Counter()).update(actions)
    return dict(sorted(table.items()))


def _charts(histograms: Mapping[str, Any], axes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Mirrored histograms: accepted up, rejected down, heights as square roots so that a few show beside many."""
    charts = []
    for score in SCORES:
        found = histograms.get(score.name)
        if found is None:
            continue
        low, high = axes[score.name]["low"], axes[score.name]["high"]
        peak = max(*found["accepted"], *found["rejected"], 1)
        limits = found["thresholds"] or {}
        bands = [] if not limits else ["long"] if limits["short"] == limits["long"] else ["short", "long"]
        at = {band: round(200 * (min(max(limits[band], low), high) - low) / (high - low), 1) for band in bands}
        charts.append({
            "score": score, "low": low, "high": high, "limits": limits, "at": at, "not_finite": found["not_finite"],
            "up": _bars(found["accepted"], peak, -1), "down": _bars(found["rejected"], peak, 1),
            "accepted": sum(found["accepted"]), "rejected": sum(found["rejected"]),
        })  # fmt: skip
    return charts


def _bars(bins: list[int], peak: int, sign: int) -> str:
    """SVG path of one side of a histogram: 20 bars, 10 wide, from the base line outwards."""
    width = 200 / len(bins)
    heights = [max(1.0, 34 * math.sqrt(number / peak)) if number else 0.0 for number in bins]
    return "".join(
        f"M{i * width + 0.5:g} {sign}h{width - 1:g}v{sign * height:.1f}h{1 - width:g}z"
        for i, height in enumerate(heights)
        if height
    )


def _samples(found: Mapping[str, Any], locale: str, source: str) -> dict[str, list[dict[str, Any]]]:
    limits = {name: drawn["thresholds"] for name, drawn in found["histograms"].items() if drawn["thresholds"]}
    # The accepted originals are not shown: they are the source side of every other locale's samples.
    hidden = "accepted" if found["is_source"] else None
    return {
        verdict: [] if verdict == hidden else [_sample(row, locale, source, limits) for row in rows]
        for verdict, rows in found["samples"].items()
    }


def _sample(row: Mapping[str, Any], locale: str, source: str, limits: Mapping[str, Any]) -> dict[str, Any]:
    main = [
        {"role": role, "source": row[f"source_{role}"], "adapted": row[f"adapted_{role}"], "target": row[role],
         "scores": row[f"scores_{role}"]}
        for role in ("prompt", "response")
    ]  # fmt: skip
    texts = {text["turn"]: text for text in row["other_texts"] or ()}
    # Prompt and response stand at the turns that the other texts leave.
    texts |= zip((turn for turn in itertools.count() if turn not in texts), main, strict=False)
    shown = [_text(row, text | {"turn": turn}, locale, source, limits) for turn, text in sorted(texts.items())
             if text["source"] is not None or text["target"] is not None]  # fmt: skip
    return {"row": row, "texts": shown}


def _text(
    row: Mapping[str, Any], text: Mapping[str, Any], locale: str, source: str, limits: Mapping[str, Any]
) -> dict[str, Any]:
    """One text of a row as columns (source, adapted, translation), with its edits and scores."""
    name = Text(text["role"], text["turn"], None).name
    edits = [edit for edit in row["edits"] or () if edit["text"] == name]
    swaps = [edit for edit in edits if edit["action"] == "swap"]
    original, adapted, target = text["source"], text["adapted"], text["target"]
    columns = [_column("Source", source, original, _find_before(original or "", swaps))]
    if row["origin"] != "native":
        spans = [(e["start"], e["end"], e) for e in swaps if (adapted or "")[e["start"] : e["end"]] == e["after"]]
        columns.append(_column("Adapted", source, adapted, spans) | {"unchanged": adapted in (None, original)})
        columns.append(_column("Translation", locale, target, _find_natives(target or "", swaps)))
    band = "short" if len(adapted or original or "") < SHORT else "long"
    scores = [
        {"name": name, "value": value, "beyond": name in limits and BY_NAME[name].beyond(value, limits[name][band])}
        for name, value in (text["scores"] or {}).items()
        if isinstance(value, (int, float))
    ]
    for edit in edits:
        edit["found"] = bool(edit["native"]) and edit["native"].casefold() in (target or "").casefold()
    return {"name": name, "columns": columns, "edits": edits, "scores": scores}


_Span = tuple[int, int, Mapping[str, Any]]


def _column(title: str, locale: str, text: str | None, spans: list[_Span]) -> dict[str, Any]:
    known = LANGUAGES.get(LOCALES.get(locale, ""))
    direction = "auto" if known is None else "rtl" if known.rtl else "ltr"
    shown = (text or "")[:_SHOWN]
    return {"title": title, "lang": locale, "dir": direction, "missing": text is None, "unchanged": False,
            "more": len(text or "") - len(shown), "pieces": list(_cut(shown, spans))}  # fmt: skip


def _cut(text: str, spans: Iterable[_Span]) -> Iterator[dict[str, Any]]:
    """Cuts a text at its spans: {"text", "edit"}, edit None between them. Of spans that overlap the first stays."""
    at = 0
    for start, end, edit in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start < at or end > len(text):
            continue
        if start > at:
            yield {"text": text[at:start], "edit": None}
        yield {"text": text[start:end], "edit": edit}
        at = end
    if at < len(text):
        yield {"text": text[at:], "edit": None}


def _find_before(source: str, swaps: Iterable[Mapping[str, Any]]) -> list[_Span]:
    """Where the swapped surfaces stand in the source: edits are in order, so each is looked for after the last."""
    spans: list[_Span] = []
    at = 0
    for edit in swaps:
        start = source.find(edit["before"], at)
        if start >= 0:
            at = start + len(edit["before"])
            spans.append((start, at, edit))
    return spans


def _find_natives(target: str, swaps: Iterable[Mapping[str, Any]]) -> list[_Span]:
    found = (
        ((m.start(), m.end(), edit) for m in re.finditer(re.escape(edit["native"]), target, re.IGNORECASE))
        for edit in swaps
        if edit["native"]
    )
    return list(itertools.chain.from_iterable(found))
