"""Writes shards: rows sorted by id, compressed, staged beside the output and renamed into place whole."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.rows import DeadLetter

STAGING = "_staging"
# The names that `shard_name` gives, taken apart.
SHARD = re.compile(r"(?P<split>\w+)-(?P<index>\d{5})-of-(?P<of>\d{5})\.parquet")


def _rename(out: str, relative: str, write: Any) -> None:
    staged = Path(out) / STAGING / uuid.uuid4().hex
    final = Path(out) / relative
    staged.parent.mkdir(parents=True, exist_ok=True)
    final.parent.mkdir(parents=True, exist_ok=True)
    write(staged)
    os.replace(staged, final)


def write_table(out: str, relative: str, table: pa.Table) -> None:
    """Writes one Parquet file; nobody sees half of it, and writing it again gives the same bytes."""
    _rename(
        out,
        relative,
        lambda staged: pq.write_table(
            table, staged, compression="zstd", compression_level=6, row_group_size=5_000, write_page_index=True,
            use_compliant_nested_type=True,
        ),
    )  # fmt: skip


def write_shard(out: str, relative: str, rows: Iterable[dict[str, Any]], schema: pa.Schema, by: tuple[str, ...]) -> int:
    """Writes the rows (dicts of the schema's columns) of one shard, sorted by some of them. Returns how many."""
    ordered = sorted(rows, key=itemgetter(*by))
    assert all(set(r) == set(schema.names) for r in ordered), "a column would be lost in silence"
    write_table(out, relative, pa.Table.from_pylist(ordered, schema=schema))
    return len(ordered)


def write_dead_letters(out: str, relative: str, letters: Iterable[DeadLetter]) -> int:
    """Writes dead letters as JSON lines, sorted. Returns how many."""
    lines = sorted(letter.as_json() for letter in letters)
    _rename(out, relative, lambda staged: staged.write_text("".join(line + "\n" for line in lines), "utf-8"))
    return len(lines)


def shard_name(verdict: str, locale: str, split: str, group_hash: int, slice_count: int, shard_counts: int) -> str:
    """The file a row belongs into: a shard lies inside one slice, so that a slice writes its shards alone.

    Args:
        verdict: "data" or "rejected"; "segments" for the table of sentences.
        group_hash: 64-bit hash of the row's group.
        slice_count: slices of the run.
        shard_counts: shards of this split within each slice.
    """
    slice_index = group_hash % slice_count
    shard = slice_index * shard_counts + (group_hash // slice_count) % shard_counts
    return f"{verdict}/{locale}/{split}-{shard:05d}-of-{slice_count * shard_counts:05d}.parquet"
