"""Finds negations that a translation lost, sentence by sentence: without its "not", a warning is advice."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from data import resource
from schemas.locales import Language


@dataclass(frozen=True)
class _Signs:
    plain: re.Pattern[str]
    negates: re.Pattern[str]
    may: re.Pattern[str]


@functools.cache
def _load(code: str) -> _Signs:
    raw = yaml.safe_load(resource(f"negation/{code}.yaml").read_text("utf-8"))
    return _Signs(
        **{key: re.compile("|".join(f"(?:{p})" for p in raw[key]), re.I) for key in ("plain", "negates", "may")}
    )


def negates(text: str, language: Language) -> bool:
    """Whether a sentence negates something, as far as words tell: "not only" and "no doubt" do not."""
    signs = _load(language.code)
    return bool(signs.negates.search(text)) and bool(signs.negates.search(signs.plain.sub(" ", text)))


def count_possible(text: str, language: Language) -> int:
    """How many places of a text may stand for a negation of another language: "not", "without", "too late", "unlikely"."""
    signs = _load(language.code)
    return sum(1 for _ in signs.negates.finditer(text)) + sum(1 for _ in signs.may.finditer(text))


def negations_kept(
    sources: Sequence[str], targets: Sequence[str], source_language: Language, language: Language
) -> float:
    """Share of the negated sentences whose translation has something that may negate it; 1 where none is negated.

    Words tell more surely that a sentence negates than that it does not (prefixes, "too late", "rather than"), so what a
    translation adds does not count: it would be Chinese and Japanese word formation more often than a defect.

    Args:
        sources, targets: sentences in order; as many of both belong together one by one. Else the negated sentences are
            counted against all that may negate in the target.
    """
    negated = [k for k, text in enumerate(sources) if negates(text, source_language)]
    if not negated:
        return 1.0
    if len(sources) == len(targets):
        kept = sum(count_possible(targets[k], language) > 0 for k in negated)
    else:
        kept = min(len(negated), sum(count_possible(text, language) for text in targets))
    return kept / len(negated)
