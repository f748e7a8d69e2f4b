"""Makes the demo dataset: safety-training rows in the shape of Aegis 2.0, and what should become of the odd ones.

`python -m scripts.make_demo_dataset` writes three files to data/demo, always the same ones, and prints counts:

* train.jsonl and test.jsonl: made rows, whose sentences are all filled templates of data/phrasebook/eng_Latn.yaml, so
  that the demo translator knows them, from the scenes of data/demo/scenes.yaml. A scene lies wholly in one split. Among
  the training rows stand special ones, from data/demo/special.yaml: English beyond the phrase book, and broken rows.
* expected.jsonl: how each special row (and the other row of a pair) ends: passed, rejected with a reason of
  schemas/reasons.py, or dead with the error of its dead letter. All other rows pass.

The lines are ordered by a hash of their names: a fixed shuffle, which a new scene does not upset. Every run checks the
expectations against the functions that the pipeline runs (`outcomes`), and fails if they differ.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from data import resource
from schemas.hashing import digest
from schemas.locales import LANGUAGES
from schemas.rows import DeadLetter, Row
from schemas.taxonomy import load_taxonomy
from scripts.phrasebook import MEASURES, Value, fill, load, phone_value, slots_of
from transforms.culture_pack import REAL_ORGANISATIONS, load_pack
from transforms.gate import admit
from transforms.group import (
    bands,
    components,
    edges,
    name_rows,
    settle_duplicates,
    settle_splits,
    signature,
    source_key,
    text_key,
    user_side,
)
from transforms.inference.language_id import LanguageId
from transforms.read import Source, read_units
from transforms.segregate import load_lexicon, segregate

OUT = Path(__file__).parent.parent / "data" / "demo"
SEED = 20
# Our name of a field -> its name in Aegis 2.0.
FIELDS = {
    "id": "id",
    "prompt": "prompt",
    "response": "response",
    "prompt_label": "prompt_label",
    "response_label": "response_label",
    "prompt_label_source": "prompt_label_source",
    "response_label_source": "response_label_source",
    "categories": "violated_categories",
}
# A reply of this kind has this label and this label source.
_REPLIES = {
    "helpful": ("safe", "llm_jury"),
    "refusal": ("safe", "refusal_data_augmentation"),
    "harmful": ("unsafe", "llm_jury"),
}
_ATTEMPTS = 200

Record = dict[str, Any]
Ending = tuple[str, str | None]


@dataclass(frozen=True)
class Made:
    """A row made from a scene; `name` is the scene's and a number from 1."""

    name: str
    split: str
    record: Record


@dataclass(frozen=True)
class Special:
    """A row that is out of domain or broken: its line, and how it should end.

    Attributes:
        id: what a reader can tell of its id, or None.
        copy_of: name of the made row that it repeats, or None.
        also: how that made row ends, where that is worth a line of its own.
    """

    name: str
    raw: bytes
    id: str | None
    ends: Ending
    why: str
    copy_of: str | None
    also: Ending


def _yaml(path: str) -> dict[str, Any]:
    loaded = yaml.load(resource(path).read_text("utf-8"), Loader=yaml.CSafeLoader)
    assert isinstance(loaded, dict)
    return loaded


def _record(name: str, fields: Mapping[str, Any]) -> Record:
    """A row in the shape of Aegis 2.0, with these fields in place of those of a safe prompt-only row."""
    record: Record = {
        "id": digest("transcreate demo", name),
        "reconstruction_id_if_redacted": None,
        "prompt": None,
        "response": None,
        "prompt_label": "safe",
        "response_label": None,
        "violated_categories": "",
        "prompt_label_source": "human",
        "response_label_source": None,
    }
    unknown = set(fields) - set(record)
    if unknown:
        raise ValueError(f"{name}: unknown fields {sorted(unknown)}")
    return record | dict(fields)


class SceneMaker:
    """Fills scenes: prefers values that were used least so far, and makes no prompt twice."""

    def __init__(self) -> None:
        book = load("eng_Latn")
        self.pack = load_pack("en-US")
        self.templates: dict[str, str] = book["templates"]
        self.categories = {item["en"]: item["category"] for item in book["slots"]["act_bad"]}
        self.shared: dict[str, list[str]] = {k: [i["en"] for i in items] for k, items in book["slots"].items()}
        self.cultural: dict[str, list[str]] = {k: [e.en for e in items] for k, items in self.pack.types.items()}
        self.uses: Counter[tuple[str, str]] = Counter()
        self.prompts: set[str] = set()

    def values(self, slot: str, scene: Mapping[str, Any], unsafe: bool) -> list[str]:
        """The values of a slot that a scene may use; for a telephone number, its shape.

        Raises:
            ValueError: the scene names a value that neither pack nor phrase book has, or none where it must.
        """
        if slot == "phone":
            return [self.pack.phone or ""] * 3
        if slot in MEASURES:
            if slot not in scene.get("only", {}):
                raise ValueError(f"a scene with {{{slot}}} must say which amounts make sense")
            return [self.value(slot, number).en for number in scene["only"][slot]]
        known = self.cultural.get(slot) or self.shared[slot]
        if slot in REAL_ORGANISATIONS and unsafe:
            known = self.shared[slot]
        named = scene.get("only", {}).get(slot)
        if named is None:
            return known
        every = {*known, *([] if slot in REAL_ORGANISATIONS else self.shared.get(slot, []))}
        if set(named) - every:
            raise ValueError(f"no {slot} is {sorted(set(named) - every)}")
        return list(named)

    def value(self, slot: str, raw: Any) -> Value:
        """A value as the scenes write it: a number of a measure, else English text."""
        text = self.pack.measures[slot].in_english(raw) if slot in MEASURES else str(raw)
        return Value(text, text)

    def choose(
        self, scene: Mapping[str, Any], fixed: Mapping[str, Any], unsafe: bool, taken: set[tuple[str, str]],
        rng: random.Random,
    ) -> dict[str, Value]:  # fmt: skip
        """Chooses a value for every slot of a scene: not one that the scene took before, if it has others."""
        chosen: dict[str, Value] = {}
        for key in (*scene["prompt"], *scene.get("response", ())):
            for name, slot in slots_of(self.templates[key]):
                if name in chosen:
                    continue
                if name in fixed:
                    chosen[name] = self.value(slot, fixed[name])
                elif slot == "phone":
                    chosen[name] = phone_value(rng, self.pack)
                else:
                    left = [v for v in self.values(slot, scene, unsafe) if Value(v, v) not in chosen.values()]
                    best = min(left, key=lambda v: ((slot, v) in taken, self.uses[slot, v], rng.random()))
                    chosen[name] = Value(best, best)
        return chosen

    def make(self, name: str, scene: Mapping[str, Any]) -> Iterator[Made]:
        """Makes the rows of one scene.

        Raises:
            ValueError: the scene is malformed, or runs out of new prompts.
        """
        unknown = set(scene) - {"prompt", "response", "categories", "prompt_label", "reply", "only", "rows", "split"}
        if unknown:
            raise ValueError(f"scene {name}: unknown keys {sorted(unknown)}")
        prompt, response = scene["prompt"], scene.get("response", [])
        slots = {s for key in prompt for _, s in slots_of(self.templates[key])}
        unsafe = bool(scene.get("categories")) or "act_bad" in slots
        rows = scene.get("rows", ())
        if not rows:
            rows = min(3, math.prod(len(self.values(slot, scene, unsafe)) for slot in slots))
        fixed: list[Mapping[str, Any]] = [{}] * rows if isinstance(rows, int) else rows
        rng = random.Random(digest(str(SEED), name))
        taken: set[tuple[str, str]] = set()
        for k, given in enumerate(fixed, 1):
            for _ in range(_ATTEMPTS):
                chosen = self.choose(scene, given, unsafe, taken, rng)
                text = " ".join(fill(self.templates[key], chosen, False) for key in prompt)
                if text not in self.prompts:
                    break
                taken.update((_slot(n), v.en) for n, v in chosen.items())
            else:
                raise ValueError(f"scene {name}: no new prompt for row {k}")
            self.prompts.add(text)
            pairs = {(_slot(n), v.en) for n, v in chosen.items()}
            taken |= pairs
            self.uses.update(pairs)
            own = {n.removeprefix("response."): v for n, v in given.items() if n.startswith("response.")}
            answers = chosen | {n: self.value(_slot(n), v) for n, v in own.items()}
            yield Made(
                f"{name}/{k}",
                scene.get("split", "train"),
                _record(f"{name}/{k}", self._labels(scene, chosen) | {
                    "prompt": text,
                    "response": " ".join(fill(self.templates[key], answers, False) for key in response) or None,
                }),
            )  # fmt: skip

    def _labels(self, scene: Mapping[str, Any], chosen: Mapping[str, Value]) -> Record:
        named = [*scene.get("categories", ())]
        if "act_bad" in chosen:
            named.append(self.categories[chosen["act_bad"].en])
        taxonomy = list(load_taxonomy("aegis2").categories)
        names = sorted(set(named), key=taxonomy.index)
        labels: Record = {
            "prompt_label": scene.get("prompt_label", "unsafe" if names else "safe"),
            "violated_categories": ", ".join(names),
        }
        if "response" in scene:
            label, by = _REPLIES[scene.get("reply", "helpful")]
            labels |= {"response_label": label, "response_label_source": by}
        return labels


def _slot(name: str) -> str:
    return name.rstrip("0123456789")


@functools.cache
def made_rows() -> tuple[Made, ...]:
    """The rows of all scenes, no two with the same prompt.

    Raises:
        ValueError: a scene is malformed.
    """
    maker = SceneMaker()
    return tuple(row for name, scene in _yaml("demo/scenes.yaml").items() for row in maker.make(name, scene))


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf-8")


def special_rows() -> Iterator[Special]:
    """The rows of data/demo/special.yaml.

    Raises:
        ValueError: a row has unknown fields, or replaces what is not there.
    """
    made = {row.name: row for row in made_rows()}
    for name, said in _yaml("demo/special.yaml").items():
        record: Record = {}
        if "raw" in said:
            raw, shown = said["raw"].encode(said.get("encoding", "utf-8")), said.get("id")
        else:
            if "copy_of" in said:
                record = {k: v for k, v in made[said["copy_of"]].record.items() if k != "id"}
                for old, new in said.get("replace", {}).items():
                    if old not in record["prompt"]:
                        raise ValueError(f"{name}: {old!r} is not in {record['prompt']!r}")
                    record["prompt"] = record["prompt"].replace(old, new)
                record["prompt"] += said.get("append", "")
            record = _record(name, record | said.get("row", {}))
            shown = record["id"]
            raw = _line({k: v for k, v in record.items() if k not in said.get("drop", ())})
        also = said.get("also", {"ends": "passed"})
        yield Special(
            name, raw, shown, (said["ends"], said.get("reason")), said["why"], said.get("copy_of"),
            (also["ends"], also.get("reason")),
        )  # fmt: skip


def source(path: Path, split: str) -> Source:
    """One file of the demo dataset as the demo's config describes it.

    The dataset's name matters: row ids hash it, and of two duplicates the row with the smaller id stays.
    """
    config = _yaml("demo/demo.yaml")
    return Source(
        str(path), split, config["dataset"], config["licence"], "train", tuple(FIELDS.items()), max_unit_bytes=1 << 20
    )


def groups(rows: Iterable[Row]) -> dict[str, str]:
    """Row id -> id of its group of nearly equal prompts, by the functions that the pipeline runs."""
    kept = list(rows)
    banded: dict[str, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
    for row in kept:
        values = signature(user_side(row))
        for band in bands(values):
            banded[band].append((row.id, values))
    roots = components(link for members in banded.values() for link in edges(members))
    return {row.id: roots.get(row.id, row.id) for row in kept}


def settle(folder: Path) -> tuple[list[Row], list[DeadLetter]]:
    """Reads, admits and groups the dataset of a folder; returns its rows with their verdicts, and its dead letters."""
    taxonomy, english, identify = load_taxonomy("aegis2"), LANGUAGES["eng_Latn"], LanguageId().probability
    rows: list[Row] = []
    dead: list[DeadLetter] = []
    for split in ("train", "test"):
        for unit in read_units(source(folder / f"{split}.jsonl", split)):
            got = unit if isinstance(unit, DeadLetter) else admit(unit, taxonomy, english, identify)
            if isinstance(got, DeadLetter):
                dead.append(got)
            else:
                rows.append(got)
    named = [row for same in _by(rows, source_key) for row in name_rows(same)]
    done = [row for row in named if row.verdict]
    single = [row for same in _by((r for r in named if not r.verdict), text_key) for row in settle_duplicates(same)]
    done += [row for row in single if row.verdict]
    group = groups(row for row in single if not row.verdict)
    together = _by((r for r in single if not r.verdict), lambda r: group[r.id])
    done += [row for members in together for row in settle_splits(members)]
    return done, dead


def _by(rows: Iterable[Row], key: Callable[[Row], str]) -> Iterable[list[Row]]:
    grouped: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[key(row)].append(row)
    return grouped.values()


def outcomes(folder: Path) -> dict[tuple[str, int], Ending]:
    """(file, line) -> how the plain functions of the pipeline say that it ends.

    A row with several reasons shows them all, joined by commas.
    """
    rows, dead = settle(folder)
    found: dict[tuple[str, int], Ending] = {}
    for row in rows:
        reasons = ",".join(r.partition(":")[0] for r in row.verdict.reasons) if row.verdict else None
        found[row.sample.origin.file, row.sample.origin.line] = ("rejected" if reasons else "passed", reasons)
    for letter in dead:
        file, _, line = letter.location.rpartition(":")
        found[file, int(line)] = ("dead", letter.error)
    return found


def write(folder: Path) -> None:
    """Writes the three files.

    Raises:
        ValueError: a row does not end as it should.
    """
    specials = list(special_rows())
    lines: dict[str, dict[str, bytes]] = {"train": {s.name: s.raw for s in specials}, "test": {}}
    for made in made_rows():
        lines[made.split][made.name] = _line(made.record)
    at: dict[str, tuple[str, int]] = {}
    for split, named in lines.items():
        order = sorted(named, key=lambda n: digest("order", n))
        (folder / f"{split}.jsonl").write_bytes(b"".join(named[n] + b"\n" for n in order))
        at |= {n: (f"{split}.jsonl", k) for k, n in enumerate(order, 1)}
    found = outcomes(folder)
    ids = {made.name: made.record["id"] for made in made_rows()} | {s.name: s.id for s in specials}
    expected: dict[str, tuple[Ending, str]] = {}
    for s in specials:
        if s.copy_of is None:
            expected[s.name] = (s.ends, s.why)
            continue
        # Which of two duplicates stays hangs on their hashes.
        stays = s.ends[1] == "duplicate_of" and found.get(at[s.name]) == s.also
        ends = (s.also, s.ends) if stays else (s.ends, s.also)
        for this, other, end in ((s.name, s.copy_of, ends[0]), (s.copy_of, s.name, ends[1])):
            expected[this] = (end, f"{s.why} (the other is {':'.join(map(str, at[other]))})")
    wrong = [
        f"{name} ({place[0]}:{place[1]}) ends as {found.get(place)}"
        for name, place in at.items()
        if found.get(place) != expected.get(name, (("passed", None), ""))[0]
    ]
    if wrong or len(found) != len(at):
        raise ValueError("not as expected: " + "; ".join(wrong))
    (folder / "expected.jsonl").write_bytes(
        b"".join(
            _line({"file": at[n][0], "line": at[n][1], "id": ids[n], "ends": e[0], "reason": e[1], "why": why}) + b"\n"
            for n, (e, why) in sorted(expected.items(), key=lambda item: at[item[0]])
        )
    )


def cultural_kinds(row: Row) -> set[str]:
    """The kinds of source-culture values that a row holds, by the pipeline's own lexicon."""
    marked = segregate(row, load_lexicon("en-US"))
    assert marked.culture is not None
    return {span.kind for span in marked.culture.spans if "en-US" in span.cultures}


def counts(folder: Path) -> dict[str, Any]:
    """What is in the dataset: of the made rows, labels, culture and categories; of all rows, how they end."""
    made = made_rows()
    ids = {row.record["id"] for row in made}
    rows = [row for row in settle(folder)[0] if row.sample.source_id in ids]
    cultural = [kinds for row in rows if (kinds := cultural_kinds(row))]
    kinds_of = Counter(kind for kinds in cultural for kind in kinds)
    records = [row.record for row in made]
    categories = Counter(c for r in records for c in r["violated_categories"].split(", ") if c)
    return {
        "rows": sum(len((folder / f"{s}.jsonl").read_bytes().splitlines()) for s in ("train", "test")),
        "in domain": len(made),
        "of them in test": sum(row.split == "test" for row in made),
        "culture-specific": f"{len(cultural)} ({len(cultural) / len(made):.0%})",
        "prompt-only": sum(r["response"] is None for r in records),
        "prompt labels": dict(Counter(r["prompt_label"] for r in records)),
        "response labels": dict(Counter(str(r["response_label"]) for r in records)),
        "refusals": sum(r["response_label_source"] == "refusal_data_augmentation" for r in records),
        "categories": dict(categories.most_common()),
        "rows with a cultural": dict(kinds_of.most_common()),
        "endings": dict(Counter(":".join(filter(None, e)) for e in outcomes(folder).values()).most_common()),
    }


def main() -> int:
    """Writes the dataset and prints its counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    write(folder)
    for name, count in counts(folder).items():
        print(f"{name}: {count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
