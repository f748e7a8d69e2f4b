"""What a language model is asked about a row, and what of its answers is believed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from schemas.kinds import KIND_OF
from schemas.rows import Row, Span, with_flag
from transforms.choose import is_safe
from transforms.culture_pack import SAFE_ROWS_ONLY, CulturePack
from transforms.inference.batches import Request
from transforms.inference.llm import Answer, ask
from transforms.segregate import Lexicon, combine, from_marks, segregate

# A replacement is a name, an amount or a short phrase. What is longer is no replacement but an answer, or somebody's words.
_LONGEST = 60
_STRANGE = re.compile(r"[\n\r\t<>{}\[\]`|\\]|https?:|www\.")
# Kinds whose spans the pipeline itself never exchanges, so that no model is asked about them.
_NEVER = frozenset({"person", "group", "event", "jurisdiction", "norm"})


def segregate_request(row: Row) -> Request:
    """Asks for the spans of a row that belong to a culture."""
    return ask("segregate", "any", {"texts": [t.source or "" for t in row.texts]})


def marks_of(answer: Answer, row: Row) -> list[tuple[int, str, str, tuple[str, ...]]]:
    """(text, surface, kind, cultures) for each mark of an answer that makes sense; `segregate.from_marks` finds the places."""
    assert answer.found is not None, "only a good answer has marks"
    marks = []
    for span in answer.found["spans"]:
        cultures = tuple(c for c in dict.fromkeys(span["cultures"]) if re.fullmatch(r"[a-z]{2,3}-[A-Z]{2}", c))
        if 0 <= span["text"] < len(row.texts) and span["kind"] in KIND_OF and cultures and span["surface"].strip():
            marks.append((span["text"], span["surface"].strip(), span["kind"], cultures))
    return marks


def segregate_by_llm(row: Row, answer: Answer, lexicon: Lexicon, both: bool) -> Row:
    """The row with the culture that a model's marks give it; by the lexicon, and flagged, where no answer came.

    Args:
        answer: to the row's `segregate_request`.
        both: the lexicon's spans count too (`segregate.method: hybrid`).
    """
    if answer.found is None:
        return with_flag(segregate(row, lexicon), "segregation_failed")
    marked = from_marks(row, marks_of(answer, row))
    if both:
        by_lexicon = segregate(row, lexicon).culture
        assert by_lexicon is not None, "segregate fills it"
        marked = combine(by_lexicon, marked)
    return replace(row, culture=marked)


def open_spans(row: Row, source: str, locale: str) -> list[Span]:
    """The spans of a row that a model may find replacements for, each surface once, in the order of the row."""
    assert row.culture is not None, "segregate first"
    seen: dict[tuple[str, str], Span] = {}
    for span in row.culture.spans:
        if source in span.cultures and locale not in span.cultures and KIND_OF[span.kind] not in _NEVER:
            seen.setdefault((span.kind, span.surface.casefold()), span)
    return list(seen.values())


def adapt_request(row: Row, source: str, pack: CulturePack) -> Request | None:
    """Asks for replacements; None where there is nothing to replace."""
    spans = open_spans(row, source, pack.locale)
    if not spans:
        return None
    about: dict[str, Any] = {
        "locale": pack.locale,
        "texts": [t.source for t in row.texts if t.source],
        "safe": is_safe(row),
        "spans": [{"id": i, "surface": s.surface, "kind": s.kind} for i, s in enumerate(spans)],
    }
    if pack.notes:
        about["notes"] = list(pack.notes)
    return ask("adapt", pack.locale, about)


def choices_of(
    answer: Answer,
    spans: list[Span],
    kinds_in: Callable[[str], set[tuple[str, tuple[str, ...]]]],
    source: str,
    safe: bool,
) -> dict[tuple[str, str], tuple[str, str] | None]:
    """(kind, folded surface) -> (English, native) or None for keep, for each choice that can be believed.

    What names a span that was not asked about, is long, holds markup or addresses, repeats what it should replace, is of
    the source culture itself, or names a public person, a group or, where the row is not safe, a company, is left out:
    the rules decide there.

    Args:
        kinds_in: text -> (kind, cultures) of every span in it.
        safe: whether the row is safe as a whole.
    """
    assert answer.found is not None, "only a good answer has choices"
    chosen: dict[tuple[str, str], tuple[str, str] | None] = {}
    for choice in answer.found["choices"]:
        if not 0 <= choice["id"] < len(spans):
            continue
        span = spans[choice["id"]]
        key = span.kind, span.surface.casefold()
        after, native = choice["after"].strip(), choice["native"].strip()
        if choice["action"] == "keep":
            chosen[key] = None
        elif _is_plausible(after) and _is_plausible(native) and after.casefold() != key[1]:
            named = kinds_in(after)
            barred = {"person", "group"} | (set() if safe else SAFE_ROWS_ONLY)
            if not any(kind in barred or source in cultures for kind, cultures in named):
                chosen[key] = after, native
    return chosen


def _is_plausible(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and not _STRANGE.search(text)


def label_request(row: Row) -> Request:
    """Asks for the labels of a row as it was adapted."""
    prompt, response = row.text("prompt"), row.text("response")
    about = {
        "locale": row.locale,
        "prompt": prompt.adapted if prompt else None,
        "response": response.adapted if response else None,
        "categories": list(row.sample.categories),
    }
    return ask("label", row.locale, about)


def with_label_kept(row: Row, answer: Answer) -> Row:
    """The row with the score `label_kept` on each labelled text, or with `label_kept` not judged where no answer came."""
    given = {"prompt": row.sample.prompt_label, "response": row.sample.response_label}
    texts = []
    for text in row.texts:
        label = given.get(text.role)
        if label is None or text.adapted is None:
            texts.append(text)
        elif answer.found is None:
            texts.append(replace(text, not_judged=(*text.not_judged, "label_kept")))
        else:
            kept: Mapping[str, float] = {"label_kept": float(answer.found[text.role] == label)}
            texts.append(replace(text, scores={**text.scores, **kept}))
    return replace(row, texts=tuple(texts))
