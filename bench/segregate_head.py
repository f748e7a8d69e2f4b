"""Does an embedding head find culture-specific rows better than the lexicon, in texts of an author it was not trained on?

`python -m bench.segregate_head` trains on one split of data/evaluation/ and judges the other, whose texts are by another
author; `--data FILE` (repeatable) has more marked texts judged by what was trained on both splits.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from bench.results import write_section
from pipeline.evaluate_command import SOURCE, Case, ask, best_threshold, count, load_cases
from transforms.inference.sentence_encoder import BUNDLED, load_sentence_transformer
from transforms.segregate import load_lexicon, segregate

# Of the lexicon's own rows.
_LEXICON_THRESHOLD = 0.5
_Scores = np.ndarray


def head(vectors: np.ndarray, gold: np.ndarray) -> tuple[LogisticRegression, _Scores]:
    """(logistic regression on embeddings, its probabilities for the rows it was trained on, by five-fold cross-validation)."""
    made = LogisticRegression(C=10.0, class_weight="balanced", max_iter=2000)
    held_out = cross_val_predict(made, vectors, gold, cv=5, method="predict_proba")[:, 1]
    return made.fit(vectors, gold), held_out


def methods(train: tuple[np.ndarray, _Scores, np.ndarray], test: tuple[np.ndarray, _Scores]) -> dict[str, np.ndarray]:
    """What each method says of the test rows; every threshold is chosen on the training rows.

    Args:
        train: (embeddings, the lexicon's scores, gold).
        test: (embeddings, the lexicon's scores).
    """
    vectors, lexicon, gold = train
    made, own = head(vectors, gold)
    found = made.predict_proba(test[0])[:, 1]
    pairs = [(bool(g), float(p)) for g, p in zip(gold, own, strict=True)]
    alone = best_threshold(pairs)
    by_lexicon = test[1] >= _LEXICON_THRESHOLD
    rest = [p for p, s in zip(pairs, lexicon, strict=True) if s < _LEXICON_THRESHOLD]
    # Of the rows that the lexicon leaves, those that the head is surest of: the threshold that gains most on the training rows.
    candidates = sorted({p for _, p in rest}) or [1.0]
    gain = [sum((1 if g else -1) for g, p in rest if p >= t) for t in candidates]
    sure = candidates[int(np.argmax(gain))] if max(gain) > 0 else 2.0
    stack = LogisticRegression(C=1.0, max_iter=2000).fit(np.column_stack([lexicon, own]), gold)
    both = stack.predict_proba(np.column_stack([lexicon, own]))[:, 1]
    level = best_threshold([(bool(g), float(p)) for g, p in zip(gold, both, strict=True)])
    return {
        "lexicon": by_lexicon,
        "head": found >= alone,
        "lexicon or head": by_lexicon | (found >= sure),
        "lexicon and head, stacked": stack.predict_proba(np.column_stack([test[1], found]))[:, 1] >= level,
    }


def interval(gold: Sequence[bool], said: Sequence[bool]) -> str:
    """F1 with its 95 % interval by a bootstrap over rows (1,000 draws, seeded)."""
    rng, rows = random.Random(0), list(zip(map(bool, gold), map(bool, said), strict=True))
    drawn = sorted(count(rng.choices(rows, k=len(rows))).f1 or 0.0 for _ in range(1000))
    return f"{count(rows).f1 or 0.0:.3f} [{drawn[25]:.3f}, {drawn[974]:.3f}]"


def main() -> int:
    """Prints the table and writes it to the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", action="append", default=[], metavar="FILE")
    args = parser.parse_args()
    encoder, lexicon = load_sentence_transformer(BUNDLED, "cpu"), load_lexicon(SOURCE)

    def read(cases: Sequence[Case]) -> tuple[np.ndarray, _Scores, np.ndarray]:
        said = ask(cases, lambda row: segregate(row, lexicon))
        vectors = encoder.encode([c.text for c in cases], normalize_embeddings=True, show_progress_bar=False)
        return (
            np.asarray(vectors),
            np.array([said[c.id].score for c in cases]),
            np.array([c.gold.specific for c in cases]),
        )

    dev, test = (read(load_cases([], split)) for split in ("dev", "test"))
    both = (np.vstack([dev[0], test[0]]), np.concatenate([dev[1], test[1]]), np.concatenate([dev[2], test[2]]))
    rounds = [("dev", dev, "test", test), ("test", test, "dev", dev)]
    rounds += [("dev and test", both, f"file {i}", read(load_cases([f], ""))) for i, f in enumerate(args.data, 1)]
    lines = ["| trained on | judged on | rows | method | F1 [95 % interval] |", "|---|---|--:|---|---|"]
    for source, train, target, other in rounds:
        for name, said in methods(train, other[:2]).items():
            lines.append(
                f"| {source} | {target} | {len(said)} | {name} | {interval(other[2].tolist(), said.tolist())} |"
            )
    print("\n".join(lines))
    if not args.data:
        told = "`python -m bench.segregate_head`: rows of data/evaluation/, multilingual-e5-small, logistic regression. " \
               "The lexicon was tuned on dev, so that its figure there says nothing."  # fmt: skip
        write_section("Embedding head for segregation", told + "\n\n" + "\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
