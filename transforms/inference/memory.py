"""Remembers model answers by content, outside the output folder, so that none is paid for twice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pyarrow.fs as pafs

from transforms.inference.memory_files import (
    ABOUT,
    THREADS,
    DamagedError,
    list_files,
    merge,
    open_root,
    read_answers,
    set_aside,
    write_answers,
    write_whole,
)


class Memory:
    """Keys to answers, partitioned by fingerprint (everything that shapes an answer) and bucket.

    A batch enters whole, as one file named by its content: a killed run leaves no half file, concurrent runs may share a
    memory while it is compacted, and remembering the same batch twice writes the same file. Of two answers to one key the
    smaller one (as bytes) is recalled, so that the order and the number of the files have no say.

    Args:
        root: folder of the memory, or a URI such as `s3://bucket/prefix`; None remembers nothing.
        fingerprint: 32 hex digits over the model's files and settings.
        about: what the fingerprint stands for, such as "translate demo"; for people.
    """

    def __init__(self, root: str | None, fingerprint: str, about: str = "") -> None:
        self._root, self._fingerprint, self._about = root, fingerprint, about

    def recall(self, bucket: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The answers that are known, of those asked for. A damaged file is set aside with a warning.

        Raises:
            OSError: the bucket of the memory cannot be reached.
        """
        wanted = set(keys)
        known: dict[str, bytes] = {}
        if self._root is None or not wanted:
            return known
        system, root = open_root(self._root)
        folder = f"{root}/{self._fingerprint}/{bucket}"
        read: set[str] = set()
        before: set[str] | None = None
        with ThreadPoolExecutor(THREADS) as pool:
            while True:
                names = {info.path for info in list_files(system, folder)}
                new = sorted(names - read)
                for path, answers in zip(new, pool.map(lambda path: _look(system, path, wanted), new), strict=True):
                    if answers is not None:
                        read.add(path)
                        merge(known, answers)
                # A listing is no snapshot: beside a compaction it may miss the merged file and those that it replaces.
                # Two listings between which nothing went away have seen everything.
                if before is not None and before <= names:
                    return known
                before = names

    def remember(self, bucket: str, answers: Mapping[str, bytes]) -> None:
        """Writes a batch of answers."""
        if self._root is None or not answers:
            return
        system, root = open_root(self._root)
        folder = f"{root}/{self._fingerprint}"
        if self._about:
            about, self._about = self._about, ""  # once
            if system.get_file_info(f"{folder}/{ABOUT}").type == pafs.FileType.NotFound:
                write_whole(system, f"{folder}/{ABOUT}", json.dumps({"about": about}).encode())
        write_answers(system, f"{folder}/{bucket}", answers)


def _look(system: pafs.FileSystem, path: str, wanted: set[str]) -> dict[str, bytes] | None:
    """The verified answers of a file; None if it is gone. A damaged one is set aside and has none."""
    try:
        return read_answers(system, path, wanted)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        set_aside(system, path, error)
        return {}
