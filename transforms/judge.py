"""Judges a row: accepted, or rejected with reasons. A pure function of flags, scores and thresholds."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from data import resource
from schemas.reasons import FLAGS
from schemas.rows import Row, Text, Verdict
from schemas.scores import BY_NAME

# Sentences of fewer characters are noisier to every judge: thresholds may have a `short` value of their own.
SHORT = 40


@dataclass(frozen=True)
class Thresholds:
    """Worst value that passes, per score and language.

    Attributes:
        values: score -> language -> (for short texts, for others).
        expansion: language -> expected characters of a translation per English character.
        origins: score -> where its numbers are from.
    """

    values: Mapping[str, Mapping[str, tuple[float, float]]]
    expansion: Mapping[str, float]
    origins: Mapping[str, str]

    def get(self, score: str, language: str, short: bool) -> float | None:
        found = self.values.get(score, {}).get(language)
        return None if found is None else found[0 if short else 1]


def merge_thresholds(languages: tuple[str, ...], *layers: Mapping[str, Any]) -> Thresholds:
    """Merges threshold files, later ones over earlier ones.

    A layer maps a score to one number, to {language: number} or to {language: {short: x, long: y}}, and has `origin`;
    `expansion` is {language: number}. A score set to null is not judged.

    Raises:
        ValueError: a layer names a score that does not exist or cannot reject.
    """
    values: dict[str, dict[str, tuple[float, float]]] = {}
    origins: dict[str, str] = {}
    expansion: dict[str, float] = {}
    for layer in layers:
        for name, given in layer.items():
            if name == "origin":
                continue
            if name == "expansion":
                expansion.update(given)
                continue
            if name not in BY_NAME or BY_NAME[name].reason is None:
                judged = ", ".join(s.name for s in BY_NAME.values() if s.reason)
                raise ValueError(f"thresholds.{name}: there is no such score to judge by; there are {judged}")
            if given is None:
                values.pop(name, None)
                continue
            per_language = given if isinstance(given, dict) else dict.fromkeys(languages, given)
            mine = values.setdefault(name, {})
            for language, value in per_language.items():
                pair = (value["short"], value["long"]) if isinstance(value, dict) else (value, value)
                mine[language] = (float(pair[0]), float(pair[1]))
            origins[name] = layer.get("origin", "config")
    return Thresholds(values, expansion, origins)


@functools.cache
def load_layer(path: str) -> Mapping[str, Any]:
    """A threshold file that ships with the project, by its path below data/."""
    loaded = yaml.safe_load(resource(path).read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def judge_text(text: Text, language: str, thresholds: Thresholds, crosses: bool = True) -> list[str]:
    """Reasons against one text. A score that a threshold needs but that is missing counts as not judged, not as passed."""
    reasons = [flag for flag in text.flags if flag in FLAGS]
    if not text.segments or "translation_failed" in reasons:
        return reasons
    short = len(text.adapted or "") < SHORT
    for name, score in BY_NAME.items():
        threshold = thresholds.get(name, language, short)
        if score.reason is None or threshold is None or (score.crosses and not crosses):
            continue
        value = text.scores.get(name)
        if value is None:
            if name in text.not_judged:
                reasons.append("not_judged")
        elif score.beyond(value, threshold):
            reasons.append(score.reason)
    return list(dict.fromkeys(reasons))


def judge(row: Row, thresholds: Thresholds) -> Row:
    """The verdict: a row is accepted whole, or rejected with the reasons of all its texts, sorted."""
    crosses = row.origin == "machine_translated"
    reasons = {reason for t in row.texts for reason in judge_text(t, row.language, thresholds, crosses)}
    return replace(row, verdict=Verdict(tuple(sorted(reasons))))
