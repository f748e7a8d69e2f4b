"""The gate: turns a unit of input into a row, or says why it must not go further."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from schemas.locales import Language
from schemas.rows import DeadLetter, Row, Sample, Text, Verdict
from schemas.taxonomy import Taxonomy
from transforms.invisible import count_unexplained
from transforms.read import Unit

# Strings that stand for "no text" in Aegis-shaped data. They are carried through, never translated.
PLACEHOLDERS = frozenset({"None", "REDACTED"})
# Two stray invisible characters are an editor's accident; more carry something.
_MOST_HIDDEN = 2
# Below these a language identifier guesses: measured on short English prompts (docs/thresholds.md).
_LEAST_LETTERS, _LEAST_SOURCE, _SURE = 20, 0.2, 0.6
# The keys of a message's role and content: OpenAI's, ShareGPT's.
_MESSAGE_KEYS = (("role", "content"), ("from", "value"))
# A message's role as the input may write it, in any case, and ours.
_ROLES = {
    "system": "system", "developer": "system", "user": "user", "human": "user", "tool": "tool",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant",
}  # fmt: skip

Identify = Callable[[str, Language], tuple[float, float]]


class MissingField(ValueError):
    """A unit lacks a field that the config maps, or holds in it what cannot be read."""


def is_translatable(text: str | None) -> bool:
    """Whether a text has something to translate: not null, not white space, no stand-in for a missing text."""
    return text is not None and bool(text.strip()) and text not in PLACEHOLDERS


def to_row(unit: Unit, taxonomy: Taxonomy) -> tuple[Row, list[str]]:
    """Maps a unit's fields onto a row: its texts are the conversation in order, then the rationale.

    Returns:
        The row, and the reasons that the taxonomy finds against it.

    Raises:
        MissingField: a mapped field is absent, of the wrong type, or holds text that is not encodable as UTF-8.
    """
    record, fields = dict(unit.record), dict(unit.source.fields)

    def fetch(name: str) -> tuple[str, Any]:
        field = fields.get(name)
        if field is None:
            return "", None
        if field not in unit.record:
            raise MissingField(f"there is no field {field!r} (mapped as fields.{name}; null says there is none)")
        record.pop(field, None)
        return field, unit.record[field]

    def take(name: str) -> str | None:
        field, value = fetch(name)
        return _text(f"field {field!r}", str(value) if name == "id" and isinstance(value, int) else value)

    names = (
        "id",
        "prompt",
        "response",
        "prompt_label",
        "response_label",
        "prompt_label_source",
        "response_label_source",
        "categories",
        "system",
        "rationale",
    )
    got = {name: take(name) for name in names}
    turns = [("prompt", got["prompt"]), ("response", got["response"])]
    if fields.get("messages"):
        field, value = fetch("messages")
        turns, rest = _read_messages(field, value)
        if any(rest):
            record[field] = rest
    if got["system"] is not None:
        turns = [("system", got["system"]), *turns]
    if got["rationale"] is not None:
        turns = [*turns, ("rationale", got["rationale"])]
    prompt_label, response_label, slugs, reasons = taxonomy.read(
        got["prompt_label"], got["response_label"], got["categories"]
    )
    sample = Sample(
        source_id=got["id"], dataset=unit.source.dataset, split=unit.source.split, usage=unit.source.usage,
        prompt_label=prompt_label, response_label=response_label, prompt_label_source=got["prompt_label_source"],
        response_label_source=got["response_label_source"], categories=slugs, categories_raw=got["categories"],
        licence=unit.source.licence, metadata=_metadata(record), origin=unit.origin,
    )  # fmt: skip
    return Row(sample, tuple(Text(role, turn, source) for turn, (role, source) in enumerate(turns))), reasons


def _text(where: str, value: Any) -> str | None:
    """The value, if it is a text that can be written, or null."""
    if value is not None and not isinstance(value, str):
        raise MissingField(f"{where} holds a {type(value).__name__}, not text")
    try:
        (value or "").encode("utf-8")
    except UnicodeEncodeError:
        raise MissingField(f"{where} is not encodable as UTF-8") from None
    return value


def _read_messages(field: str, value: Any) -> tuple[list[tuple[str, str | None]], list[dict[str, Any]]]:
    """Reads a conversation: (role, content) of every message, and what else each message holds.

    The last user message is the prompt, unless its content is null, and the last assistant message with text after it
    the response: the turns between, such as calls of tools, stay what they are.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise MissingField(f"field {field!r} holds text that is not a JSON list of messages") from None
    if not isinstance(value, list):
        raise MissingField(f"field {field!r} holds a {type(value).__name__}, not a list of messages")
    turns: list[tuple[str, str | None]] = []
    rest = []
    for number, message in enumerate(value):
        where = f"field {field!r}, message {number} (from 0)"
        given = message if isinstance(message, dict) else {}
        # Where a Parquet struct has the keys of both shapes, those of one are null.
        keys = [pair for pair in _MESSAGE_KEYS if given.get(pair[0]) is not None and pair[1] in given]
        if len(keys) != 1:
            raise MissingField(f"{where}: expected an object with role and content, or with from and value")
        role, content = (given[key] for key in keys[0])
        if not isinstance(role, str) or role.lower() not in _ROLES:
            raise MissingField(f"{where}: unknown role; known are {', '.join(_ROLES)}")
        turns.append((_ROLES[role.lower()], _content(f"{where}: {keys[0][1]}", content)))
        rest.append({k: v for k, v in given.items() if k not in keys[0] and v is not None})
    last = max((i for i, (role, _) in enumerate(turns) if role == "user"), default=len(turns))
    if last < len(turns) and turns[last][1] is not None:
        turns[last] = ("prompt", turns[last][1])
        for i in range(len(turns) - 1, last, -1):
            role, text = turns[i]
            if role == "assistant" and text is not None and text.strip():
                turns[i] = ("response", text)
                break
    return turns, rest


def _content(where: str, value: Any) -> str | None:
    """A message's text, be it the only one of a list of parts."""
    if isinstance(value, list):
        parts = [{k: v for k, v in p.items() if v is not None} if isinstance(p, dict) else None for p in value]
        if len(parts) != 1 or parts[0] is None or parts[0].keys() != {"type", "text"} or parts[0]["type"] != "text":
            raise MissingField(f"{where} holds a list that is not one part of type text alone; write it as one text")
        return _text(f"{where}: text", parts[0]["text"])
    return _text(where, value)


def _metadata(rest: dict[str, Any]) -> str:
    try:
        encoded = json.dumps(_strict(rest), ensure_ascii=False, sort_keys=True, default=str)
        encoded.encode("utf-8")
    except RecursionError:
        raise MissingField("a field that is not mapped is nested too deeply") from None
    except (ValueError, UnicodeEncodeError):
        raise MissingField("a field that is not mapped holds text that is not encodable as UTF-8") from None
    return encoded


def _strict(value: Any) -> Any:
    """The value with the floats that JSON does not have written as protobuf's JSON does: "NaN", "Infinity"."""
    if isinstance(value, dict):
        return {k: _strict(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def admit(unit: Unit, taxonomy: Taxonomy, language: Language, identify: Identify) -> Row | DeadLetter:
    """Lets a unit in, rejects it with reasons, or buries it.

    Args:
        identify: (text, expected language) -> (probability of that language, probability of the likeliest other).
    """
    try:
        row, reasons = to_row(unit, taxonomy)
    except MissingField as error:
        where = f"{unit.origin.file}:{unit.origin.line}"
        return DeadLetter("gate", where, "MissingField", str(error))
    prompt = row.text("prompt")
    if prompt and prompt.source == "REDACTED":
        reasons.append("redacted")
    elif prompt is None or not is_translatable(prompt.source):
        reasons.append("empty_prompt")
    if any(count_unexplained(t.source or "") > _MOST_HIDDEN for t in row.texts):
        reasons.append("hidden_characters")
    if any(_is_foreign(t.source, language, identify) for t in row.texts):
        reasons.append("source_language")
    return replace(row, verdict=Verdict(tuple(reasons))) if reasons else row


def _is_foreign(text: str | None, language: Language, identify: Identify) -> bool:
    if text is None or sum(map(str.isalpha, text)) < _LEAST_LETTERS:
        return False
    # Capitals look like another language to lid.176.
    expected, other = identify(text.lower() if text.isupper() else text, language)
    return expected < _LEAST_SOURCE and other > _SURE
