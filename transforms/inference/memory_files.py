"""Files of remembered answers, on a disk or in a bucket: named by their content, verified when they are read.

A file is Parquet, sorted by key, with the columns key, check (digest of key and answer) and answer. Its name is the digest
of all keys and checks. So the two small columns verify against the name, and an answer against its check: what a reader uses
is verified without the answers that it does not want, whichever byte of the file was damaged.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
import os
import uuid
from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from schemas.hashing import digest

_LOG = logging.getLogger("transcreate.memory")
ABOUT = "about.json"
SUFFIX = ".parquet"
CORRUPT = ".corrupt"
STAGED = ".tmp"
THREADS = 8  # readers side by side, for the latency of a bucket
_COLUMNS = {"key": pa.string(), "check": pa.binary(16), "answer": pa.binary()}
_SCHEMA = pa.schema([pa.field(name, kind, nullable=False) for name, kind in _COLUMNS.items()])
_ROWS = 10_000  # a row group: what is decoded for one wanted answer
_PATIENCE = 30  # seconds until Google's storage counts as unreachable
_AT_ONCE = 1 << 20  # bytes: a smaller file is fetched in one request


class DamagedError(Exception):
    """A file cannot be parsed, or its content is not what its name says."""


@functools.cache  # Per process: what goes to a worker carries the address and opens it there.
def open_root(root: str) -> tuple[pafs.FileSystem, str]:
    """The file system of a memory and the path in it.

    Args:
        root: a local folder, or a URI such as `s3://bucket/prefix` or `gs://bucket/prefix`.

    Raises:
        ValueError: a URI of another kind.
    """
    if "://" not in root:
        return pafs.LocalFileSystem(), root.rstrip("/") or "/"
    if root.startswith("gs://") and "retry_limit_seconds" not in root:  # Arrow's own limit is 15 minutes
        root += f"{'&' if '?' in root else '?'}retry_limit_seconds={_PATIENCE}"
    try:
        system, path = pafs.FileSystem.from_uri(root)
    except pa.ArrowInvalid as error:
        kind = root.split("://")[0]
        raise ValueError(
            f"{kind}:// cannot be opened; a memory is a local folder, s3://bucket/prefix or gs://bucket/prefix"
        ) from error
    return system, path.rstrip("/")


def probe(root: str) -> None:
    """Writes, reads and deletes a small file: whatever is wrong with a memory shows at once.

    Raises:
        OSError, ValueError: answers cannot be remembered here.
    """
    system, path = open_root(root)
    file = f"{path}/.probe"
    write_whole(system, file, b"can be written")
    with contextlib.suppress(FileNotFoundError):  # another run's probe was faster
        with system.open_input_file(file) as written:
            if written.read() != b"can be written":
                raise OSError("what was written there is not what is read")
        system.delete_file(file)


def list_folder(system: pafs.FileSystem, folder: str) -> list[pafs.FileInfo]:
    """What lies in a folder, by name; nothing if there is no such folder."""
    return sorted(system.get_file_info(pafs.FileSelector(folder, allow_not_found=True)), key=lambda info: info.path)


def list_files(system: pafs.FileSystem, folder: str) -> list[pafs.FileInfo]:
    """The files of answers in a folder, by name."""
    found = list_folder(system, folder)
    return [info for info in found if info.type == pafs.FileType.File and info.path.endswith(SUFFIX)]


def read_answers(system: pafs.FileSystem, path: str, wanted: Container[str] | None = None) -> dict[str, bytes]:
    """The verified answers of a file to the wanted keys, to all for None. Other answers are not decoded.

    Raises:
        FileNotFoundError: another process merged the file or set it aside.
        DamagedError: it must not be used.
        OSError: the bucket cannot be reached.
    """
    name = path.rsplit("/", 1)[-1].removesuffix(SUFFIX)
    try:
        with system.open_input_file(path) as file:
            return _parse(pa.BufferReader(file.read()) if file.size() <= _AT_ONCE else file, name, wanted)
    except FileNotFoundError:
        raise
    except Exception as error:
        if system.type_name == "local":
            raise DamagedError(type(error).__name__) from error
    # Over a network the connection may be what failed: only bytes that have arrived are called damaged.
    with system.open_input_file(path) as file:
        content = pa.BufferReader(file.read())
    try:
        return _parse(content, name, wanted)
    except Exception as error:
        raise DamagedError(type(error).__name__) from error


def _parse(source: Any, name: str, wanted: Container[str] | None) -> dict[str, bytes]:
    file = pq.ParquetFile(source, pre_buffer=True)
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    index = file.read(columns=["key", "check"], use_threads=False)
    keys, checks = index["key"].to_pylist(), index["check"].to_pylist()
    if file.schema_arrow != _SCHEMA or sum(sizes) != len(keys) or name != _name(keys, checks):
        raise ValueError("the content is not what the name says")
    answers: dict[str, bytes] = {}
    start = 0
    for group, size in enumerate(sizes):
        rows = [i for i in range(start, start + size) if wanted is None or keys[i] in wanted]
        if rows:
            column = file.read_row_group(group, columns=["answer"], use_threads=False)["answer"]
            for i, answer in zip(rows, column.take([i - start for i in rows]).to_pylist(), strict=True):
                if _check(keys[i], answer) != checks[i]:
                    raise ValueError("an answer is not what its check says")
                answers[keys[i]] = answer
        start += size
    return answers


def merge(known: dict[str, bytes], answers: Mapping[str, bytes]) -> None:
    """Adds answers to the known ones; of two to one key the smaller stays, whichever came first."""
    for key, answer in answers.items():
        known[key] = min(answer, known.get(key, answer))


def set_aside(system: pafs.FileSystem, path: str, error: DamagedError) -> None:
    """Renames a damaged file, so that nobody reads it again, and says so."""
    aside = path.removesuffix(SUFFIX) + CORRUPT
    _LOG.warning("memory file %s is damaged (%s): set aside as %s", path, error, aside.rsplit("/", 1)[-1])
    with contextlib.suppress(OSError):  # another process was faster, or we may not write here
        system.move(path, aside)


def write_answers(system: pafs.FileSystem, folder: str, answers: Mapping[str, bytes]) -> str:
    """Writes answers as one file; returns its path. The same answers are the same file, whatever their order."""
    keys = sorted(answers)
    checks = [_check(key, answers[key]) for key in keys]
    table = pa.table([keys, checks, [answers[key] for key in keys]], schema=_SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(
        table, sink, compression="zstd", row_group_size=_ROWS, use_dictionary=False, write_statistics=False
    )  # fmt: skip
    path = f"{folder}/{_name(keys, checks)}{SUFFIX}"
    write_whole(system, path, sink.getvalue())
    return path


def write_whole(system: pafs.FileSystem, path: str, content: Any) -> None:
    """Writes a file that nobody ever sees half of, and that outlives a power cut once this returns."""
    if system.type_name != "local":
        # An object appears when its upload is complete: there is nothing to stage or rename. Not `with`, which would
        # complete the upload of a half that failed.
        sink = system.open_output_stream(path)
        sink.write(content)
        sink.close()
        return
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".{uuid.uuid4().hex}{STAGED}"
    try:
        with staged.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
    finally:
        staged.unlink(missing_ok=True)


def _check(key: str, answer: bytes) -> bytes:
    raw = key.encode("utf-8")
    return hashlib.sha256(len(raw).to_bytes(8, "big") + raw + answer).digest()[:16]


def _name(keys: list[str], checks: list[bytes]) -> str:
    return digest(*keys, b"".join(checks).hex())
