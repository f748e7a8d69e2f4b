"""The published columns: Arrow schema and the pivot from a row to them."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from schemas.hashing import digest
from schemas.rows import Edit, Row, Text
from schemas.scores import SCORES

SCHEMA_VERSION = "2"

_S, _L = pa.string(), pa.list_(pa.string())
_SCORES = pa.struct([pa.field(score.name, pa.float64()) for score in SCORES])
_MESSAGE = pa.struct([("role", _S), ("content", _S)])
_TEXT = pa.struct(
    [("role", _S), ("turn", pa.int32()), ("source", _S), ("adapted", _S), ("target", _S), ("scores", _SCORES)]
)
_EDIT = pa.struct(
    [
        ("text", _S),
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("kind", _S),
        ("action", _S),
        ("before", _S),
        ("after", _S),
        ("native", _S),
        ("source", _S),
    ]
)
_EVIDENCE = pa.struct(
    [("text", _S), ("start", pa.int32()), ("end", pa.int32()), ("surface", _S), ("kind", _S), ("cultures", _L)]
)

SCHEMA = pa.schema(
    [
        pa.field("id", _S, nullable=False),
        ("source_id", _S),
        ("group_id", _S),
        ("n_locales", pa.int32()),
        ("same_text_as", _S),
        ("dataset", _S),
        ("split", _S),
        ("usage", _S),
        ("source_language", _S),
        ("language", _S),
        ("locale", _S),
        ("prompt", _S),
        ("response", _S),
        ("messages", pa.list_(_MESSAGE)),
        ("prompt_label", _S),
        ("response_label", _S),
        ("prompt_label_source", _S),
        ("response_label_source", _S),
        ("label_status", _S),
        ("refusal", pa.bool_()),
        ("categories", _L),
        ("categories_raw", _S),
        ("methods", _L),
        ("tag", _S),
        ("origin", _S),
        ("source_prompt", _S),
        ("source_response", _S),
        ("adapted_prompt", _S),
        ("adapted_response", _S),
        ("culture_score", pa.float64()),
        ("edits", pa.list_(_EDIT)),
        ("evidence", pa.list_(_EVIDENCE)),
        ("scores_prompt", _SCORES),
        ("scores_response", _SCORES),
        ("other_texts", pa.list_(_TEXT)),
        ("flags", _L),
        ("not_judged", _L),
        ("reasons", _L),
        ("text_fingerprint", _S),
        ("licence", _S),
        ("metadata", _S),
    ],
    metadata={"transcreate.schema_version": SCHEMA_VERSION},
)

_CHAT_ROLES = {"prompt": "user", "response": "assistant"}


def _scores(text: Text | None) -> dict[str, float] | None:
    return None if text is None or not text.scores else dict(text.scores)


def _edit(name: str, edit: Edit) -> dict[str, Any]:
    return {
        "text": name,
        "start": edit.start,
        "end": edit.end,
        "kind": edit.kind,
        "action": edit.action,
        "before": edit.before,
        "after": edit.after,
        "native": edit.natives[0] if edit.natives else None,
        "source": edit.source,
    }


def to_columns(row: Row, source_language: str) -> dict[str, Any]:
    """The row as a dict of the schema's columns."""
    sample, prompt, response = row.sample, row.text("prompt"), row.text("response")
    swapped = any(t.exchanged for t in row.texts)
    native = row.language == source_language and row.origin == "native"
    rechecked = any("label_kept" in t.scores for t in row.texts)

    def out(text: Text | None) -> str | None:
        return None if text is None else text.source if native else text.target

    def adapted(text: Text | None) -> str | None:
        return text.adapted if text and swapped else None

    final = {"prompt": out(prompt), "response": out(response)}
    others = [t for t in row.texts if t.role not in final]
    evidence = [
        {
            "text": row.texts[s.text].name,
            "start": s.start,
            "end": s.end,
            "surface": s.surface,
            "kind": s.kind,
            "cultures": list(s.cultures),
        }
        for s in (row.culture.spans if row.culture else ())
    ]
    return {
        "id": row.id,
        "source_id": sample.source_id,
        "group_id": row.group_id,
        "n_locales": row.n_locales,
        "same_text_as": row.same_text_as,
        "dataset": sample.dataset,
        "split": sample.split,
        "usage": sample.usage,
        "source_language": source_language,
        "language": row.language,
        "locale": row.locale,
        **final,
        "messages": [
            {"role": _CHAT_ROLES.get(t.role, t.role), "content": out(t)}
            for t in row.texts
            if t.role != "rationale" and (t.role not in final or t.source is not None)
        ],
        "prompt_label": sample.prompt_label,
        "response_label": sample.response_label,
        "prompt_label_source": sample.prompt_label_source,
        "response_label_source": sample.response_label_source,
        "label_status": "given" if native else "rechecked" if rechecked else "inherited",
        "refusal": True if sample.response_label_source == "refusal_data_augmentation" else None,
        "categories": list(sample.categories),
        "categories_raw": sample.categories_raw,
        "methods": [],
        "tag": "adapted" if swapped else "generic",
        "origin": row.origin,
        "source_prompt": prompt.source if prompt else None,
        "source_response": response.source if response else None,
        "adapted_prompt": adapted(prompt),
        "adapted_response": adapted(response),
        "culture_score": row.culture.score if row.culture else None,
        "edits": [_edit(t.name, e) for t in row.texts for e in t.edits],
        "evidence": evidence,
        "scores_prompt": _scores(prompt),
        "scores_response": _scores(response),
        "other_texts": [
            {
                "role": t.role,
                "turn": t.turn,
                "source": t.source,
                "adapted": adapted(t),
                "target": out(t),
                "scores": _scores(t),
            }
            for t in others
        ],
        "flags": sorted({f for t in row.texts for f in t.flags}),
        "not_judged": sorted({f"{t.name}.{n}" for t in row.texts for n in t.not_judged}),
        "reasons": list(row.verdict.reasons) if row.verdict else [],
        "text_fingerprint": digest(
            json.dumps(final | {t.name: out(t) for t in others}, ensure_ascii=False, sort_keys=True)
        ),
        "licence": sample.licence,
        "metadata": sample.metadata,
    }
