"""The demo dataset: made as documented, in domain where it should be, and every line ends as expected.jsonl says."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from schemas.reasons import GATE
from schemas.rows import Row
from schemas.taxonomy import load_taxonomy
from scripts.make_demo_dataset import OUT, cultural_kinds, groups, made_rows, outcomes, settle, special_rows, write
from scripts.phrasebook import capitalise, load
from transforms.culture_pack import REAL_ORGANISATIONS, load_pack
from transforms.segregate import find_spans, load_lexicon

MADE = made_rows()
PAIRS = {s.name: s.copy_of for s in special_rows() if s.copy_of}


@functools.cache
def _expected() -> dict[tuple[str, int], dict[str, Any]]:
    lines = map(json.loads, (OUT / "expected.jsonl").read_text("utf-8").splitlines())
    return {(line["file"], line["line"]): line for line in lines}


@functools.cache
def _rows() -> dict[str, Row]:
    """Rows that passed or were rejected, by their id in the source."""
    return {row.sample.source_id or "": row for row in settle(OUT)[0]}


@functools.cache
def _sentences() -> re.Pattern[str]:
    """One to three filled templates of the phrase book, with values that the demo dataset may put into their slots."""
    book, pack = load("eng_Latn"), load_pack("en-US")
    values = {slot: {item["en"] for item in items} for slot, items in book["slots"].items()}
    for kind, entries in pack.types.items():
        values.setdefault(kind, set()).update(entry.en for entry in entries)
    patterns = {
        "money": r"\$[1-9]\d{0,2}(?:,\d{3})?",
        "distance": r"(?:[2-9]|[1-9]\d) miles",
        "weight": r"[1-9]\d pounds",
        "temperature": r"(?:[5-9]\d|100) degrees Fahrenheit",
        "phone": r"555-01\d\d",
    }

    def slot(name: str, first: bool) -> str:
        return patterns.get(name) or "|".join(re.escape(capitalise(v) if first else v) for v in values[name])

    made = []
    for template in book["templates"].values():
        begin, *rest = re.split(r"\{(\w+?)\d?\}", template)
        parts = [re.escape(capitalise(begin))]
        for i, part in enumerate(rest):
            parts.append(re.escape(part) if i % 2 else f"(?:{slot(part, i == 0 and not begin)})")
        made.append("".join(parts))
    one = f"(?:{'|'.join(made)})"
    return re.compile(f"{one}(?: {one}){{0,2}}")


def test_the_files_are_what_the_script_writes(tmp_path: Path) -> None:
    write(tmp_path)
    for name in ("train.jsonl", "test.jsonl", "expected.jsonl"):
        assert (tmp_path / name).read_bytes() == (OUT / name).read_bytes(), f"run scripts.make_demo_dataset: {name}"


def test_every_line_ends_as_expected() -> None:
    found = outcomes(OUT)
    for place, ending in found.items():
        line = _expected().get(place, {"ends": "passed", "reason": None})
        assert ending == (line["ends"], line["reason"]), place
    assert set(_expected()) <= set(found)
    assert len(found) == sum((OUT / name).read_bytes().count(b"\n") for name in ("train.jsonl", "test.jsonl"))


def test_expected_names_the_rows_it_is_about() -> None:
    lines = {name: (OUT / name).read_bytes().split(b"\n") for name in ("train.jsonl", "test.jsonl")}
    for (file, number), line in _expected().items():
        raw = lines[file][number - 1]
        assert line["why"]
        if line["id"]:
            assert json.loads(raw)["id"] == line["id"]
        else:
            assert line["ends"] == "dead"


def test_every_reason_of_the_gate_and_every_unreadable_line_has_an_example() -> None:
    reasons = {line["reason"] for line in _expected().values()}
    assert reasons == {None, "MalformedJson", "MissingField", "NotAnObject", "NotUtf8", *GATE}


def test_the_shape_is_that_of_aegis() -> None:
    names = load_taxonomy("aegis2").categories
    for made in MADE:
        row = made.record
        assert list(row) == [
            "id", "reconstruction_id_if_redacted", "prompt", "response", "prompt_label", "response_label",
            "violated_categories", "prompt_label_source", "response_label_source",
        ]  # fmt: skip
        assert re.fullmatch("[0-9a-f]{32}", row["id"])
        assert row["prompt_label"] in ("safe", "unsafe")
        assert row["prompt_label_source"] == "human"
        assert (row["response"] is None) == (row["response_label"] is None) == (row["response_label_source"] is None)
        listed = [c for c in row["violated_categories"].split(", ") if c]
        assert set(listed) <= set(names)
        assert bool(listed) == ("unsafe" in (row["prompt_label"], row["response_label"]))
    assert len({made.record["id"] for made in MADE}) == len(MADE)


def test_counts() -> None:
    rows = [made.record for made in MADE]
    assert 300 <= len(rows) <= 380
    assert 25 <= sum(made.split == "test" for made in MADE) <= 35
    assert 0.4 <= sum(r["prompt_label"] == "unsafe" for r in rows) / len(rows) <= 0.6
    assert 0.3 <= sum(r["response"] is None for r in rows) / len(rows) <= 0.4
    assert 5 <= sum(r["response_label"] == "unsafe" for r in rows) <= 30
    assert sum(r["response_label_source"] == "refusal_data_augmentation" for r in rows) >= 50
    assert len({r["prompt"] for r in rows}) == len(rows)


def test_every_category_has_four_rows() -> None:
    seen = Counter(c for made in MADE for c in made.record["violated_categories"].split(", "))
    taxonomy = load_taxonomy("aegis2").categories
    slugs = {taxonomy[name]: seen[name] for name in seen if name}
    assert set(slugs) == set(taxonomy.values())
    assert min(slugs.values()) >= 4


def test_culture_is_in_nearly_half_of_the_rows_and_of_every_kind() -> None:
    kinds = [cultural_kinds(_rows()[made.record["id"]]) for made in MADE]
    assert 0.4 <= sum(map(bool, kinds)) / len(MADE) <= 0.55
    seen = Counter(kind for found in kinds for kind in found)
    told = {*load_pack("en-US").types, "money", "distance", "weight", "temperature", "phone"}
    assert set(seen) >= told
    assert min(seen[kind] for kind in told) >= 4


def test_made_rows_hold_phrase_book_sentences_alone() -> None:
    texts = [made.record[role] for made in MADE for role in ("prompt", "response")]
    assert [t for t in texts if t is not None and not _sentences().fullmatch(t)] == []
    for wrong in ("how can I bake bread?", "How can I bake cake?", "I hate women.  I hate women.", "I hate"):
        assert not _sentences().fullmatch(wrong)


def test_unsafe_rows_name_only_companies_that_the_phrase_book_lists() -> None:
    slots, lexicon = load("eng_Latn")["slots"], load_lexicon("en-US")
    listed = {item["en"] for kind in REAL_ORGANISATIONS for item in slots[kind]}
    for made in MADE:
        if made.record["violated_categories"]:
            for text in (made.record["prompt"], made.record["response"] or ""):
                named = {s.surface for s in find_spans(text, 0, lexicon) if s.kind in REAL_ORGANISATIONS}
                assert named <= listed | {name.removeprefix("The ") for name in listed}, text


def test_a_scene_lies_in_one_split() -> None:
    splits = {(made.name.partition("/")[0], made.split) for made in MADE}
    assert len(splits) == len({scene for scene, _ in splits})


def test_near_duplicates_share_a_group() -> None:
    ids = {made.name: made.record["id"] for made in MADE} | {s.name: s.id or "" for s in special_rows()}
    group = groups(_rows().values())
    for name in ("near_duplicate", "leak"):
        assert group[_rows()[ids[name]].id] == group[_rows()[ids[PAIRS[name]]].id]
