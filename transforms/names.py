"""Finds names of an English text that became others in its translation."""

from __future__ import annotations

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable, Iterator

import regex
import yaml

from data import resource
from schemas.locales import Language

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
# Not all in capitals: languages have abbreviations of their own.
_LATIN = re.compile(r"(?<![A-Za-z\u00c0-\u024f])[A-Z](?=[A-Z]*[a-z\u00e0-\u024f])[A-Za-z\u00c0-\u024f]{2,}")
_RUN = re.compile(r"[A-Z][\w’'-]*(?:(?: (?:of|the|for|and|de|von|van|du|la|le|al|&)){0,2} [A-Z][\w’'-]*)*")
_BRACKETS = re.compile(r"[(（][^()（）]*[)）]")
# Not after what a sentence or a title may begin after: there a capital says nothing.
_CAPITAL = regex.compile(r"(?<=[^\s.!?:;\"“”«»„‘'\-–—*¿¡…\[)|•#>،。]\x20|[(/])\p{Lu}\p{Ll}{3,}+(?:-\p{Ll}++)*(?![\w-])")


@functools.cache
def _no_names() -> frozenset[str]:
    raw = yaml.safe_load(resource("names/eng_Latn.yaml").read_text("utf-8"))
    return frozenset(raw["titles"] + raw["own"])


def names_kept(source: str, target: str, language: Language) -> float:
    """Share of the names of an English text that did not become others; 1 where there are none to compare.

    A target in Latin letters: a source name is lost where no word there is like it, and another name must have come for it.
    Names that are mere words (the Supreme Court) or that languages have their own for (Germany) do not count.
    Other scripts write most names their own way; a name in Latin letters must be one of the source's, but for what brackets explain.
    """
    if language.scripts != ("Latin",):
        kept = _LATIN.findall(_BRACKETS.sub(" ", target))
        words = set(map(str.casefold, re.findall(r"[A-Za-z\u00c0-\u024f]+", source)))
        joined = source.casefold()
        added = [n for n in kept if n.casefold() not in joined and not _is_like_one(n, words)]
        return 1 - len(added) / len(kept) if kept else 1.0
    mine, theirs = _WORD.findall(source), _WORD.findall(target)
    names = list(dict.fromkeys(_names(source, set(theirs))))
    lost = [n for n in names if not _is_like_one(n, theirs)]
    if not lost:
        return 1.0
    added = [n for n in dict.fromkeys(_CAPITAL.findall(target)) if not _is_like_one(n, mine)]
    return 1 - min(len(lost), len(added)) / len(names)


def _names(source: str, there: set[str]) -> Iterator[str]:
    """Names of the source: of several beside each other only if the target has one as it is ("Justin Trudeau")."""
    placed = {m.start() for m in _CAPITAL.finditer(source)}
    for run in _RUN.finditer(source):
        words = list(_WORD.finditer(source, run.start(), run.end()))
        names = [m.group() for m in words if m.start() in placed and m.group() not in _no_names()]
        if len(names) == 1 or any(m.group() in there and m.group()[0].isupper() for m in words):
            yield from names


def _is_like_one(word: str, others: Iterable[str]) -> bool:
    """Whether one of the others may be the word in another language's spelling: Christopher, Christophe, Cristóbal."""
    return any(word == other or _alike(_fold(word), _fold(other), other[:1].isupper()) for other in others)


@functools.lru_cache(maxsize=100_000)
def _fold(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(c))


@functools.lru_cache(maxsize=100_000)
def _alike(a: str, b: str, is_name: bool) -> bool:
    if is_name and a[:3] == b[:3]:
        return True
    # Adjectives of names have no capital in many languages.
    return (is_name or a[:3] == b[:3]) and difflib.SequenceMatcher(None, a, b).ratio() >= 0.65
