"""Looks after a memory, also while runs use it: counts what it holds, merges its small files, checks every file."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import pyarrow.fs as pafs
import pyarrow.parquet as pq

from transforms.inference.memory_files import (
    ABOUT,
    CORRUPT,
    STAGED,
    THREADS,
    DamagedError,
    list_files,
    list_folder,
    merge,
    open_root,
    read_answers,
    set_aside,
    write_answers,
)

_T = TypeVar("_T")
_FINGERPRINT = re.compile(r"[0-9a-f]{32}")
_MOST = 16 << 20  # bytes of files merged into one, some 80,000 answers of 200 bytes: what a compaction holds in memory
_STALE = 3600  # seconds after which a staged file has no writer any more


@dataclass(frozen=True)
class Stats:
    """What a memory holds under one fingerprint.

    Attributes:
        about: what the fingerprint stands for; "" if nobody wrote it down.
        answers: rows of the files; a key that stands in two files counts twice.
        corrupt: files that were set aside, or whose footer cannot be read.
        staged: files that are being written, or that a killed run left.
    """

    fingerprint: str
    about: str
    buckets: int
    files: int
    answers: int
    bytes: int
    corrupt: int
    staged: int


@dataclass(frozen=True)
class Compaction:
    """What a compaction did, in files."""

    before: int
    after: int
    set_aside: int
    stale: int


def stats(root: str) -> list[Stats]:
    """Counts what a memory holds, per fingerprint. Reads the footer of every file.

    Raises:
        FileNotFoundError: there is nothing at `root`.
        ValueError: what is there is not a memory.
    """
    system, path = open_root(root)
    return [_count(system, folder) for folder in _fingerprints(system, path)]


def compact(root: str) -> Compaction:
    """Merges small files, bucket by bucket, until no two would fit into one; removes what killed runs left.

    What replaces files is written before they are deleted: killed at any point, nothing is lost, and the next compaction
    goes on. Runs and other compactions may go on beside it. Damaged files are set aside.

    Raises:
        FileNotFoundError, ValueError: as `stats`.
    """
    system, path = open_root(root)
    before = after = damaged = stale = 0
    for folder in _fingerprints(system, path):
        stale += _remove_stale(system, folder)
        for bucket in _buckets(system, folder):
            stale += _remove_stale(system, bucket)
            before += len(list_files(system, bucket))
            damaged += _compact_bucket(system, bucket)
            after += len(list_files(system, bucket))
    return Compaction(before, after, damaged, stale)


def verify(root: str, aside: bool = False) -> tuple[int, list[str]]:
    """Reads everything. Returns how many files, and the paths of the damaged ones.

    Args:
        root: the memory.
        aside: also set the damaged files aside, as a run would.

    Raises:
        FileNotFoundError, ValueError: as `stats`.
    """
    system, path = open_root(root)
    files = [
        info.path
        for folder in _fingerprints(system, path)
        for bucket in _buckets(system, folder)
        for info in list_files(system, bucket)
    ]

    def is_damaged(path: str) -> bool:
        try:
            read_answers(system, path)
        except FileNotFoundError:
            pass  # merged meanwhile
        except DamagedError as error:
            if aside:
                set_aside(system, path, error)
            return True
        return False

    return len(files), [path for path, damaged in zip(files, _each(is_damaged, files), strict=True) if damaged]


def _fingerprints(system: pafs.FileSystem, root: str) -> list[str]:
    where = "a run's memory lies at <output>.memory, unless the config's key memory says otherwise"
    kind = system.get_file_info(root).type
    if kind == pafs.FileType.NotFound:
        raise FileNotFoundError(f"{root}: no such folder; {where}")
    inside = list_folder(system, root) if kind == pafs.FileType.Directory else []
    found = [i.path for i in inside if i.type == pafs.FileType.Directory and _FINGERPRINT.fullmatch(i.base_name)]
    if not found and (inside or kind != pafs.FileType.Directory):
        raise ValueError(f"{root}: not a memory: no folder in it is named by a fingerprint (32 hex digits); {where}")
    return found


def _buckets(system: pafs.FileSystem, folder: str) -> list[str]:
    return [info.path for info in list_folder(system, folder) if info.type == pafs.FileType.Directory]


def _each(do: Callable[[str], _T], paths: Iterable[str]) -> Iterator[_T]:
    with ThreadPoolExecutor(THREADS) as pool:
        yield from pool.map(do, paths)


def _count(system: pafs.FileSystem, folder: str) -> Stats:
    buckets = _buckets(system, folder)
    inside = [info for place in (folder, *buckets) for info in list_folder(system, place)]
    files = [info for bucket in buckets for info in list_files(system, bucket)]

    def rows(path: str) -> int | None:
        try:
            return int(pq.read_metadata(path, filesystem=system).num_rows)
        except FileNotFoundError:
            return 0  # merged meanwhile
        except Exception:
            return None

    answers = list(_each(rows, [info.path for info in files]))
    return Stats(
        fingerprint=folder.rsplit("/", 1)[-1],
        about=_read_about(system, folder),
        buckets=len(buckets),
        files=len(files),
        answers=sum(n or 0 for n in answers),
        bytes=sum(info.size for info in files),
        corrupt=sum(info.path.endswith(CORRUPT) for info in inside) + answers.count(None),
        staged=sum(info.path.endswith(STAGED) for info in inside),
    )


def _read_about(system: pafs.FileSystem, folder: str) -> str:
    try:
        with system.open_input_file(f"{folder}/{ABOUT}") as file:
            return str(json.loads(file.read())["about"])
    except (OSError, ValueError, LookupError, TypeError):
        return ""


def _remove_stale(system: pafs.FileSystem, folder: str) -> int:
    now = time.time()
    stale = [i.path for i in list_folder(system, folder) if i.path.endswith(STAGED) and now - i.mtime_ns / 1e9 > _STALE]
    _delete(system, stale)
    return len(stale)


def _compact_bucket(system: pafs.FileSystem, folder: str) -> int:
    """Merges until nothing is left to merge; each round leaves fewer files. Returns how many files were damaged."""
    damaged: set[str] = set()
    while groups := _groups([info for info in list_files(system, folder) if info.path not in damaged]):
        for group in groups:
            damaged |= _merge_group(system, folder, group)
    return len(damaged)


def _groups(files: list[pafs.FileInfo]) -> list[list[str]]:
    """Files to be merged with each other: the smallest ones, as many as fit into one file, and so on."""
    groups: list[list[str]] = [[]]
    held = 0
    for info in sorted(files, key=lambda info: (info.size, info.path)):
        if held + info.size > _MOST:
            groups.append([])
            held = 0
        groups[-1].append(info.path)
        held += info.size
    return [group for group in groups if len(group) > 1]


def _merge_group(system: pafs.FileSystem, folder: str, paths: list[str]) -> set[str]:
    def read(path: str) -> dict[str, bytes] | DamagedError | None:
        try:
            return read_answers(system, path)
        except FileNotFoundError:
            return None  # another compaction was faster
        except DamagedError as error:
            set_aside(system, path, error)
            return error

    merged: dict[str, bytes] = {}
    done, damaged = set(), set()
    for path, answers in zip(paths, _each(read, paths), strict=True):
        if isinstance(answers, DamagedError):
            damaged.add(path)
        elif answers is not None:
            merge(merged, answers)
            done.add(path)
    if len(done) > 1:
        _delete(system, done - {write_answers(system, folder, merged)})
    return damaged


def _delete(system: pafs.FileSystem, paths: Iterable[str]) -> None:
    def delete(path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            system.delete_file(path)

    list(_each(delete, paths))
