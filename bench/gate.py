"""How many defects of every kind the gate stops, and how many good human translations it throws away, language by language.

`python -m bench.gate score DIR OUT` composes documents and defects (`bench.gate_items`) from human translations in DIR and writes
their scores to OUT, one file a language and half; `python -m bench.gate calibrate OUT` writes data/thresholds/<profile>.yaml from the
calibration half; `python -m bench.gate table OUT` prints the tables of the held-out half and writes them to bench/RESULTS.md.
OUT/items.jsonl is what `bench/gate_rivals.py` reads; its answers belong into OUT/opusfilter.jsonl and OUT/hardrules.jsonl.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.gate_items import DEFECTS as DEFECT_KINDS
from bench.gate_items import TATOEBA, Item, items_of
from bench.results import write_section
from pipeline.calibrate import PairScorer, Scored, calibrate, dump, expansion_of, fit, summary, with_general
from schemas.locales import LANGUAGES
from schemas.scores import BY_NAME
from transforms.inference.sentence_encoder import BUNDLED, SentenceEncoder
from transforms.judge import PROFILES, Thresholds, merge_thresholds, shipped_layers

# Good documents of a half, and defects of a kind.
GOOD, DEFECTS = 1000, 300
THRESHOLDS = Path(__file__).parent.parent / "data" / "thresholds"


def score(folder: Path, out: Path, languages: list[str], encoder: SentenceEncoder) -> None:
    """Writes the scores of both halves of every language; a file that is there is not made again."""
    scorer = PairScorer(encoder)
    out.mkdir(parents=True, exist_ok=True)
    for language in languages:
        expansion = 0.0
        for half, held_out in (("calibration", False), ("held_out", True)):
            good, bad = items_of(folder, language, held_out, GOOD, DEFECTS if held_out else 0)
            # What is expected of a translation's length is part of the calibration.
            expansion = expansion or expansion_of([(i.source, i.target) for i in good])
            path = out / f"{half}-{language}.jsonl"
            if path.exists():
                continue
            items = [*good, *bad]
            scored = scorer.score([(i.source, i.target) for i in items], LANGUAGES[language], expansion)
            lines = [
                json.dumps(_line(i, expansion) | asdict(s), ensure_ascii=False)
                for i, s in zip(items, scored, strict=True)
            ]
            path.write_text("\n".join(lines) + "\n", "utf-8")
            print(language, half, len(good), "good", len(bad), "defects", flush=True)


def _line(item: Item, expansion: float) -> dict[str, Any]:
    return {
        "id": item.id, "language": item.language, "kind": item.kind, "source": item.source, "target": item.target,
        "expansion": expansion,
    }  # fmt: skip


def read(out: Path, half: str, language: str) -> Iterator[Mapping[str, Any]]:
    """The scored items of a half and a language."""
    return map(json.loads, (out / f"{half}-{language}.jsonl").read_text("utf-8").rstrip("\n").split("\n"))


def write_items(out: Path) -> None:
    """Writes all items of both halves for rivals: the calibration half has "calibration" before its ids."""
    with (out / "items.jsonl").open("w", encoding="utf-8") as file:
        for half, language in _files(out):
            for item in read(out, half, language):
                line = {name: item[name] for name in ("language", "source", "target")}
                file.write(json.dumps({"id": _key(half, item), **line}, ensure_ascii=False) + "\n")


def _key(half: str, item: Mapping[str, Any]) -> str:
    return f"{half} {item['id']}"


def _files(out: Path) -> list[tuple[str, str]]:
    return [(h, code) for code in TATOEBA for h in ("calibration", "held_out") if (out / f"{h}-{code}.jsonl").exists()]


def scored_of(item: Mapping[str, Any]) -> Scored:
    """The scores of an item of the files."""
    return Scored(item["scores"], tuple(item["missing"]), item["short"])


def write_thresholds(out: Path) -> None:
    """Writes the threshold files that ship: languages.yaml (expected lengths) and one file a profile."""
    halves = {code: list(read(out, "calibration", code)) for half, code in _files(out) if half == "calibration"}
    origin = (
        "bench/gate.py: documents composed of human translations (TICO-19, XQuAD, WMT23, Tatoeba), calibration half"
    )
    lengths = {"origin": origin, "expansion": {code: items[0]["expansion"] for code, items in halves.items()}}
    (THRESHOLDS / "languages.yaml").write_text(dump(lengths), "utf-8")
    scored = {code: [scored_of(item) for item in items] for code, items in halves.items()}
    for profile, rate in PROFILES.items():
        layer = calibrate(scored, rate, BUNDLED, origin)
        (THRESHOLDS / f"{profile}.yaml").write_text(dump(layer), "utf-8")
        print(f"{profile}\n{summary(layer)}\n")


# --- tables ---

Rates = dict[str, tuple[int, int]]  # kind -> (rejected, of how many)
Rejects = Callable[[Mapping[str, Any]], bool]


def rates(items: Iterable[Mapping[str, Any]], rejects: Rejects) -> Rates:
    """How many of every kind are rejected."""
    found: dict[str, list[int]] = {}
    for item in items:
        counts = found.setdefault(item["kind"], [0, 0])
        counts[0] += rejects(item)
        counts[1] += 1
    return {kind: (counts[0], counts[1]) for kind, counts in found.items()}


def gate(language: str, thresholds: Thresholds) -> Rejects:
    """Our gate."""
    return lambda item: bool(scored_of(item).reasons(language, thresholds))


def alone(name: str, good: Sequence[Mapping[str, Any]], rate: float, sign: int) -> Rejects:
    """Rejects by one score, at the threshold that costs so many of these good documents."""
    values = sorted(sign * item["scores"][name] for item in good if name in item["scores"])
    limit = values[int(rate * len(good))] if values else 0.0
    return lambda item: name in item["scores"] and sign * item["scores"][name] < limit


def jointly(good: Sequence[Mapping[str, Any]], rate: float) -> Rejects:
    """Rejects by any of the scores (higher is better), each at an equal share of the budget, as large as it can be."""
    names = sorted({name for item in good for name in item["scores"]})
    values = {name: sorted(item["scores"].get(name, 0.0) for item in good) for name in names}

    def at(share: float) -> Rejects:
        limits = {name: values[name][min(len(good) - 1, int(share * len(good)))] for name in names}
        return lambda item: any(item["scores"].get(n, 0.0) < limit for n, limit in limits.items())

    low, high = 0.0, rate
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(map(at(middle), good)) <= rate * len(good) else (low, middle)
    return at(low)


def interval(some: int, of: int) -> tuple[float, float]:
    """95 % Wilson interval of a share (Wilson 1927)."""
    z, p = 1.96, some / of
    middle, half = p + z * z / (2 * of), z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)


def cell(counts: tuple[int, int] | None, least: int = DEFECTS) -> str:
    """ "97 [94, 99]" in percent, or that there are not enough."""
    if counts is None or counts[1] < least:
        return "not enough" if counts else "-"
    low, high = interval(*counts)
    return f"{100 * counts[0] / counts[1]:.0f} [{100 * low:.0f}, {100 * high:.0f}]"


def mean(found: Iterable[Rates], kind: str) -> str:
    """The mean over languages that have enough of a kind, in percent."""
    shares = [r[kind][0] / r[kind][1] for r in found if kind in r and r[kind][1] >= DEFECTS]
    return f"{100 * sum(shares) / len(shares):.0f}" if shares else "not enough"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tables(out: Path) -> str:
    """All tables of the held-out half, as Markdown."""
    codes = [code for half, code in _files(out) if half == "held_out"]
    held = {code: list(read(out, "held_out", code)) for code in codes}
    known = {code: list(read(out, "calibration", code)) for code in codes}
    ours = {
        profile: {c: rates(held[c], gate(c, merge_thresholds((c,), *shipped_layers(BUNDLED, profile)))) for c in codes}
        for profile in PROFILES
    }
    kinds = ["good", *DEFECT_KINDS]
    main_rows = [
        [kind, *(cell(ours["balanced"][c].get(kind)) for c in codes), mean(ours["balanced"].values(), kind)]
        for kind in kinds
    ]
    at_two = {c: at_rate(known[c], held[c], c, PROFILES["balanced"]) for c in codes}
    parts = [
        "Rejected, in percent [95 % interval], where the gate throws away at most 2 % of the held-out good documents: the budget "
        "of the calibration half is as large as that allows, of 0.5 to 3 %; where even 0.5 % costs more, it is 0.5 %.\n",
        table(
            ["", *codes, "mean"],
            ([k, *(cell(at_two[c].get(k)) for c in codes), mean(at_two.values(), k)] for k in kinds),
        ),
        "\nThe same at the shipped thresholds (profile balanced), whose budget is 2 % of the calibration half's good documents:\n",
        table(["", *codes, "mean"], main_rows),
        "\nThe three profiles, means over languages:\n",
        table(["", *PROFILES], ([kind, *(mean(ours[p].values(), kind) for p in PROFILES)] for kind in kinds)),
        "\nEach score alone, at the threshold that costs 2 % of the calibration half's good documents (means over languages; "
        "scores that catch nothing by themselves left out):\n",
        _ablation(codes, held, known, kinds),
        _rivals(out, codes, held, known, kinds, ours["balanced"]),
    ]
    return "\n".join(part for part in parts if part)


def at_rate(known: Sequence[Mapping[str, Any]], held: Sequence[Mapping[str, Any]], language: str, rate: float) -> Rates:
    """What the gate rejects with the largest budget, of the calibration half, that costs no more than `rate` of the held-out good."""
    good, scored = [i for i in held if i["kind"] == "good"], [scored_of(i) for i in known]
    found: Rates = {}
    for budget in (0.25, 0.5, 0.75, 1.0, 1.25, 1.5):
        thresholds, _ = fit(scored, language, budget * rate)
        rejects = gate(language, with_general(language, thresholds))
        if not found or sum(map(rejects, good)) <= rate * len(good):
            found = rates(held, rejects)
    return found


_Items = Mapping[str, Sequence[Mapping[str, Any]]]


def _ablation(codes: Sequence[str], held: _Items, known: _Items, kinds: Sequence[str]) -> str:
    columns: dict[str, list[str]] = {}
    for score in BY_NAME.values():
        if score.reason is None or not score.by_score:
            continue
        sign = 1 if score.better == "high" else -1
        found = [rates(held[c], alone(score.name, known[c], PROFILES["balanced"], sign)) for c in codes]
        cells = [mean(found, kind) for kind in kinds]
        if any(c.isdigit() and int(c) >= 5 for c in cells[1:]):
            columns[score.name] = cells
    return table(["", *columns], ([kind, *(cells[i] for cells in columns.values())] for i, kind in enumerate(kinds)))


def _rivals(
    out: Path, codes: Sequence[str], held: _Items, known: _Items, kinds: Sequence[str], ours: Mapping[str, Rates]
) -> str:
    columns = {"our gate": list(ours.values())}
    for name in ("opusfilter", "hardrules"):
        path = out / f"{name}.jsonl"
        if not path.exists():
            continue
        answers = {a["id"]: a for a in map(json.loads, path.read_text("utf-8").rstrip("\n").split("\n"))}
        theirs = {
            half: {c: [{**item, **answers[_key(half, item)]} for item in items[c]] for c in codes}
            for half, items in (("held_out", held), ("calibration", known))
        }
        defaults = [rates(theirs["held_out"][c], _refused) for c in codes]
        columns[f"{name}, its defaults"] = defaults
        if all(len(a["scores"]) > 1 for a in answers.values()):
            columns[f"{name}, at 2 %"] = [
                rates(theirs["held_out"][c], jointly(theirs["calibration"][c], PROFILES["balanced"])) for c in codes
            ]
        else:  # Verdicts have no threshold to move: ours are moved to where they cost as much, language by language.
            columns[f"our gate, at the cost of {name}"] = [
                at_rate(known[c], held[c], c, counts["good"][0] / counts["good"][1])
                for c, counts in zip(codes, defaults, strict=True)
            ]
    if len(columns) == 1:
        return ""
    return (
        "\nRivals on the same items (`bench/gate_rivals.py`), means over languages. A rival that rejects a document for its length or its "
        'script rejects its defects too: read a column against its row "good". Documents in which a name can be lost are long, and '
        "bicleaner-hardrules rejects what has 1,024 characters.\n\n"
    ) + table(["", *columns], ([kind, *(mean(found, kind) for found in columns.values())] for kind in kinds))


def _refused(item: Mapping[str, Any]) -> bool:
    return not item["accepted"]


def main() -> int:
    """Runs a stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("stage", choices=["score", "calibrate", "table"])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--languages", default=",".join(TATOEBA))
    args = parser.parse_args()
    if args.stage == "score":
        score(args.folders[0], args.folders[1], args.languages.split(","), SentenceEncoder(BUNDLED, "", "cpu"))
        write_items(args.folders[1])
    elif args.stage == "calibrate":
        write_thresholds(args.folders[0])
    else:
        text = tables(args.folders[0])
        print(text)
        write_section("The gate on human translations", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
