"""Scores what Adapt did, like a translation: what is left of the source culture, what changed that should not, what was kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schemas.rows import Row, Text
from transforms.adapt import changes_outside, residual
from transforms.align import Comparing, Comparison
from transforms.score import concepts, settle
from transforms.segment import without_verbatim
from transforms.segregate import Lexicon, find_spans


def asking_adaptation(text: Text, language: str) -> Comparing | None:
    """What to ask the encoder to know whether an adaptation still means the same; None where nothing was exchanged.

    Args:
        language: FLORES-200 code of the source.
    """
    if not text.exchanged:
        return None
    return Comparing(
        (without_verbatim(text.source or ""),), (without_verbatim(text.adapted or ""),), language, language, 1.0, True
    )


def length_change(source: str, adapted: str) -> float:
    """The longer over the shorter, in characters, less one."""
    short, long = sorted((len(source), len(adapted)))
    return long / short - 1 if short else float(long > 0)


def evidence_kept(source: str, adapted: str, language: str) -> float:
    """Share of the unsafe concepts of the source that the adapted text names too; 1 where there are none."""
    named = concepts(source, language)
    return len(named & concepts(adapted, language)) / len(named) if named else 1.0


def score_adaptation(
    row: Row, source: str, language: str, lexicon: Lexicon, similarity: Mapping[Comparing, Comparison]
) -> Row:
    """Adds the scores of the adaptation to every text in which something was exchanged.

    Args:
        source: the source locale; `language`: its FLORES-200 code.
        similarity: what the encoder answered to `asking_adaptation`, as far as it did.
    """
    return replace(
        row, texts=tuple(_score(t, i, source, language, lexicon, similarity) for i, t in enumerate(row.texts))
    )


def _score(
    text: Text, index: int, source: str, language: str, lexicon: Lexicon, similarity: Mapping[Comparing, Comparison]
) -> Text:
    asked = asking_adaptation(text, language)
    if asked is None:
        return text
    compared = similarity.get(asked)
    before, after = text.source or "", text.adapted or ""
    found: dict[str, float | None] = {
        "residual": residual(text, find_spans(after, index, lexicon), source),
        "changed_outside": changes_outside(text),
        "adapted_similarity": compared and compared.similarity,
        "adapted_length": length_change(before, after),
        "evidence_kept": evidence_kept(before, after, language),
    }
    scores, missing = settle(found)
    return replace(text, scores={**text.scores, **scores}, not_judged=(*text.not_judged, *missing))
