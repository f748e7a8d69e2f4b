"""Small makers of the records that many tests need."""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import Any

from schemas.locales import LOCALES
from schemas.rows import Origin, Row, Sample, Text
from scripts import phrasebook
from transforms.culture_pack import load_pack
from transforms.read import Source, Unit
from transforms.segregate import load_lexicon, segregate

TARGETS = tuple(locale for locale in LOCALES if locale != "en-US")

# Our names and those of Aegis 2.0.
AEGIS_FIELDS = (
    ("id", "id"),
    ("prompt", "prompt"),
    ("response", "response"),
    ("prompt_label", "prompt_label"),
    ("response_label", "response_label"),
    ("prompt_label_source", "prompt_label_source"),
    ("response_label_source", "response_label_source"),
    ("categories", "violated_categories"),
)


def make_source(path: str | Path = "in.jsonl", **changes: Any) -> Source:
    """A source of Aegis-shaped data with a cap of 10,000 bytes a unit."""
    known: dict[str, Any] = {
        "path": str(path), "split": "train", "dataset": "demo", "licence": "CC0-1.0", "usage": "train",
        "fields": AEGIS_FIELDS, "max_unit_bytes": 10_000,
    }  # fmt: skip
    return Source(**(known | changes))


def make_record(**changes: Any) -> dict[str, Any]:
    """A record that the gate lets in."""
    return {
        "id": "s1", "prompt": "How can I bake bread?", "response": None, "prompt_label": "safe",
        "response_label": None, "prompt_label_source": "human", "response_label_source": None,
        "violated_categories": "",
    } | changes  # fmt: skip


def make_unit(record: dict[str, Any] | None = None, **changes: Any) -> Unit:
    """A unit on line 7 of in.jsonl; `changes` go into the source."""
    return Unit(Origin("in.jsonl", 7), make_source(**changes), make_record() if record is None else record)


def make_row(
    prompt: str | None = "How can I bake bread?", response: str | None = None, *, id: str = "row-1",
    group_id: str = "", line: int = 1, **sample: Any,
) -> Row:  # fmt: skip
    """A row as the gate and Group leave it: safe, in the train split."""
    known: dict[str, Any] = {
        "source_id": None, "dataset": "demo", "split": "train", "prompt_label": "safe",
        "response_label": None if response is None else "safe", "prompt_label_source": "human",
        "response_label_source": None, "categories": (), "categories_raw": None, "licence": "CC0-1.0",
        "metadata": "{}", "origin": Origin("in.jsonl", line),
    }  # fmt: skip
    texts = (Text("prompt", 0, prompt), Text("response", 1, response))
    return Row(Sample(**(known | sample)), texts, id=id, group_id=group_id)


def make_segregated(prompt: str | None, response: str | None = None, **changes: Any) -> Row:
    """A row with its spans, found with the lexicon of all locales."""
    return segregate(make_row(prompt, response, **changes), load_lexicon("en-US"))


@functools.cache
def _english() -> tuple[dict[str, str], dict[str, list[phrasebook.Value]]]:
    side = phrasebook.load("eng_Latn")
    values = {
        kind: [phrasebook.Value(e.en, e.native) for e in entries] for kind, entries in load_pack("en-US").types.items()
    }
    for kind, items in side["slots"].items():
        known = {v.en for v in values.get(kind, [])}
        values[kind] = values.get(kind, []) + [
            phrasebook.Value(item["en"], item["en"]) for item in items if item["en"] not in known
        ]
    return side["templates"], values


def template_keys() -> list[str]:
    """Names of the phrase book's templates."""
    return sorted(_english()[0])


def american_sentence(key: str, seed: int) -> str:
    """A phrase-book sentence filled with American values."""
    templates, values = _english()
    pack, rng = load_pack("en-US"), random.Random(seed)
    return phrasebook.fill(templates[key], phrasebook.choose(templates[key], values, pack, rng), False)
