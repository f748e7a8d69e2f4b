"""Reads units from JSONL, JSON, CSV and Parquet files, one bad unit at a time: nothing in a file can stop the rest of it."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

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
    if path.endswith(".gz"):
        return gzip.open(path, "rb")
    if path.endswith(".bz2"):
        return bz2.open(path, "rb")
    if path.endswith(".zst"):
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(open(path, "rb")))  # type: ignore[arg-type]
    return open(path, "rb")


def iter_lines(stream: IO[bytes], cap: int) -> Iterator[tuple[int, bytes | None]]:
    r"""Yields (line number from 1, line without its end), with None for a line of more than `cap` bytes.

    Splits on "\n" alone, in constant memory: a line over the cap is skipped, not collected.
    """
    number, held, over = 0, bytearray(), False
    while chunk := stream.read(_CHUNK):
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            if not over and len(held) + end - start <= cap:
                held += chunk[start:end]
            else:
                over = True
            number += 1
            yield number, None if over else bytes(held)
            held.clear()
            over, start = False, end + 1
        if not over and len(held) + len(chunk) - start <= cap:
            held += chunk[start:]
        else:
            over = True
    if held or over:
        yield number + 1, None if over else bytes(held)


def _dead(source: Source, line: int | None, error: str, message: str) -> DeadLetter:
    where = source.name if line is None else f"{source.name}:{line}"
    return DeadLetter("read", where, error, message)


def _lines(source: Source) -> Iterator[Unit | DeadLetter]:
    with open_bytes(source.path) as stream:
        for number, raw in iter_lines(stream, source.max_unit_bytes):
            if raw is None:
                yield _dead(source, number, "LineTooLong", f"longer than input.max_unit_bytes ({source.max_unit_bytes})")
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
        raise ValueError("expected an array of objects (one object a line is .jsonl)")
    for number, record in enumerate(records, 1):
        yield _unit(source, number, record)


def _table(source: Source) -> Iterator[Unit | DeadLetter]:
    with open_bytes(source.path) as stream:
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
        for number, record in enumerate(csv.DictReader(text), 1):
            yield _unit(source, number, {k: v for k, v in record.items() if k is not None})


def _parquet(source: Source) -> Iterator[Unit | DeadLetter]:
    import pyarrow.parquet as pq

    number = 0
    for batch in pq.ParquetFile(source.path).iter_batches(batch_size=1024):
        for record in batch.to_pylist():
            number += 1
            yield _unit(source, number, record)


_READERS = {".jsonl": _lines, ".ndjson": _lines, ".json": _array, ".csv": _table, ".parquet": _parquet}


def read_units(source: Source) -> Iterator[Unit | DeadLetter]:
    """Yields every unit of a file; what cannot be read becomes a dead letter with its line. A broken stream is one more."""
    try:
        yield from _READERS[file_format(source.path)](source)
    except Exception as error:  # a broken stream of any kind: gzip, zstd, Parquet, encoding
        yield _dead(source, None, type(error).__name__, "the file cannot be read to its end")


def count_units(source: Source) -> int:
    """Counts a file's units without parsing them: non-blank lines, Parquet footers. A broken stream counts one more."""
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
