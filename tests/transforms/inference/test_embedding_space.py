from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data import resource
from schemas.locales import LANGUAGES
from transforms.inference import embedding_space
from transforms.inference.embedding_space import fit_space, load_space, save_space
from transforms.inference.sentence_encoder import BUNDLED_SPACE


def made_pairs(seed: int, shift: float, n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Sentences of 8 directions of meaning and 8 of noise; translations keep the meaning, shifted into a corner of their own."""
    rng = np.random.default_rng(seed)
    meaning = rng.normal(size=(n, 8))

    def embed(offset: float) -> np.ndarray:
        return np.hstack([meaning, rng.normal(scale=3, size=(n, 8))]) + offset

    return embed(0.0), embed(shift)


def ranks(one: np.ndarray, other: np.ndarray) -> float:
    """Share of the sentences whose own translation is the closest of all."""
    return float(np.mean(np.argmax(one @ other.T, axis=1) == np.arange(len(one))))


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def test_translations_find_each_other_in_the_space_and_not_outside() -> None:
    space = fit_space({"deu_Latn": made_pairs(1, 5), "jpn_Jpan": made_pairs(2, -9)}, "eng_Latn")
    mine, theirs = made_pairs(3, 5)
    outside = ranks(unit(mine), unit(theirs))
    inside = ranks(
        np.array([space.project(v, "eng_Latn") for v in mine]), np.array([space.project(v, "deu_Latn") for v in theirs])
    )
    assert inside > 3 * outside


def test_a_projection_has_length_one_also_in_a_language_without_a_centre() -> None:
    space = fit_space({"deu_Latn": made_pairs(1, 5)}, "eng_Latn")
    for code in ("deu_Latn", "kor_Hang"):
        assert abs(np.linalg.norm(space.project(np.ones(16), code)) - 1) < 1e-6
    assert np.isfinite(space.project(space.centres["deu_Latn"], "deu_Latn")).all(), (
        "a text at the centre has no direction"
    )


def test_a_stored_space_projects_as_the_one_that_was_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    space = fit_space({"deu_Latn": made_pairs(1, 5)}, "eng_Latn")
    save_space(space, tmp_path / "s.npz")
    monkeypatch.setattr(embedding_space, "resource", lambda name: tmp_path / name)
    loaded = load_space("s.npz")
    vector = made_pairs(4, 5)[1][0]
    assert np.allclose(space.project(vector, "deu_Latn"), loaded.project(vector, "deu_Latn"), atol=2e-3)


def test_the_space_that_ships_knows_languages_of_the_table_and_the_encoders_size() -> None:
    space = load_space(BUNDLED_SPACE)
    assert space.whitening.shape == (384, 384) and set(space.centres) <= set(LANGUAGES)
    assert resource(BUNDLED_SPACE).is_file()
