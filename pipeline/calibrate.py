"""Thresholds from human translations: as strict as they can be while rejecting no more of them, by all scores together, than asked."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import ConfigError, InputError
from schemas.locales import ENGLISH, LANGUAGES, Language
from schemas.scores import BY_NAME
from transforms.align import Comparing, Comparison, comparing
from transforms.inference.language_id import LanguageId
from transforms.inference.sentence_encoder import SentenceEncoder
from transforms.judge import SHORT, Thresholds, load_layer, merge_thresholds, reasons_against
from transforms.score import score_pair, settle
from transforms.segment import without_verbatim

# Scores whose threshold is set here, and what part of the budget each gets beside the others: those that see the defects which
# nothing else sees get more. All other thresholds are definitions (general.yaml), and what they reject is charged first.
SHARES = {
    "coverage": 3.0, "similarity": 1.0, "similarity_min": 0.5, "length_ratio": 1.0, "length_excess": 0.5, "lid_fasttext": 0.5,
    "foreign": 1.0, "script_share": 0.5, "copy": 1.0, "numbers_found": 5.0, "negation": 3.0, "names": 4.0,
}  # fmt: skip
# No limit is stricter than this one: fastText is sure of little in short sentences full of names, which these pairs may not have;
# names that stay in Latin letters, or have their own word elsewhere, are many more than any list or sample has.
MILDEST = {"foreign": 0.3, "script_share": 0.75, "names": 0.85}
# Fewer pairs say nothing of a tail of half a percent; a length band needs so many of its own.
LEAST, LEAST_OF_BAND = 300, 150


@dataclass(frozen=True)
class Scored:
    """The scores of a source and its translation.

    Attributes:
        scores: by name; what does not apply or could not be computed is not there.
        missing: names of what could not be computed.
        short: whether the source is a short text.
    """

    scores: Mapping[str, float]
    missing: tuple[str, ...]
    short: bool

    def reasons(self, language: str, thresholds: Thresholds) -> set[str]:
        """What the thresholds say against the translation."""
        return set(reasons_against(self.scores, self.missing, language, self.short, thresholds, crosses=True))


class PairScorer:
    """Scores plain pairs of an English text and its translation as a run scores its rows, the translator's own scores left out."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder, self._lid = encoder, LanguageId()

    def score(self, pairs: Sequence[tuple[str, str]], language: Language, expansion: float) -> list[Scored]:
        """Scores pairs.

        Args:
            expansion: expected characters of the translation per English character.
        """
        source = LANGUAGES[ENGLISH]
        asked = [comparing(without_verbatim(a), without_verbatim(b), (source, language), expansion) for a, b in pairs]
        answers = self._compare(list(dict.fromkeys(one for one in asked if one)))
        found = []
        for (a, b), one in zip(pairs, asked, strict=True):
            compared, sentences = (answers[one], (one.sources, one.targets)) if one else (None, None)
            scores, missing = settle(
                score_pair(
                    a, b, source, language, expansion, compared, self._lid.probability, self._lid.langdetect, sentences
                )
            )
            found.append(Scored(scores, tuple(missing), len(a) < SHORT))
        return found

    def _compare(self, asked: Sequence[Comparing]) -> dict[Comparing, Comparison]:
        # Texts of like length together, so that batches of other encoders hold little padding.
        ordered = sorted(asked, key=lambda one: sum(map(len, one.sources)))
        answers: dict[Comparing, Comparison] = {}
        for at in range(0, len(ordered), 512):
            part = ordered[at : at + 512]
            answers |= dict(zip(part, self._encoder.compare(part), strict=True))
        return answers


def expansion_of(pairs: Sequence[tuple[str, str]]) -> float:
    """The median of the characters of a translation over those of its source."""
    return round(statistics.median(len(b) / len(a) for a, b in pairs), 3)


def fit(scored: Sequence[Scored], language: str, rate: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Thresholds by which all scores together reject at most `rate` of good translations.

    Every score of SHARES gets the quantile of its part of one common share; the largest such share is found by bisection.

    Returns:
        (score -> {short, long}, the record: how many were rejected by which score).

    Raises:
        ValueError: too few pairs for such a rate.
    """
    check_enough(len(scored), language, rate)
    ordered = _worst_first(scored)
    low, high = 0.0, rate
    for _ in range(24):
        middle = (low + high) / 2
        rejected = sum(map(bool, _all_reasons(scored, language, _thresholds(ordered, middle))))
        low, high = (middle, high) if rejected <= rate * len(scored) else (low, middle)
    chosen = _thresholds(ordered, low)
    return chosen, _record(scored, _all_reasons(scored, language, chosen), rate)


def check_enough(count: int, language: str, rate: float) -> None:
    """Raises ValueError where so few pairs say nothing of such a rate."""
    least = max(LEAST, math.ceil(3 / rate))
    if count < least:
        raise ValueError(
            f"{language}: {count} pairs are too few for a false-reject rate of {rate:.1%}: at least {least} are needed, "
            "so that three of them lie beyond"
        )


# Score -> length band -> the values that its threshold is a quantile of, the worst first.
_Ordered = dict[str, dict[str, list[float]]]


def _worst_first(scored: Sequence[Scored]) -> _Ordered:
    found: _Ordered = {}
    for name in SHARES:
        every = [s.scores[name] for s in scored if name in s.scores]
        for band, short in (("short", True), ("long", False)):
            mine = [s.scores[name] for s in scored if s.short is short and name in s.scores]
            if values := mine if len(mine) >= LEAST_OF_BAND else every:
                found.setdefault(name, {})[band] = sorted(values, reverse=BY_NAME[name].better == "low")
    return found


def _thresholds(ordered: _Ordered, share: float) -> dict[str, dict[str, float]]:
    return {
        name: {band: _quantile(name, values, share * SHARES[name]) for band, values in bands.items()}
        for name, bands in ordered.items()
    }


def _quantile(name: str, worst_first: Sequence[float], share: float) -> float:
    """The best value that no more than so large a share of the values is worse than."""
    limit = worst_first[min(len(worst_first) - 1, int(share * len(worst_first)))]
    mildest = MILDEST.get(name, limit)
    return limit if BY_NAME[name].beyond(limit, mildest) else mildest


def with_general(language: str, thresholds: Mapping[str, Any]) -> Thresholds:
    """What `fit` found for a language, with the thresholds that are definitions."""
    layer = {name: {language: bands} for name, bands in thresholds.items()}
    return merge_thresholds((language,), load_layer("thresholds/general.yaml"), layer)


def _all_reasons(scored: Sequence[Scored], language: str, thresholds: Mapping[str, Any]) -> list[set[str]]:
    merged = with_general(language, thresholds)
    return [s.reasons(language, merged) for s in scored]


def _record(scored: Sequence[Scored], against: Sequence[set[str]], rate: float) -> dict[str, Any]:
    by = Counter(reason for reasons in against for reason in reasons)
    alone = Counter(reason for reasons in against if len(reasons) == 1 for reason in reasons)
    n = len(scored)
    return {
        "pairs": n,
        "short": sum(s.short for s in scored),
        "asked": rate,
        "rejected": round(sum(map(bool, against)) / n, 4),
        "by": {reason: [round(by[reason] / n, 4), round(alone[reason] / n, 4)] for reason in sorted(by)},
    }


def calibrate(scored: Mapping[str, Sequence[Scored]], rate: float, encoder: str, origin: str) -> dict[str, Any]:
    """A threshold file.

    Args:
        scored: FLORES code -> good translations, as long as what will be judged.
        rate: joint false-reject rate of every language.

    Returns:
        The layer: thresholds by score and language, `record` by language.

    Raises:
        ValueError: a language has too few pairs for the rate.
    """
    layer: dict[str, Any] = {"origin": origin, "encoder": encoder}
    record = {}
    for language, mine in scored.items():
        thresholds, record[language] = fit(mine, language, rate)
        for score, bands in thresholds.items():
            layer.setdefault(score, {})[language] = bands
    return layer | {"record": record}


def calibrate_command(files: Sequence[Path], language: str | None, output: Path, rate: float, encoder: str) -> int:
    """`transcreate calibrate`: writes the file, prints the record."""
    if output.exists():
        raise ConfigError(f"{output} exists; choose another output")
    if not 0 < rate < 0.5:
        raise ConfigError(f"--rate: {rate} is no share between 0 and 0.5")
    pairs: dict[str, dict[tuple[str, str], None]] = {}
    for path in files:
        for code, source, target in read_pairs(path, language):
            pairs.setdefault(code, {})[source, target] = None
    try:
        for code, mine in pairs.items():
            check_enough(len(mine), code, rate)  # before anything is embedded
    except ValueError as error:
        raise InputError(f"--pairs: {error}") from None
    known = load_layer("thresholds/languages.yaml")["expansion"]
    new = {code: expansion_of(list(mine)) for code, mine in pairs.items() if code not in known}
    scorer = PairScorer(SentenceEncoder(encoder, "", "cpu"))
    scored = {
        code: scorer.score(list(mine), LANGUAGES[code], known.get(code) or new[code]) for code, mine in pairs.items()
    }
    layer = calibrate(scored, rate, encoder, f"transcreate calibrate: {', '.join(p.name for p in files)}")
    output.write_text(dump(layer | ({"expansion": new} if new else {})), "utf-8")
    print(summary(layer))
    return 0


def read_pairs(path: Path, language: str | None) -> Iterator[tuple[str, str, str]]:
    """(language, source, target) of a file: JSON Lines with `source`, `target` (and `language`), or two columns parted by a tab.

    Raises:
        InputError: a line is no pair; says which and why.
    """
    try:
        lines = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found: Any = line.split("\t")[:2]
        code = language
        if path.suffix in (".jsonl", ".json"):
            try:
                row = json.loads(line)
                found, code = [row["source"], row["target"]], row.get("language", language)
            except (ValueError, KeyError, TypeError, AttributeError):
                raise InputError(f"{path}:{number}: expected a JSON object with source and target") from None
        if len(found) != 2 or not all(isinstance(text, str) and text.strip() for text in found):
            raise InputError(f"{path}:{number}: expected an English text and its translation, neither empty")
        if code not in LANGUAGES or code == ENGLISH:
            raise ConfigError(
                f"{path}:{number}: set --language to the FLORES-200 code of the translations, such as deu_Latn"
            )
        yield code, found[0].strip(), found[1].strip()


def dump(layer: Mapping[str, Any]) -> str:
    """The layer as YAML, one line a language."""
    lines = []
    for key, value in layer.items():
        if isinstance(value, dict) and value:
            lines.append(f"{key}:")
            lines += [f"  {code}: {json.dumps(inner)}" for code, inner in value.items()]
        else:
            lines.append(yaml.safe_dump({key: value}, width=1000).rstrip())
    return "\n".join(lines) + "\n"


def summary(layer: Mapping[str, Any]) -> str:
    """The record, for people."""
    lines = [f"{'language':<10}{'pairs':>7}{'short':>7}{'asked':>7}{'rejected':>9}  by score (alone)"]
    for code, record in layer["record"].items():
        by = sorted(record["by"].items(), key=lambda item: -item[1][0])
        lines.append(
            f"{code:<10}{record['pairs']:>7,}{record['short']:>7,}{record['asked']:>7.1%}{record['rejected']:>9.2%}  "
            + ", ".join(f"{reason} {shares[0]:.2%} ({shares[1]:.2%})" for reason, shares in by)
        )
    return "\n".join(lines)
