"""A space of sentence embeddings in which translations lie close and other sentences far: centred by language, then whitened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from data import resource

# How far the covariance of the differences is drawn towards a sphere: 1 adds its mean variance to every direction.
_RIDGE = 1.0


@dataclass(frozen=True)
class EmbeddingSpace:
    """Multilingual encoders give every language a corner of its own, and spend many directions on what translators may change.

    Within-class covariance normalisation (Hatch, Kajarekar and Stolcke 2006, there of speakers' voices): a class is a sentence with
    its translations, and directions in which these differ count less.

    Attributes:
        centres: language -> mean embedding, (dimensions,).
        other: the centre of languages that have none.
        whitening: (dimensions, dimensions).
    """

    centres: Mapping[str, np.ndarray]
    other: np.ndarray
    whitening: np.ndarray

    def project(self, vector: np.ndarray, language: str) -> np.ndarray:
        """The embedding of a text of a language, in the space, of length 1."""
        moved = (vector - self.centres.get(language, self.other)) @ self.whitening
        return np.asarray(moved / max(float(np.linalg.norm(moved)), 1e-9))


def fit_space(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], source: str) -> EmbeddingSpace:
    """Fits the space to human translations.

    Args:
        pairs: language -> (embeddings of sentences of the source language, of their translations), each (n, dimensions).
        source: the source language.
    """
    covariances = []
    for mine, theirs in pairs.values():
        apart = (mine - mine.mean(0)) - (theirs - theirs.mean(0))
        covariances.append(apart.T @ apart / len(apart))
    within = np.mean(covariances, axis=0)
    within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    values, directions = np.linalg.eigh(within)
    centres = {code: theirs.mean(0) for code, (_, theirs) in pairs.items()}
    centres[source] = np.mean([mine.mean(0) for mine, _ in pairs.values()], axis=0)
    other = np.mean([centre for code, centre in centres.items() if code != source], axis=0)
    return EmbeddingSpace(centres, other, directions @ np.diag(values**-0.5) @ directions.T)


def save_space(space: EmbeddingSpace, path: Any) -> None:
    """Writes the space in half precision, which costs no more than the fourth digit of a cosine."""
    codes: Sequence[str] = sorted(space.centres)
    # Only the direction of a projection counts: scaled so that half precision has room for it.
    scaled = space.whitening / np.abs(space.whitening).max()
    np.savez_compressed(
        path, codes=np.array(codes), centres=np.array([space.centres[c] for c in codes], np.float16),
        other=space.other.astype(np.float16), whitening=scaled.astype(np.float16),
    )  # fmt: skip


def load_space(path: str) -> EmbeddingSpace:
    """Reads a space that ships with the project, by its path below data/."""
    with resource(path).open("rb") as file, np.load(file) as stored:
        centres = {
            str(code): centre.astype(np.float32)
            for code, centre in zip(stored["codes"], stored["centres"], strict=True)
        }
        return EmbeddingSpace(centres, stored["other"].astype(np.float32), stored["whitening"].astype(np.float32))
