"""Remembers model answers by content, in Parquet files outside the output folder, so that none is paid for twice."""

from __future__ import annotations

import contextlib
import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.hashing import digest

_LOG = logging.getLogger("transcreate.memory")
_SCHEMA = pa.schema([pa.field("key", pa.string(), nullable=False), pa.field("answer", pa.binary(), nullable=False)])


class Memory:
    """Keys to answers, partitioned by fingerprint (everything that shapes an answer) and bucket.

    A batch enters whole, as one file named by its content and renamed into place: a killed run leaves no half file,
    concurrent runs may share a memory, and remembering the same batch twice writes the same file.

    Args:
        root: folder of the memory; None remembers nothing.
        fingerprint: 32 hex digits over the model's files and settings.
    """

    def __init__(self, root: str | None, fingerprint: str) -> None:
        self._root = None if root is None else Path(root) / fingerprint

    def recall(self, bucket: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The answers that are known, of those asked for. A file that cannot be read is set aside with a warning."""
        wanted = set(keys)
        known: dict[str, bytes] = {}
        if self._root is None or not wanted:
            return known
        for path in sorted((self._root / bucket).glob("*.parquet")):
            try:
                answers = _read(path)
            except FileNotFoundError:
                continue  # another run set it aside
            except (OSError, ValueError, pa.ArrowException) as error:
                aside = path.with_suffix(".corrupt")
                why = type(error).__name__
                _LOG.warning("memory file %s cannot be read (%s): set aside as %s", path, why, aside.name)
                with contextlib.suppress(FileNotFoundError):
                    path.replace(aside)
                continue
            known.update((key, answers[key]) for key in sorted(wanted & answers.keys()))
        return known

    def remember(self, bucket: str, answers: Mapping[str, bytes]) -> None:
        """Writes a batch of answers."""
        if self._root is None or not answers:
            return
        folder = self._root / bucket
        folder.mkdir(parents=True, exist_ok=True)
        keys = sorted(answers)
        staged = folder / f".{uuid.uuid4().hex}.tmp"
        try:
            pq.write_table(pa.table([keys, [answers[k] for k in keys]], schema=_SCHEMA), staged, compression="zstd")
            os.replace(staged, folder / f"{_name(answers)}.parquet")
        finally:
            staged.unlink(missing_ok=True)


def _name(answers: Mapping[str, bytes]) -> str:
    keys = sorted(answers)
    return digest(*keys, *(answers[k].hex() for k in keys))


def _read(path: Path) -> dict[str, bytes]:
    table = pq.read_table(path, schema=_SCHEMA)
    answers = dict(zip(table["key"].to_pylist(), table["answer"].to_pylist(), strict=True))
    if None in answers or None in answers.values():
        raise ValueError("a column is missing")
    if path.stem != _name(answers):
        raise ValueError("the content is not what the name says")
    return answers
