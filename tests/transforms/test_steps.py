"""The wiring, run on the local runner."""

import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.testing.test_pipeline import TestPipeline
from apache_beam.testing.util import assert_that, equal_to

from schemas.rows import Row
from tests.builders import make_row
from transforms import steps
from transforms.inference.batches import Request, request
from transforms.inference.memory import Memory


def pipeline() -> TestPipeline:
    return TestPipeline(runner="FnApiRunner")


def rows(count: int) -> list[Row]:
    return [replace(make_row(f"Prompt {i % 3}?", id=f"r{i}"), locale="de-DE") for i in range(count)]


def make_fragile() -> Callable[[Row], Iterable[Row]]:
    def fragile(row: Row) -> list[Row]:
        if row.id == "r1":
            raise RuntimeError(f"cannot take {row.texts[0].source}")
        return [row]

    return fragile


def test_a_row_that_crashes_a_stage_is_one_dead_letter_without_its_payload() -> None:
    with pipeline() as p:
        good, dead = steps.attempt(p | beam.Create(rows(3)), "Try", "adapt", make_fragile, units=8)
        assert_that(good | beam.Map(lambda r: r.id), equal_to(["r0", "r2"]))

        def check(letters: list[Any]) -> None:
            (letter,) = letters
            assert (letter.stage, letter.location, letter.error, letter.units) == (
                "adapt",
                "row r1 de-DE",
                "RuntimeError",
                8,
            )
            assert "Prompt" not in letter.as_json()

        assert_that(dead, check, label="dead")


class CountingModel:
    """Answers with the length of the text, and writes down each time it is asked."""

    def __init__(self, log: str) -> None:
        self.log = log

    def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
        with open(self.log, "a", encoding="utf-8") as file:
            file.writelines(f"{r.content[0]}\n" for r in requests)
        return {r.key: json.dumps(len(r.content[0])).encode() for r in requests}


def requests_of(row: Row) -> list[Request]:
    return [request("test", "deu_Latn", 5, row.texts[0].source or "")]


@pytest.mark.parametrize("known", [0, 1])
def test_each_distinct_request_is_asked_once_and_remembered_ones_never(tmp_path: Path, known: int) -> None:
    log, memory = tmp_path / "log", Memory(str(tmp_path / "memory"), "f" * 32)
    for made in [requests_of(r)[0] for r in rows(known)]:
        memory.remember(made.bucket, {made.key: b"9"})
    with pipeline() as p:
        asked = p | beam.Create(rows(9)) | steps.Ask(
            requests_of, functools.partial(CountingModel, str(log)), memory, 100, (None, "test")
        )  # fmt: skip
        answers = asked | beam.Map(lambda pair: (pair[0].id, sorted(pair[1].values())))
        first = [b"9"]
        assert_that(answers, equal_to([(f"r{i}", first) for i in range(9)]))
    assert sorted(log.read_text().splitlines()) == [f"Prompt {i}?" for i in range(known, 3)]


def test_a_row_that_asks_nothing_still_comes_out(tmp_path: Path) -> None:
    with pipeline() as p:
        asked = p | beam.Create(rows(2)) | steps.Ask(
            lambda row: [], functools.partial(CountingModel, "none"), Memory(None, "f"), 100, (None, "test")
        )  # fmt: skip
        assert_that(asked | beam.Map(lambda pair: (pair[0].id, pair[1])), equal_to([("r0", {}), ("r1", {})]))
