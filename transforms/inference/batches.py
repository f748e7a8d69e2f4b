"""Batches of model requests, cut from the data alone, so that no order of input and no memory changes their company."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.hashing import digest, number


@dataclass(frozen=True)
class Request:
    """One question to a model.

    Attributes:
        key: digest of everything that the answer depends on, the model aside.
        bucket: which requests it may share a batch and a memory partition with.
        size: what it adds to a batch (roughly tokens).
        content: the question itself.
    """

    key: str
    bucket: str
    size: int
    content: tuple[str, ...]


@dataclass(frozen=True)
class Batch:
    """Requests that a model gets together."""

    bucket: str
    requests: tuple[Request, ...]


_PARTS = 4
_BANDS = (12, 24, 48, 96, 192)


def request(kind: str, language: str, size: int, *content: str) -> Request:
    """Makes a request; its bucket is the target language, the length band and a hash part."""
    key = digest(kind, language, *content)
    band = sum(size > b for b in _BANDS)
    return Request(key, f"{language}-{band}-{number(key) % _PARTS}", size, content)


def rough_tokens(text: str) -> int:
    """A cheap stand-in for a token count: unspaced scripts count by character, others by four characters."""
    wide = sum(char >= "\u0e00" for char in text)
    return 2 + wide + (len(text) - wide) // 4


def cut_batches(bucket: str, requests: Iterable[Request], most: int) -> Iterator[Batch]:
    """Cuts a bucket, ordered by size and key, into batches of at most `most` in padded size (longest x count)."""
    held: list[Request] = []
    for item in sorted(set(requests), key=lambda r: (r.size, r.key)):
        if held and item.size * (len(held) + 1) > most:
            yield Batch(bucket, tuple(held))
            held = []
        held.append(item)
    if held:
        yield Batch(bucket, tuple(held))
