"""Reads units from JSONL, JSON, CSV and Parquet, one bad unit at a time: nothing in a file can stop the rest of it."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

from schemas.rows import DeadLetter, Origin

FORMATS = (".jsonl", ".ndjson", ".json", ".csv", ".parquet")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Source:
    """One input file and what the config says of it.

    Attributes:
        path: local path.
        split: train | validation | test.
        fields: our name -> the input's name (None: the input has no such field).
    """

    path: str
    split: str
    dataset: str
    licence: str
    usage: str
    fields: tuple[tuple[str, str | None], ...]
    max_unit_bytes: int

    @property
    def name(self) -> str:
        """The file's name, without folders."""
        return Path(self.path).name


@dataclass(frozen=True)
class Unit:
    """One parsed unit of input."""

    origin: Origin
    source: Source
    record: dict[str, Any]


def file_format(path: str) -> str:
    """The suffix that tells the format, compression aside.

    Raises:
        ValueError: the format is not one we read.
    """
    suffixes = [s.lower() for s in Path(path).suffixes]
    if suffixes and suffixes[-1] in (".gz", ".zst", ".bz2"):
        suffixes.pop()
    if not suffixes or suffixes[-1] not in FORMATS:
        raise ValueError(f"{path}: unknown format; the name must end in one of {', '.join(FORMATS)} (.gz, .zst, .bz2)")
    return suffixes[-1]


def open_bytes(path: str) -> IO[bytes]:
    """Opens a file for reading, decompressed by its suffix."""
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        return cast(IO[bytes], gzip.open(path, "rb"))
    if suffix == ".bz2":
        return bz2.open(path, "rb")
    if suffix == ".zst":
        # Arrow's reader says when the last frame is cut short; zstandard's takes that for the end of the file.
        import pyarrow as pa

        return cast(IO[bytes], pa.input_stream(path, compression="zstd"))
    return open(path, "rb")


def iter_lines(stream: IO[bytes], cap: int) -> Iterator[tuple[int, bytes | None]]:
    r"""Yields (line number from 1, line without its end), with None for a line of more than `cap` bytes.

    Splits on "\n" alone, in constant memory: a line over the cap is skipped, not collected. White space alone is never
    over the cap; it comes cut to it.
    """
    number, held, over, blank = 0, bytearray(), False, True
    while chunk := stream.read(_CHUNK):
        *ended, last = chunk.split(b"\n")
        for i, part in enumerate((*ended, last)):
            blank = blank and not part.strip()
            over = over or len(held) + len(part) > cap
            if not over:
                held += part
            if i < len(ended):
                number += 1
                yield number, None if over and not blank else bytes(held)
                held.clear()
                over, blank = False, True
    if held or over:
        yield number + 1, None if over and not blank else bytes(held)


def _dead(source: Source, line: int | None, error: str, message: str) -> DeadLetter:
    where = source.name if line is None else f"{source.name}:{line}"
    return DeadLetter("read", where, error, message)


def _lines(source: Source) -> Iterator[Unit | DeadLetter]:
    with open_bytes(source.path) as stream:
        for number, raw in iter_lines(stream, source.max_unit_bytes):
            if raw is None:
                yield _dead(source, number, "LineTooLong", f"longer than max_unit_bytes ({source.max_unit_bytes})")
                continue
            if not raw.strip():
                continue
            try:
                record = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                yield _dead(source, number, "NotUtf8", f"byte {error.start} of the line is not UTF-8")
                continue
            except (ValueError, RecursionError) as error:
                column = getattr(error, "colno", None)
                yield _dead(source, number, "MalformedJson", f"not JSON at column {column}" if column else "not JSON")
                continue
            yield _unit(source, number, record)


def _unit(source: Source, number: int, record: Any) -> Unit | DeadLetter:
    if not isinstance(record, dict):
        return _dead(source, number, "NotAnObject", f"expected an object, found {type(record).__name__}")
    return Unit(Origin(source.name, number), source, record)


def _array(source: Source) -> Iterator[Unit | DeadLetter]:
    with open_bytes(source.path) as stream:
        records = json.loads(stream.read().decode("utf-8-sig"))
    if not isinstance(records, list):
        yield _dead(source, None, "NotAnArray", "expected an array of objects (one object a line is .jsonl)")
        return
    for number, record in enumerate(records, 1):
        yield _unit(source, number, record)


def _table(source: Source) -> Iterator[Unit | DeadLetter]:
    csv.field_size_limit(source.max_unit_bytes)
    with open_bytes(source.path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text)
        header = next((cells for cells in reader if cells), [])
        number = 0
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                message = f"a cell is longer than max_unit_bytes ({source.max_unit_bytes}); is a quote left open?"
                number += 1
                yield _dead(source, number, "MalformedCsv", message)
                continue
            if not cells:
                continue
            number += 1
            if len(cells) == len(header):
                yield _unit(source, number, dict(zip(header, cells, strict=True)))
            else:
                message = f"{len(cells)} cells under a header of {len(header)}"
                yield _dead(source, number, "WrongCellCount", message)


def _records(batch: Any) -> Iterator[dict[str, Any] | Exception]:
    """The rows of a batch; where one holds bytes that are not UTF-8 or a date that Python lacks, the error instead."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError):
        for i in range(len(batch)):
            try:
                (record,) = batch.slice(i, 1).to_pylist()
                yield record
            except (ValueError, OverflowError) as error:
                yield error


def _parquet(source: Source) -> Iterator[Unit | DeadLetter]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    with pq.ParquetFile(source.path) as file:
        try:
            for batch in file.iter_batches(batch_size=1024):
                for record in _records(batch):
                    number += 1
                    if isinstance(record, Exception):
                        message = "the row holds a value that cannot be read"
                        yield _dead(source, number, type(record).__name__, message)
                    else:
                        yield _unit(source, number, record)
        except (OSError, pa.ArrowException) as error:
            message = "the file cannot be read to its end; this stands for all rows that are left of it"
            letter = _dead(source, None, type(error).__name__, message)
            yield replace(letter, units=file.metadata.num_rows - number)


_READERS = {".jsonl": _lines, ".ndjson": _lines, ".json": _array, ".csv": _table, ".parquet": _parquet}


def read_units(source: Source) -> Iterator[Unit | DeadLetter]:
    """Yields every unit of a file; what cannot be read becomes a dead letter with its line, a broken stream one more.

    The units of all dead letters and the others together are what `count_units` counts.
    """
    try:
        yield from _READERS[file_format(source.path)](source)
    except Exception as error:  # a broken stream of any kind: gzip, zstd, Parquet, encoding
        yield _dead(source, None, type(error).__name__, "the file cannot be read to its end")


def count_units(source: Source) -> int:
    """Counts a file's units without parsing them: non-blank lines, Parquet footers. A broken stream counts one more.

    JSON arrays and CSV have no unit that could be told without parsing: they are counted by reading.
    """
    kind = file_format(source.path)
    if kind == ".parquet":
        import pyarrow.parquet as pq

        try:
            return int(pq.read_metadata(source.path).num_rows)
        except Exception:
            return 1
    if kind in (".json", ".csv"):
        return sum(1 for _ in read_units(source))
    # `blank` says whether the line at hand has held only white space so far: no line is ever collected.
    count, blank = 0, True
    try:
        with open_bytes(source.path) as stream:
            while chunk := stream.read(_CHUNK):
                first, *rest = chunk.split(b"\n")
                blank = blank and not first.strip()
                for line in rest:
                    count += not blank
                    blank = not line.strip()
    except Exception:
        return count + 1
    return count + (not blank)
