"""Groups rows: exact duplicates are settled, near duplicates share a group, no group spans two splits."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from schemas.hashing import digest
from schemas.rows import Row, Text, Verdict

# MinHash over character 5-grams (3-grams of short texts), 128 permutations in 16 bands of 8: candidates from Jaccard
# 0.7 on, confirmed at 0.8. Character n-grams, because word shingles fail where words are not spaced.
_PERMUTATIONS, _BANDS, _SIMILAR = 128, 16, 0.8
# Of a group that spans splits, the split that keeps its rows.
_SPLITS = ("test", "validation", "train")


def source_key(row: Row) -> str:
    """What makes a row itself: its source id, or its texts where the input has no ids."""
    return digest(row.sample.dataset, row.sample.source_id or _key(row.texts))


def text_key(row: Row) -> str:
    """Equal exactly for rows with equal conversations: with all that is labelled, so without the rationale of a label."""
    return _key(t for t in row.texts if t.role != "rationale")


def _key(texts: Iterable[Text]) -> str:
    return digest(*(f"{t.role}:{t.turn}:{'' if t.source is None else 't' + t.source}" for t in texts))


def user_side(row: Row) -> str:
    """What near duplicates are told by: all that the user says, which is the prompt where there is one turn.

    Not the last message alone: "Go on." follows many conversations. Nor the system prompt, which many rows share.
    """
    return "\n".join(t.source or "" for t in row.texts if t.role in ("user", "prompt"))


def name_rows(rows: Iterable[Row]) -> Iterator[Row]:
    """Gives rows with the same source key their ids, in an order that does not depend on the input's order."""

    def content(row: Row) -> tuple[str, ...]:
        s = row.sample
        return (
            _key(row.texts),
            s.split,
            str(s.prompt_label),
            str(s.response_label),
            str(s.categories_raw),
            s.metadata,
            s.origin.file,
            f"{s.origin.line:012d}",
        )

    for k, row in enumerate(sorted(rows, key=content)):
        yield replace(row, id=digest(source_key(row), str(k)))


def settle_duplicates(rows: Iterable[Row]) -> Iterator[Row]:
    """Of rows with the same conversation keeps those with the smallest id, test before validation before train.

    One for each rationale; all go if their labels differ.
    """
    ordered = sorted(rows, key=lambda r: (_SPLITS.index(r.sample.split), r.id))
    labels = {(r.sample.prompt_label, r.sample.response_label, r.sample.categories) for r in ordered}
    if len(labels) > 1:
        yield from (replace(r, verdict=Verdict(("label_conflict",))) for r in ordered)
        return
    kept: dict[str, Row] = {}
    for row in ordered:
        first = kept.setdefault(_key(row.texts), row)
        yield row if first is row else replace(row, verdict=Verdict((f"duplicate_of:{first.id}",)))


def shingles(text: str) -> set[str]:
    """Character n-grams of the text with case and white space folded."""
    folded = re.sub(r"\s+", " ", text).strip().casefold()
    n = 5 if len(folded) >= 10 else 3
    return {folded[i : i + n] for i in range(max(1, len(folded) - n + 1))}


@functools.lru_cache(1)
def _blank() -> Any:
    from datasketch import MinHash

    return MinHash(num_perm=_PERMUTATIONS, seed=1)


def signature(text: str) -> tuple[int, ...]:
    """MinHash signature of a text: 128 integers, the same on every machine."""
    made = _blank().copy()
    made.update_batch([s.encode("utf-8") for s in sorted(shingles(text))])
    return tuple(int(v) for v in made.hashvalues)


def bands(values: tuple[int, ...]) -> list[str]:
    """One key a band; texts that share one are candidates."""
    width = _PERMUTATIONS // _BANDS
    return [digest(str(b), repr(values[b * width : (b + 1) * width])) for b in range(_BANDS)]


def _alike(mine: tuple[int, ...], theirs: tuple[int, ...]) -> bool:
    return sum(a == b for a, b in zip(mine, theirs, strict=True)) >= _SIMILAR * _PERMUTATIONS


def edges(members: Iterable[tuple[str, tuple[int, ...]]]) -> Iterator[tuple[str, str]]:
    """Links the members of one band that are alike enough: not each pair, but all that hang together."""
    clusters: list[list[tuple[str, tuple[int, ...]]]] = []
    for this, mine in sorted(set(members)):
        joined, apart = [(this, mine)], []
        for cluster in clusters:
            other = next((name for name, theirs in cluster if _alike(mine, theirs)), None)
            if other is None:
                apart.append(cluster)
            else:
                yield other, this
                joined = cluster + joined
        clusters = [*apart, joined]


def components(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Union-find: maps every linked id to the smallest id of its component."""
    parent: dict[str, str] = {}

    def root(x: str) -> str:
        parent.setdefault(x, x)
        while parent[x] != x:
            parent[x] = parent[parent[x]]
            x = parent[x]
        return x

    for a, b in sorted(links):
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return {x: root(x) for x in parent}


def settle_splits(rows: Iterable[Row]) -> Iterator[Row]:
    """Keeps a group within one split: test if it reaches into it, else validation; rejects the rows of other splits."""
    members = sorted(rows, key=lambda r: r.id)
    keeps = min((r.sample.split for r in members), key=_SPLITS.index)
    for row in members:
        yield row if row.sample.split == keeps else replace(row, verdict=Verdict(("split_leak",)))
