"""Stable hashes: the same on every machine and in every run, unlike Python's own `hash`."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest(*parts: str) -> str:
    """32 hex digits of SHA-256 over length-prefixed parts, so that ("ab", "c") and ("a", "bc") differ."""
    h = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8")
        h.update(len(raw).to_bytes(8, "big"))
        h.update(raw)
    return h.hexdigest()[:32]


def number(*parts: str) -> int:
    """A 64-bit integer from the digest: for choosing shards, slices and pack entries."""
    return int(digest(*parts)[:16], 16)


def sha256_of(path: Path) -> str:
    """Hex SHA-256 of a file, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
