"""What a language model is asked about a row, and what of its answers is believed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.kinds import KIND_OF
from schemas.rows import Row, Span, Text, with_flag
from transforms.choose import is_safe
from transforms.culture_pack import SAFE_ROWS_ONLY, CulturePack
from transforms.inference.batches import Request
from transforms.inference.llm import Answer, ask
from transforms.score import is_scored
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


def label_request(row: Row, translated: bool = False) -> Request:
    """Asks for the labels of a row as it was adapted, or as it was translated."""
    prompt, response = (
        text and (text.target if translated else text.adapted) for text in (row.text("prompt"), row.text("response"))
    )
    about = {"locale": row.locale, "prompt": prompt, "response": response, "categories": list(row.sample.categories)}
    return ask("label", row.locale, about)


def with_label_kept(row: Row, answer: Answer, score: str = "label_kept") -> Row:
    """The row with the score on each labelled text, or with it not judged where no answer came."""
    given = {"prompt": row.sample.prompt_label, "response": row.sample.response_label}
    texts = []
    for text in row.texts:
        label = given.get(text.role)
        if label is None or text.adapted is None:
            texts.append(text)
        else:
            kept = None if answer.found is None else float(answer.found[text.role] == label)
            texts.append(_with_score(text, score, kept))
    return replace(row, texts=tuple(texts))


def _with_score(text: Text, name: str, value: float | None) -> Text:
    """The text with a score, or with the score not judged."""
    if value is None:
        return replace(text, not_judged=(*text.not_judged, name))
    return replace(text, scores={**text.scores, name: value})


def judge_requests(row: Row, label: bool) -> list[Request]:
    """Asks the judge for marks of every translated text, and for the labels of the row as it was translated.

    Args:
        label: whether to ask for the labels.
    """
    marked = [_faith_request(row, text) for text in row.texts if _is_marked(row, text)]
    return list(dict.fromkeys([*marked, label_request(row, translated=True)] if marked and label else marked))


def _is_marked(row: Row, text: Text) -> bool:
    return row.origin == "machine_translated" and is_scored(text, crosses=True)


def _faith_request(row: Row, text: Text) -> Request:
    return ask("faith", row.locale, {"locale": row.locale, "source": text.adapted, "translation": text.target})


def with_judgement(row: Row, answer_to: Callable[[Request], Answer], label: bool) -> Row:
    """The row with what the judge says of it: `faith`, its worst mark, and `label_survives`; not judged where no answer came.

    Args:
        answer_to: request -> what came of it.
        label: whether the labels were asked for.
    """
    texts = []
    for text in row.texts:
        if _is_marked(row, text):
            found = answer_to(_faith_request(row, text)).found
            text = _with_score(text, "faith", None if found is None else float(min(found.values())))
        texts.append(text)
    done = replace(row, texts=tuple(texts))
    if not label or not any(_is_marked(row, text) for text in row.texts):
        return done
    return with_label_kept(done, answer_to(label_request(row, translated=True)), "label_survives")
