"""Cue lists: what marks English text as belonging to a culture, beyond the packs."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from data import resource
from schemas.kinds import KIND_OF
from transforms.contexts import CONTEXTS

# How far one cue speaks for a culture-specific row. An act whose legality differs says little by itself.
WEIGHT = 0.9
JURISDICTION_WEIGHT = 0.2


def default_weight(kind: str) -> float:
    """The weight of a span whose list names none."""
    return JURISDICTION_WEIGHT if KIND_OF[kind] == "jurisdiction" else WEIGHT


@dataclass(frozen=True)
class Cue:
    """One surface or one pattern of a cue list.

    Attributes:
        en: surface without its article, or a regular expression.
        exact: matched as written; else in any case.
        article: whether "the" must stand before it (a surface that was listed as "the Fed").
        needs: the context that must hold, a key of `CONTEXTS`, or "".
    """

    en: str
    kind: str
    cultures: tuple[str, ...]
    role: str = ""
    plain: str = ""
    weight: float = WEIGHT
    exact: bool = False
    article: bool = False
    needs: str = ""


@dataclass(frozen=True)
class Pattern:
    """A pattern with its regular expression, and the letters that what it matches can begin with, if they are known."""

    cue: Cue
    regex: re.Pattern[str]
    prefixes: tuple[str, ...]


@dataclass(frozen=True)
class Cues:
    """Everything that the cue lists hold."""

    surfaces: tuple[Cue, ...]
    patterns: tuple[Pattern, ...]


# --- loading ---

_GROUP_KEYS = {"cultures", "kind", "role", "case", "needs", "inflect", "weight", "surfaces", "patterns"}
_ITEM_KEYS = {"en", "role", "plain"}
_LOCALE = re.compile(r"[a-z]{2,3}-[A-Z]{2}")
_ARTICLE = re.compile(r"the ", re.IGNORECASE)
# Matching must take time linear in the text: nothing repeats without bound, and no repetition repeats.
_UNBOUNDED = re.compile(r"(?<!\\)\.(?:[*+]|\{\d*,\})|(?:[*+]|,\})[^()]*\)(?:[*+]|\{\d*,\})")
_MOST_REPEATS = 40


@functools.cache
def load_cues() -> Cues:
    """Loads every list of data/cues/.

    Raises:
        ValueError: a list is malformed; says which file, group and key.
    """
    try:
        files = sorted((f for f in resource("cues").iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    except FileNotFoundError:
        return Cues((), ())
    surfaces: list[Cue] = []
    patterns: list[Pattern] = []
    for file in files:
        read = parse_cues(file.read_text("utf-8"), f"data/cues/{file.name}")
        surfaces += read.surfaces
        patterns += read.patterns
    return Cues(tuple(surfaces), tuple(patterns))


def parse_cues(text: str, name: str) -> Cues:
    """Reads one list.

    Args:
        text: YAML, as docs/culture.md describes it.
        name: what errors call the file.

    Raises:
        ValueError: it is malformed.
    """
    try:
        raw = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{name}: {error}") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("groups"), list):
        raise ValueError(f"{name}: needs `kind` and a list `groups`")
    _refuse_unknown(raw, {"kind", "groups"}, name)
    surfaces: list[Cue] = []
    patterns: list[Pattern] = []
    for i, group in enumerate(raw["groups"], 1):
        where = f"{name}: group {i}"
        if not isinstance(group, dict):
            raise ValueError(f"{where}: must be a mapping with {', '.join(sorted(_GROUP_KEYS))}")
        _refuse_unknown(group, _GROUP_KEYS, where)
        basis = _basis(group, raw.get("kind"), where)
        if not group.get("surfaces") and not group.get("patterns"):
            raise ValueError(f"{where}: needs `surfaces` or `patterns`")
        for item in group.get("surfaces") or ():
            for cue in _surfaces(item, basis, bool(group.get("inflect")), where):
                if re.match(r"\w", cue.en):
                    surfaces.append(cue)
                else:  # ".357 Magnum", "#MeToo": no word begins it that it could be looked up by
                    patterns.append(Pattern(cue, _regex(re.escape(cue.en), cue.exact), ()))
        for item in group.get("patterns") or ():
            patterns.append(_pattern(item, basis, where))
    return Cues(tuple(surfaces), tuple(patterns))


def _refuse_unknown(raw: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(map(str, raw)) - known)
    if unknown:
        raise ValueError(f"{where}: unknown key {unknown[0]!r}; known: {', '.join(sorted(known))}")


def _basis(group: Mapping[str, Any], kind: Any, where: str) -> Cue:
    """What all cues of a group share."""
    kind = group.get("kind", kind)
    if kind not in KIND_OF:
        raise ValueError(f"{where}: kind {kind!r} is none of schemas.kinds.KIND_OF: {', '.join(KIND_OF)}")
    cultures = group.get("cultures")
    if not isinstance(cultures, list) or not cultures or not all(_LOCALE.fullmatch(str(c)) for c in cultures):
        raise ValueError(f"{where}: cultures must be a list of locales such as en-US, not {cultures!r}")
    if group.get("case", "any") not in ("any", "exact"):
        raise ValueError(f"{where}: case must be any or exact, not {group['case']!r}")
    needs = group.get("needs", "")
    if needs and needs not in CONTEXTS:
        raise ValueError(f"{where}: needs must be one of {', '.join(CONTEXTS)}, not {needs!r}")
    weight = group.get("weight", default_weight(kind))
    if not isinstance(weight, int | float) or not 0 <= weight <= 1:
        raise ValueError(f"{where}: weight must be a number from 0 to 1, not {weight!r}")
    return Cue(
        "", kind, tuple(cultures), str(group.get("role", "")), "", float(weight), group.get("case") == "exact",
        needs=needs,
    )  # fmt: skip


def _surfaces(item: Any, basis: Cue, inflect: bool, where: str) -> list[Cue]:
    """The cues of one item: as it stands and, where the group says so, in the plural."""
    raw = item if isinstance(item, dict) else {"en": item}
    _refuse_unknown(raw, _ITEM_KEYS, f"{where}: {raw.get('en')!r}")
    en = raw.get("en")
    if isinstance(en, int) and not isinstance(en, bool):
        en = str(en)  # YAML reads 911 as a number
    if not isinstance(en, str) or not en or en != " ".join(en.split()):
        raise ValueError(
            f"{where}: surface {en!r} must be text with single spaces; in quotes, if YAML reads it as something else"
        )
    en = en.replace("\u2019", "'")
    article = _ARTICLE.match(en) if KIND_OF[basis.kind] != "idiom" else None
    known = {
        **basis.__dict__, "role": str(raw.get("role", basis.role)), "plain": str(raw.get("plain", "")),
        "article": article is not None,
    }  # fmt: skip
    en = en[article.end() :] if article else en
    return [Cue(**{**known, "en": form}) for form in (en, *(_plurals(en) if inflect else ()))]


def _plurals(en: str) -> tuple[str, ...]:
    if re.search(r"[^aeiou]y$", en, re.IGNORECASE):
        return (en + "s", en[:-1] + "ies")
    return (en + "es",) if re.search(r"(?:s|x|z|ch|sh)$", en, re.IGNORECASE) else (en + "s", en + "es")


def _pattern(item: Any, basis: Cue, where: str) -> Pattern:
    if not isinstance(item, str) or not item:
        raise ValueError(f"{where}: pattern {item!r} must be a regular expression; a `plain` needs a surface")
    if _UNBOUNDED.search(item):
        raise ValueError(
            f"{where}: pattern {item!r} repeats without bound (.*, .+, (...+)*); write {{0,3}} or the words"
        )
    source = _bounded(item.replace("\u2019", "'"))
    try:
        regex = _regex(source, basis.exact)
    except re.error as error:
        raise ValueError(f"{where}: pattern {item!r}: {error}") from None
    if regex.groups:
        raise ValueError(f"{where}: pattern {item!r} has capturing groups; write (?:...) for (...)")
    if re.compile(source).match(""):
        raise ValueError(f"{where}: pattern {item!r} matches nothing at all")
    return Pattern(Cue(**{**basis.__dict__, "en": item}), regex, prefixes_of(source))


def _bounded(pattern: str) -> str:
    """The pattern with * and + as repetitions that end somewhere, so that no long word or number makes it slow."""
    bounds = {"*": f"{{0,{_MOST_REPEATS}}}", "+": f"{{1,{_MOST_REPEATS}}}"}
    marks = {i: bounds[char] for i, char in _outside_classes(pattern) if char in bounds}
    bounded = "".join(marks.get(i, char) for i, char in enumerate(pattern))
    return re.sub(r"\{(\d+),\}", rf"{{\1,{_MOST_REPEATS}}}", bounded)


def _regex(source: str, exact: bool) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{source})(?!\w)", 0 if exact else re.IGNORECASE)


def prefixes_of(pattern: str) -> tuple[str, ...]:
    """Up to three small letters that every match begins with one of; empty if that cannot be told from the pattern."""
    found: set[str] = set()
    for branch in _branches(pattern):
        if branch.startswith("("):
            end = _closing(branch)
            rest = branch[end + 1 :]
            group = re.match(r"\(\?(?:-?i)?:", branch)
            if group:
                if rest[:1] in ("*", "+", "{"):
                    return ()
                starts = [body + rest.removeprefix("?") for body in _branches(branch[group.end() : end])]
                starts += [rest[1:]] if rest[:1] == "?" else []
            elif re.match(r"\(\?<?[=!]", branch):
                starts = [rest]  # what stands around is not part of the match
            else:
                return ()
            several = [prefixes_of(start) for start in starts]
        else:
            several = [_literal(branch)]
        if not all(several):
            return ()
        found.update(prefix for some in several for prefix in some)
    return tuple(sorted(found))


def _literal(pattern: str) -> tuple[str, ...]:
    if re.match(r"\\d(?![*?]|\{0)", pattern):
        return tuple("0123456789")
    run = re.match(r"[A-Za-z0-9][A-Za-z0-9' -]*", pattern)
    if run is None:
        return ()
    letters = run.group()
    if pattern[len(letters) : len(letters) + 1] in ("?", "*", "{"):
        letters = letters[:-1]
    return (letters[:3].lower(),) if letters else ()


def _closing(pattern: str) -> int:
    """Where the bracket that opens a pattern is closed."""
    depth = 0
    for i, char in _outside_classes(pattern):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0:
            return i
    return len(pattern)


def _branches(pattern: str) -> list[str]:
    """The alternatives of a pattern at its outermost level."""
    cuts, depth = [-1], 0
    for i, char in _outside_classes(pattern):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "|" and depth == 0:
            cuts.append(i)
    return [pattern[a + 1 : b] for a, b in itertools.pairwise([*cuts, len(pattern)])]


def _outside_classes(pattern: str) -> Iterator[tuple[int, str]]:
    """(place, character) of a pattern, without what is escaped or stands in a [class]."""
    i = 0
    while i < len(pattern):
        yield i, pattern[i]
        if pattern[i] == "\\":
            i += 1
        elif pattern[i] == "[":
            i = max(pattern.find("]", i + 2), i)
        i += 1
