"""Turns rows into translation requests and puts the answers back: what a row asks, and what becomes of the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from schemas.locales import LANGUAGES, Language
from schemas.rows import Row, Segment, Text
from transforms.blocks import holds_block
from transforms.gate import is_translatable
from transforms.inference.batches import Request, request, rough_tokens
from transforms.segment import Piece, reassemble, segment

FAILED = ("translation_failed",)


def pieces_of(text: Text, source: Language) -> list[Piece]:
    """The pieces of a text's adapted form; none for a text that is carried through untouched."""
    return segment(text.adapted, source) if text.adapted is not None and is_translatable(text.adapted) else []


def translation_request(sentence: str, source: Language, target: Language) -> Request:
    """Asks for one sentence. The same sentence in the same direction is the same request, whoever asks."""
    return request("translate", target.code, rough_tokens(sentence), sentence, source.code, target.code)


def requests_of(row: Row, source: Language) -> list[Request]:
    """Every distinct request of a row; none for a row in the source's own language."""
    target = LANGUAGES[row.language]
    if target == source:
        return []
    asked = [
        translation_request(piece.text, source, target)
        for text in row.texts
        for piece in pieces_of(text, source)
        if piece.translate
    ]
    return list(dict.fromkeys(asked))


def translate(row: Row, source: Language, answers: Mapping[str, Segment]) -> Row:
    """Puts the answers of a row's requests into its texts. A text with a failed sentence has no target.

    In the source's own language the adapted text is the target, and the row's origin is `localized`.

    Args:
        answers: request key -> segment. A request that the model could not answer at all has none: it failed.
    """
    target = LANGUAGES[row.language]
    if target == source:
        return replace(row, texts=tuple(replace(t, target=t.adapted) for t in row.texts), origin="localized")
    texts = []
    for text in row.texts:
        pieces = pieces_of(text, source)
        if not pieces:
            texts.append(replace(text, target=text.adapted))
            continue
        segments = tuple(
            answers.get(translation_request(p.text, source, target).key, Segment(p.text, "", 0.0, 0.0, 0, FAILED))
            for p in pieces
            if p.translate
        )
        raised = [f for s in segments for f in s.flags] + ["block_kept"] * holds_block(text.adapted or "")
        if not segments and any(map(str.isalpha, text.adapted or "")):
            raised.append("nothing_translated")
        flags = tuple(dict.fromkeys((*text.flags, *raised)))
        made = None if "translation_failed" in flags else reassemble(pieces, [s.target for s in segments], target)
        texts.append(replace(text, target=made, segments=segments, flags=flags))
    return replace(row, texts=tuple(texts), origin="machine_translated")
