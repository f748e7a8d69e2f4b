"""The PTransforms. Each only wires the pure functions of its stage."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.ml.inference.base import RunInference
from apache_beam.pvalue import AsSingleton, TaggedOutput

from schemas.hashing import digest
from schemas.rows import DeadLetter, Row
from transforms import group
from transforms.heartbeat import beat
from transforms.inference.answering import Answerer, AnsweringHandler
from transforms.inference.batches import Batch, Request, cut_batches
from transforms.inference.memory import Memory
from transforms.read import Source, read_units
from transforms.write import write_dead_letters, write_shard

DEAD = "dead"


class Attempt(beam.DoFn):
    """Applies a function to each element; an element that crashes it becomes a dead letter, and only that element.

    Args:
        stage: as the dead letter names it.
        make: makes the function, once per worker: element -> results. What it loads lives in the worker.
        units: units of the ledger that an element stands for.
    """

    def __init__(self, stage: str, make: Callable[[], Callable[[Any], Iterable[Any]]], units: int = 1) -> None:
        self._stage, self._make, self._units = stage, make, units

    def setup(self) -> None:
        self._function = self._make()

    def process(self, element: Any) -> Iterator[Any]:
        try:
            results = list(self._function(element))
        except Exception as error:
            message = "the stage crashed on this row; the other rows are not affected"
            yield TaggedOutput(
                DEAD, DeadLetter(self._stage, _where(element), type(error).__name__, message, self._units)
            )
            return
        for result in results:
            yield TaggedOutput(DEAD, result) if isinstance(result, DeadLetter) else result


def _where(element: Any) -> str:
    row = element[0] if isinstance(element, tuple) else element
    if isinstance(row, Row):
        return f"row {row.id} {row.locale}".strip()
    origin = getattr(row, "origin", None)
    return f"{origin.file}:{origin.line}" if origin else getattr(row, "name", "unknown")


def attempt(
    rows: Any, label: str, stage: str, make: Callable[[], Callable[[Any], Iterable[Any]]], units: int = 1
) -> Any:
    """Applies `Attempt`; returns (results, dead letters)."""
    done = rows | label >> beam.ParDo(Attempt(stage, make, units)).with_outputs(DEAD, main="out")
    return done.out, done[DEAD]


class Read(beam.PTransform):
    """Reads files unit by unit, in constant memory. Output: (units, dead letters)."""

    def expand(self, sources: Any) -> Any:
        def part(source: Source) -> Iterator[Any]:
            for found in read_units(source):
                yield TaggedOutput(DEAD, found) if isinstance(found, DeadLetter) else found

        done = sources | "Read units" >> beam.FlatMap(part).with_outputs(DEAD, main="out")
        return done.out, done[DEAD]


class _SplitByVerdict(beam.DoFn):
    def process(self, row: Row) -> Iterator[Any]:
        yield row if row.verdict is None else TaggedOutput("rejected", row)


def split_by_verdict(rows: Any, label: str) -> Any:
    """Parts rows into those without a verdict and those that were rejected."""
    done = rows | label >> beam.ParDo(_SplitByVerdict()).with_outputs("rejected", main="out")
    return done.out, done.rejected


class Group(beam.PTransform):
    """Settles duplicates, gives near duplicates one group, and keeps groups within a split.

    Input: named rows. Output: (rows with `group_id`, rejected rows).
    """

    def expand(self, rows: Any) -> Any:
        by_text = rows | "Key by text" >> beam.Map(lambda r: (group.text_key(r), r)) | "Same text" >> beam.GroupByKey()
        settled = by_text | "Settle duplicates" >> beam.FlatMapTuple(lambda _, same: group.settle_duplicates(same))
        single, duplicates = split_by_verdict(settled, "Part duplicates")
        roots = (
            single
            | "Sign prompts" >> beam.Map(lambda r: (r.id, group.signature(group.user_side(r))))
            | "Key by band" >> beam.FlatMap(lambda s: [(band, s) for band in group.bands(s[1])])
            | "Same band" >> beam.GroupByKey()
            | "Link" >> beam.FlatMapTuple(lambda _, members: group.edges(members))
            | "To one place" >> beam.Map(lambda edge: (0, edge))
            | "All links" >> beam.GroupByKey()
            | "Find components" >> beam.FlatMapTuple(lambda _, links: group.components(links).items())
        )
        grouped = (
            {"rows": single | "Key by id" >> beam.Map(lambda r: (r.id, r)), "roots": roots}
            | "Join components" >> beam.CoGroupByKey()
            | "Name groups" >> beam.FlatMapTuple(_name_group)
        )
        leaks = (
            grouped
            | "Key by group" >> beam.Map(lambda r: (r.group_id, r))
            | "Same group" >> beam.GroupByKey()
            | "Settle splits" >> beam.FlatMapTuple(lambda _, same: group.settle_splits(same))
        )
        passed, leaked = split_by_verdict(leaks, "Part leaks")
        return passed, (duplicates, leaked) | "All rejected by Group" >> beam.Flatten()


def _name_group(row_id: str, found: dict[str, Any]) -> Iterator[Row]:
    import dataclasses

    root = next(iter(found["roots"]), row_id)
    for row in found["rows"]:
        yield dataclasses.replace(row, group_id=digest("group", root))


class NameRows(beam.PTransform):
    """Gives rows their ids, whatever their order."""

    def expand(self, rows: Any) -> Any:
        return (
            rows
            | "Key by source" >> beam.Map(lambda r: (group.source_key(r), r))
            | "Same source" >> beam.GroupByKey()
            | "Number occurrences" >> beam.FlatMapTuple(lambda _, same: group.name_rows(same))
        )


class Limit(beam.PTransform):
    """Keeps the n rows with the smallest ids, so that the order of the input has no say. Output: (kept, left out)."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self._n = n

    def expand(self, rows: Any) -> Any:
        smallest = rows | "Ids" >> beam.Map(lambda r: r.id) | "Smallest" >> beam.combiners.Top.Smallest(self._n)

        def part(row: Row, ids: list[str]) -> Iterator[Any]:
            yield row if row.id in set(ids) else TaggedOutput("left", row)

        done = rows | "Part" >> beam.FlatMap(part, AsSingleton(smallest)).with_outputs("left", main="out")
        return done.out, done.left


class _CutAndRecall(beam.DoFn):
    """Cuts a bucket's requests into batches, then asks the memory once for all of them.

    In this order: what is remembered already must not change the company of what is not, so that an undisturbed run
    and one that was killed batch alike.
    """

    def __init__(self, memory: Memory, most: int, beats: tuple[str | None, str]) -> None:
        self._memory, self._most, self._beats = memory, most, beats

    def process(self, element: tuple[str, Iterable[Request]]) -> Iterator[Any]:
        bucket, requests = element
        batches = list(cut_batches(bucket, requests, self._most))
        keys = [r.key for batch in batches for r in batch.requests]
        known = self._memory.recall(bucket, keys)
        folder, name = self._beats
        beat(folder, f"{name} asked", len(keys))
        beat(folder, f"{name} remembered", len(known))
        yield from known.items()
        for batch in batches:
            unknown = tuple(r for r in batch.requests if r.key not in known)
            if unknown:
                yield TaggedOutput("unknown", Batch(bucket, unknown))


def _ask_safely(requests: Callable[[Row], list[Request]], row: Row) -> list[Request]:
    """What a row asks; nothing if it crashes, so that the stage that wants the answers makes the dead letter."""
    try:
        return requests(row)
    except Exception:
        return []


class Ask(beam.PTransform):
    """Asks a model what rows need to know: each distinct request once, remembered answers not at all.

    Input: rows. Output: (row, {request key: answer}) for every row.

    Args:
        requests: row -> its requests; a pure function.
        load: loads the model that answers, once per worker.
        most: padded size of a batch.
        beats: folder for heartbeats (None: none) and the name of the step.
        keep: which answers to remember (a failure is tried again next time).
        threads: batches that a worker answers side by side.
    """

    def __init__(
        self, requests: Callable[[Row], list[Request]], load: Callable[[], Answerer], memory: Memory, most: int,
        beats: tuple[str | None, str], keep: Callable[[bytes], bool] = bool, threads: int = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        self._requests, self._memory, self._most, self._beats = requests, memory, most, beats
        self._handler = AnsweringHandler(load, memory, keep, threads, beats)

    def expand(self, rows: Any) -> Any:
        requests = functools.partial(_ask_safely, self._requests)
        asked = rows | "List requests" >> beam.FlatMap(lambda row: [(r.key, (row.id, r)) for r in requests(row)])
        same = asked | "Same request" >> beam.GroupByKey()
        recalled = (
            same
            | "Take one" >> beam.MapTuple(lambda _, refs: (lambda r: (r.bucket, r))(next(iter(refs))[1]))
            | "Same bucket" >> beam.GroupByKey()
            | "Recall"
            >> beam.ParDo(_CutAndRecall(self._memory, self._most, self._beats)).with_outputs("unknown", main="known")
        )
        computed = (
            recalled.unknown
            | "Spread batches" >> beam.Reshuffle()
            | "Answer" >> RunInference(self._handler)
            | "Take apart" >> beam.FlatMap(lambda prediction: prediction.inference.items())
        )
        answers = (recalled.known, computed) | "All answers" >> beam.Flatten()
        references = asked | "Drop requests" >> beam.MapTuple(lambda key, ref: (key, ref[0]))
        to_rows = (
            {"rows": references, "answers": answers}
            | "Join answers" >> beam.CoGroupByKey()
            | "Address"
            >> beam.FlatMapTuple(
                lambda key, found: [(row_id, (key, a)) for a in set(found["answers"]) for row_id in set(found["rows"])]
            )
        )
        return (
            {"row": rows | "Key rows" >> beam.Map(lambda r: (r.id, r)), "answers": to_rows}
            | "Join rows" >> beam.CoGroupByKey()
            | "Pair" >> beam.FlatMapTuple(lambda _, found: [(row, dict(found["answers"])) for row in found["row"]])
        )


class WriteShards(beam.PTransform):
    """Writes (file, columns) pairs, each file sorted by the columns `by`, and whole."""

    def __init__(self, out: str, schema: pa.Schema, by: tuple[str, ...]) -> None:
        super().__init__()
        self._arguments = out, schema, by

    def expand(self, named: Any) -> Any:
        out, schema, by = self._arguments
        return (
            named
            | "Same file" >> beam.GroupByKey()
            | "Write shard" >> beam.MapTuple(lambda name, rows: (name, write_shard(out, name, rows, schema, by)))
        )


class WriteDeadLetters(beam.PTransform):
    """Writes all dead letters of a job into one file; none, no file."""

    def __init__(self, out: str, name: str) -> None:
        super().__init__()
        self._out, self._name = out, name

    def expand(self, letters: Any) -> Any:
        out, name = self._out, self._name
        return (
            letters
            | "To one file" >> beam.Map(lambda letter: (name, letter))
            | "All letters" >> beam.GroupByKey()
            | "Write letters" >> beam.MapTuple(lambda file, all_of_it: write_dead_letters(out, file, all_of_it))
        )
