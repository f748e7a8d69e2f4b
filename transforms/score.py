"""Scores a row's texts: every number that Judge looks at, each from one pure function. Nothing is decided here."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import regex
import yaml

from data import resource
from schemas.locales import ENGLISH, LANGUAGES, Language
from schemas.rows import Edit, Row, Text
from schemas.scores import SCORES
from transforms.align import Comparing, Comparison, comparing, units
from transforms.form import broken, emoji_kept, ends_alike, lines_kept, looped, variant_share
from transforms.gate import is_translatable
from transforms.inline import pieces_kept
from transforms.invisible import count_unexplained
from transforms.names import names_kept
from transforms.negation import negations_kept
from transforms.numbers import numbers_kept
from transforms.segment import without_verbatim

_WORD = re.compile(r"[^\W\d_]+")
# What a transcript notes between words is a word to a translator; tags of HTML are none.
_NOTE = re.compile(r"<(?!(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)\b)[^\W\d_]+/>")


def script_share(target: str, source: str, language: Language) -> float:
    """Share of the target's letters that are in the language's scripts.

    Words of another script that the source writes the same way with a capital do not count (names that are kept).
    """
    inside, others = _letters(language.scripts)
    if others.search(target) is None:
        return 1.0
    kept = {w for w in _WORD.findall(source) if not w.islower()}
    bare = _WORD.sub(lambda m: "" if m.group() in kept else m.group(), target)
    letters = "".join(filter(str.isalpha, bare))  # without vowel signs, which are marks
    return len(inside.findall(letters)) / len(letters) if letters else 1.0


@functools.cache
def _letters(scripts: tuple[str, ...]) -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    """Letters of these scripts, and letters of all others."""
    ours = "".join(rf"\p{{{script}}}" for script in scripts)
    return regex.compile(f"[{ours}]"), regex.compile(rf"(?V1)[\p{{L}}--[{ours}]]")


def copied_share(source: str, target: str, expected: Iterable[str]) -> float:
    """Share of the source's words of four letters or more that the target has too; names and expected words left out."""
    allowed = {w.casefold() for text in expected for w in _WORD.findall(text)}
    words = {w for w in _WORD.findall(source) if len(w) >= 4 and w.islower()} - allowed
    there = {w.casefold() for w in _WORD.findall(target)}
    return len(words & there) / len(words) if words else 0.0


def repeated_share(text: str, language: Language) -> float:
    """Share of 4-grams of words (12-grams of characters where words are not spaced) that stand there before."""
    units: list[str] = re.findall(r"\w+", text) if language.spaced else [c for c in text if not c.isspace()]
    n = 4 if language.spaced else 12
    grams = [tuple(units[i : i + n]) for i in range(len(units) - n + 1)]
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def edits_kept(edits: Iterable[Edit], target: str) -> float | None:
    """Share of the swaps whose native form stands in the target, thousands parted or not; None without swaps."""
    swaps = [e for e in edits if e.action == "swap" and e.natives]
    folded = _ungrouped(target)
    return sum(any(_ungrouped(n) in folded for n in e.natives) for e in swaps) / len(swaps) if swaps else None


_GROUPS = re.compile(r"(?<=\d)[.,٬'’ \u00a0\u202f](?=\d{2,3}(?!\d))")


def _ungrouped(text: str) -> str:
    return _GROUPS.sub("", text.casefold())


def _without_renamed(text: str, target: str, edits: Iterable[Edit]) -> tuple[str, str]:
    """Source and target without names that have a number in one language only: Bastille Day is le 14 Juillet."""
    renamed = [(e.after, n) for e in edits for n in e.natives if _has_digit(e.after) != _has_digit(n)]
    return _blanked(text, (after for after, _ in renamed)), _blanked(target, (native for _, native in renamed))


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _without_swapped(text: str, target: str, edits: Iterable[Edit]) -> tuple[str, str]:
    """Source and target without what was exchanged: a name may have another native form; `edits_kept` judges those."""
    swaps = [edit for edit in edits if edit.action == "swap"]
    return _blanked(text, (e.after for e in swaps)), _blanked(target, (n for e in swaps for n in e.natives))


def _blanked(text: str, phrases: Iterable[str]) -> str:
    """The text with a space in place of every phrase, one after the other."""
    return functools.reduce(lambda left, phrase: left.replace(phrase, " "), phrases, text)


@functools.cache
def load_concepts(language: str) -> tuple[re.Pattern[str], tuple[tuple[str, tuple[str, ...]], ...]]:
    """(where a stem of an unsafe concept begins, the stems by concept): at the start of a word where words are spaced."""
    raw = yaml.safe_load(resource(f"toxicity/{language}.yaml").read_text("utf-8"))
    stems = tuple((concept, tuple(stem.lower() for stem in found)) for concept, found in raw.items())
    start = r"(?<!\w)" if LANGUAGES[language].spaced else ""
    return re.compile(start + "(?=" + "|".join(re.escape(s) for _, found in stems for s in found) + ")"), stems


def concepts(text: str, language: str) -> set[str]:
    """The unsafe concepts that a text names."""
    pattern, stems = load_concepts(language)
    lower = text.lower()
    found: set[str] = set()
    for place in pattern.finditer(lower):
        found.update(concept for concept, of_it in stems if lower.startswith(of_it, place.start()))
    return found


def toxicity(source: str, source_language: str, target: str, target_language: str) -> tuple[int, int]:
    """(concepts added, concepts lost) between source and target."""
    before, after = concepts(source, source_language), concepts(target, target_language)
    return len(after - before), len(before - after)


# A text without swaps has no edits to keep, an encoder without a space of its own says nothing of coverage, nor langdetect of
# a text without letters; Thai sentences end without a mark, other languages than Chinese have no variants, and names are known
# in English.
_NOT_ALWAYS = ("edits_kept", "lid_langdetect", "coverage", "ending", "variant", "names")
Identify = Callable[[str, Language], tuple[float, float]]
Detect = Callable[[str, Language], float | None]


def is_scored(text: Text, crosses: bool) -> bool:
    """Whether scores apply to a text: one that was translated, or one with words where nothing had to be.

    Args:
        crosses: whether the row was translated.
    """
    return text.target is not None and (bool(text.segments) if crosses else is_translatable(text.adapted))


def foreign_share(sentences: Iterable[str], language: Language, identify: Identify) -> float:
    """By how much another language is likelier than the expected one, in the sentence where it is most so.

    Sentences of fewer than 40 letters count for less, as fastText is less sure of them; such of fewer than 8 not at all.
    """
    worst = 0.0
    for sentence in sentences:
        letters = sum(map(str.isalpha, sentence))
        if letters >= 8:
            mine, other = identify(sentence, language)
            worst = max(worst, (other - mine) * min(1.0, letters / 40))
    return worst


Sentences = tuple[Sequence[str], Sequence[str]]


def sentences_of(text: Text) -> Sentences:
    """The sentences that were translated and what became of them, one by one, without what stays verbatim."""
    return [without_verbatim(s.source) for s in text.segments], [without_verbatim(s.target) for s in text.segments]


def asking(text: Text, source: Language, target: Language, expansion: float) -> Comparing | None:
    """What to ask the encoder about a translated text; None where it was not translated or has no words.

    Args:
        expansion: expected characters of the target per character of the source.
    """
    if source == target or not is_scored(text, True):
        return None
    pairs = list(zip(*sentences_of(text), strict=True))
    return comparing(
        without_verbatim(text.adapted or ""), without_verbatim(text.target or ""), (source, target), expansion, pairs
    )


def score_text(
    text: Text, source: Language, target: Language, expansion: float, similarity: Mapping[Comparing, Comparison],
    identify: Identify, detect: Detect,
) -> Text:  # fmt: skip
    """Adds every score that applies to one text; those that compare languages do not where source and target are one.

    Args:
        expansion: expected characters of the target per character of the source.
        similarity: what the encoder answered, as far as it did.
        identify, detect: fastText and langdetect, as in `LanguageId`.
    """
    crosses = source != target
    if not is_scored(text, crosses):
        return text
    asked = asking(text, source, target, expansion)
    compared = similarity.get(asked) if asked else None
    sentences = sentences_of(text) if crosses else None
    found = score_pair(
        text.adapted or "", text.target or "", source, target, expansion, compared, identify, detect, sentences, text.edits
    )  # fmt: skip
    if crosses:
        found |= {
            "edits_kept": edits_kept(text.edits, text.target or ""),
            "unknown_tokens": sum(s.unknown for s in text.segments),
            "decoder": min(s.logprob for s in text.segments),
            "decoder_worst": min(s.worst for s in text.segments),
        }
    assert set(found) == {s.name for s in SCORES if s.by_score and (crosses or not s.crosses)}
    scores, missing = settle(found)
    return replace(text, scores={**text.scores, **scores}, not_judged=(*text.not_judged, *missing))


def settle(found: Mapping[str, float | None]) -> tuple[dict[str, float], list[str]]:
    """(scores rounded to 4 digits, names of those that could not be computed)."""
    scores = {name: round(float(value), 4) for name, value in found.items() if value is not None and value == value}
    return scores, [n for n in found if n not in scores and n not in _NOT_ALWAYS]


def score_pair(
    adapted: str, made: str, source: Language, target: Language, expansion: float, compared: Comparison | None,
    identify: Identify, detect: Detect, sentences: Sentences | None = None, edits: Sequence[Edit] = (),
) -> dict[str, float | None]:  # fmt: skip
    """Every score of a text and its translation that needs nothing of the translator; None where one does not apply.

    What stays verbatim (code, URLs) is looked at by `verbatim` and `loops` alone: it says nothing of language, length or meaning.

    Args:
        sentences: of both sides, in order, without what stays verbatim; found here where nobody knows them.
    """
    crosses = source != target
    bare, bare_source = without_verbatim(made), without_verbatim(adapted)
    mine, theirs = sentences or (units(bare_source, source) if crosses else (), units(bare, target))
    found: dict[str, float | None] = {
        "lid_fasttext": identify(bare, target)[0],
        "lid_langdetect": detect(bare, target),
        "foreign": foreign_share(theirs, target, identify),
        "script_share": script_share(bare, bare_source, target),
        "repetition": max(0.0, repeated_share(bare, target) - repeated_share(bare_source, source)),
        "loops": max(0.0, looped(made, target) - looped(adapted, source)),
        "broken": broken(adapted, made),
        "invisible": max(0, count_unexplained(made) - count_unexplained(adapted)),
        "variant": variant_share(bare, target),
        "verbatim": _share(*pieces_kept(_NOTE.sub("<x/>", adapted), _NOTE.sub("<x/>", made))),
    }
    if crosses:
        added, lost = toxicity(adapted, source.code, made, target.code)
        unchanged, there = numbers_kept(*_without_renamed(bare_source, bare, edits), source, target)
        ratio = len(bare) / max(1.0, len(bare_source) * expansion)
        found |= {
            "similarity": compared and compared.similarity,
            "similarity_min": compared and compared.worst,
            "coverage": compared and compared.coverage,
            "length_ratio": ratio,
            "length_excess": ratio,
            "copy": copied_share(bare_source, bare, [n for e in edits for n in (*e.natives, e.after)]),
            "ending": ends_alike(adapted, made, target),
            "lines": lines_kept(adapted, made),
            "emoji": emoji_kept(adapted, made),
            "numbers": unchanged,
            "numbers_found": there,
            "negation": negations_kept(mine, theirs, source, target),
            "names": names_kept(*_without_swapped(bare_source, bare, edits), target)
            if source.code == ENGLISH
            else None,
            "toxicity_added": added,
            "toxicity_lost": lost,
        }
    return found


def _share(some: int, of_all: int) -> float:
    return some / of_all if of_all else 1.0


def score(
    row: Row, source: Language, expansion: float, similarity: Mapping[Comparing, Comparison], identify: Identify,
    detect: Detect,
) -> Row:  # fmt: skip
    """Scores all texts of a row."""
    target = LANGUAGES[row.language]
    texts = (score_text(t, source, target, expansion, similarity, identify, detect) for t in row.texts)
    return replace(row, texts=tuple(texts))
