"""Judges a row: accepted, or rejected with reasons. A pure function of flags, scores and thresholds."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from data import resource
from schemas.locales import LANGUAGES
from schemas.reasons import FLAGS
from schemas.rows import Row, Text, Verdict
from schemas.scores import BY_NAME
from transforms.score import is_scored

# Sentences of fewer characters are noisier to every judge: thresholds may have a `short` value of their own.
SHORT = 80
# Keys of a threshold file that tell of it: where it is from, the record of its calibration, and for whose cosines it is.
ABOUT = ("origin", "record", "encoder")
# Profile -> share of good translations that all calibrated thresholds together may reject.
PROFILES = {"strict": 0.05, "balanced": 0.02, "keep": 0.005}
# Scores that are cosines, or made of them: their thresholds belong to one encoder.
BY_ENCODER = ("similarity", "similarity_min", "coverage", "adapted_similarity")


@dataclass(frozen=True)
class Thresholds:
    """Worst value that passes, per score and language.

    Attributes:
        values: score -> language -> (for short texts, for others).
        expansion: language -> expected characters of a translation per English character.
        origins: score -> language -> where the numbers are from.
    """

    values: Mapping[str, Mapping[str, tuple[float, float]]]
    expansion: Mapping[str, float]
    origins: Mapping[str, Mapping[str, str]]

    def get(self, score: str, language: str, short: bool) -> float | None:
        found = self.values.get(score, {}).get(language)
        return None if found is None else found[0 if short else 1]


def merge_thresholds(languages: tuple[str, ...], *layers: Mapping[str, Any]) -> Thresholds:
    """Merges threshold files, later ones over earlier ones.

    A layer maps a score to one number, to {language: number} or to {language: {short: x, long: y}}, and has `origin`;
    what it says of itself (ABOUT) is not read, `expansion` is {language: number}. A score set to null is not judged.

    Raises:
        ValueError: a layer names a score that does not exist or cannot reject, or holds something that is no threshold;
            says which key.
    """
    values: dict[str, dict[str, tuple[float, float]]] = {}
    origins: dict[str, dict[str, str]] = {}
    expansion: dict[str, float] = {}
    for layer in layers:
        for name, given in layer.items():
            if name in ABOUT:
                continue
            if name == "expansion":
                for language, value in _per_language(name, given, languages).items():
                    expansion[language] = _number(f"{name}.{language}", value)
                    if expansion[language] <= 0:
                        raise ValueError(f"thresholds.{name}.{language}: must be above 0")
                continue
            if name not in BY_NAME or BY_NAME[name].reason is None:
                judged = ", ".join(s.name for s in BY_NAME.values() if s.reason)
                raise ValueError(f"thresholds.{name}: there is no such score to judge by; there are {judged}")
            if given is None:
                values.pop(name, None)
                continue
            for language, value in _per_language(name, given, languages).items():
                key = f"{name}.{language}"
                if isinstance(value, dict):
                    if set(value) != {"short", "long"}:
                        raise ValueError(f"thresholds.{key}: expected a number or exactly the keys short and long")
                    pair = (_number(f"{key}.short", value["short"]), _number(f"{key}.long", value["long"]))
                else:
                    pair = (_number(key, value), _number(key, value))
                values.setdefault(name, {})[language] = pair
                origins.setdefault(name, {})[language] = layer.get("origin", "config")
    return Thresholds(values, expansion, origins)


def _per_language(name: str, given: Any, languages: tuple[str, ...]) -> dict[str, Any]:
    """{language: value}; a mapping of short and long, or a number, goes for all languages."""
    if not isinstance(given, dict) or set(given) == {"short", "long"}:
        return dict.fromkeys(languages, given)
    unknown = sorted(str(key) for key in given if key not in LANGUAGES)
    if unknown:
        raise ValueError(
            f"thresholds.{name}: {', '.join(unknown)} is no FLORES-200 code that we know (such as hin_Deva)"
        )
    return given


def _number(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"thresholds.{key}: expected a finite number, found {value!r}")
    return float(value)


@functools.cache
def load_layer(path: str) -> Mapping[str, Any]:
    """A threshold file that ships with the project, by its path below data/."""
    loaded = yaml.safe_load(resource(path).read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def shipped_layers(encoder: str, profile: str = "balanced") -> list[Mapping[str, Any]]:
    """The thresholds that ship for an encoder: definitions, expected lengths, what was calibrated for a profile.

    Raises:
        ValueError: there is no such profile.
    """
    layers = [load_layer("thresholds/general.yaml"), load_layer("thresholds/languages.yaml")]
    with contextlib.suppress(FileNotFoundError):
        layers.append(load_layer(f"thresholds/{encoder.replace('/', '--')}.yaml"))
    return [*layers, profile_layer(encoder, profile)]


def profile_layer(encoder: str, profile: Any) -> Mapping[str, Any]:
    """The calibrated thresholds of a profile.

    Raises:
        ValueError: there is no such profile.
    """
    if profile not in PROFILES:
        raise ValueError(f"thresholds.profile: {profile!r} is none of {', '.join(PROFILES)}")
    return for_encoder(load_layer(f"thresholds/{profile}.yaml"), encoder)


def for_encoder(layer: Mapping[str, Any], encoder: str) -> Mapping[str, Any]:
    """The layer without what was calibrated for the cosines of another encoder: they are scored and not judged."""
    if layer.get("encoder", encoder) == encoder:
        return layer
    return {name: given for name, given in layer.items() if name not in BY_ENCODER}


def judge_text(text: Text, language: str, thresholds: Thresholds, crosses: bool = True) -> list[str]:
    """Reasons against one text. A score that a threshold needs but that is missing counts as not judged, not as passed."""
    # A response may well be nothing but code; a prompt that nobody translated is not in the target language.
    harmless = () if text.role == "prompt" else ("nothing_translated",)
    reasons = [flag for flag in text.flags if flag in FLAGS and flag not in harmless]
    if not is_scored(text, crosses) or "translation_failed" in reasons:
        return reasons
    short = len(text.adapted or "") < SHORT
    reasons += reasons_against(text.scores, text.not_judged, language, short, thresholds, crosses)
    return list(dict.fromkeys(reasons))


def reasons_against(
    scores: Mapping[str, float | None], not_judged: Collection[str], language: str, short: bool, thresholds: Thresholds,
    crosses: bool,
) -> list[str]:  # fmt: skip
    """Reasons that the scores of one text give.

    Args:
        scores: by name; None or absent where a score does not apply, or could not be computed.
        not_judged: names of those that could not be computed.
        short: whether the adapted text has fewer than SHORT characters.
        crosses: whether the text was translated.
    """
    reasons = []
    for name, score in BY_NAME.items():
        threshold = thresholds.get(name, language, short)
        if score.reason is None or threshold is None or (score.crosses and not crosses):
            continue
        value = scores.get(name)
        if value is None:
            if name in not_judged:
                reasons.append("not_judged")
        elif score.beyond(value, threshold):
            reasons.append(score.reason)
    return reasons


def judge(row: Row, thresholds: Thresholds) -> Row:
    """The verdict: a row is accepted whole, or rejected with the reasons of all its texts, sorted."""
    crosses = row.origin == "machine_translated"
    reasons = {reason for t in row.texts for reason in judge_text(t, row.language, thresholds, crosses)}
    return replace(row, verdict=Verdict(tuple(sorted(reasons))))
