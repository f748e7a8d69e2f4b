"""The segment table: every sentence of every text with its translation, for audit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from schemas.rows import Row

SEGMENTS = pa.schema(
    [
        pa.field("row_id", pa.string(), nullable=False),
        ("locale", pa.string()),
        ("text", pa.string()),
        # Counted through all texts of the row.
        ("position", pa.int32()),
        ("source", pa.string()),
        ("target", pa.string()),
        ("logprob", pa.float64()),
        ("worst", pa.float64()),
        ("unknown", pa.int32()),
        ("flags", pa.list_(pa.string())),
    ]
)


def to_segments(row: Row) -> Iterator[dict[str, Any]]:
    """The segments of a row, as dicts of the table's columns. A failed one has no target."""
    of_row = ((text, segment) for text in row.texts for segment in text.segments)
    for position, (text, segment) in enumerate(of_row):
        yield {
            "row_id": row.id,
            "locale": row.locale,
            "text": text.name,
            "position": position,
            "source": segment.source,
            "target": segment.target or None,
            "logprob": segment.logprob,
            "worst": segment.worst,
            "unknown": segment.unknown,
            "flags": list(segment.flags),
        }
