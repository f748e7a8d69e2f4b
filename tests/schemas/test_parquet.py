from __future__ import annotations

import json
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.hashing import digest
from schemas.parquet import SCHEMA, SCHEMA_VERSION, to_columns
from schemas.rows import Row, Text, Verdict
from schemas.scores import SCORES
from tests.builders import make_row, make_segregated
from transforms.adapt import adapt
from transforms.culture_pack import load_pack
from transforms.segregate import load_lexicon, segregate


def native() -> Row:
    return replace(make_row("Hello.", "Bye."), locale="en-US", language="eng_Latn", group_id="g")


def translated(prompt: str = "Emily lives in Boston.", response: str | None = "Boston?", **sample: object) -> Row:
    return localized(make_segregated(prompt, response, group_id="g", **sample))


def localized(row: Row) -> Row:
    row = replace(row, locale="de-DE", language="deu_Latn", origin="machine_translated", n_locales=2)
    row = adapt(row, "en-US", load_pack("de-DE"))
    texts = tuple(
        replace(t, target=t.source and f"[{t.adapted}]", scores={s.name: 0.5 for s in SCORES[i:]}, flags=("b", "a"),
                not_judged=("similarity",))
        for i, t in enumerate(row.texts)
    )  # fmt: skip
    return replace(row, texts=texts, verdict=Verdict(("wrong_language", "copied")))


CHAT = (
    ("system", "Boston is far."), ("user", "Emily lives in Boston."), ("assistant", "I see."), ("tool", None),
    ("prompt", "Is Boston large?"), ("response", "Emily knows."), ("assistant", "Ask Emily."),
    ("rationale", "Emily asks politely."),
)  # fmt: skip


def chat(turns: tuple[tuple[str, str | None], ...] = CHAT) -> Row:
    row = replace(make_row(), group_id="g", locale="en-US", language="eng_Latn")
    return replace(row, texts=tuple(Text(role, turn, source) for turn, (role, source) in enumerate(turns)))


def translated_chat() -> Row:
    return localized(segregate(chat(), load_lexicon("en-US")))


ROWS = {
    "conversation": translated_chat(),
    "native conversation": chat(),
    "native": native(),
    "translated": translated(),
    "without a response": translated(response=None),
    "generic": translated("How can I bake bread?", "Mix it."),
    "unjudged": replace(make_row(None), locale="de-DE", language="deu_Latn"),
}


@pytest.mark.parametrize("name", ROWS)
def test_the_columns_are_exactly_those_of_the_schema(name: str) -> None:
    columns = to_columns(ROWS[name], "eng_Latn")
    assert set(columns) == set(SCHEMA.names)
    for edit in columns["edits"]:
        assert set(edit) == {f.name for f in SCHEMA.field("edits").type.value_type}
    for span in columns["evidence"]:
        assert set(span) == {f.name for f in SCHEMA.field("evidence").type.value_type}
    for other in columns["other_texts"]:
        assert set(other) == {f.name for f in SCHEMA.field("other_texts").type.value_type}
    for message in columns["messages"]:
        assert set(message) == {"role", "content"}


@pytest.mark.parametrize("name", ROWS)
def test_every_value_survives_parquet(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    columns = to_columns(ROWS[name], "eng_Latn")
    table = pa.Table.from_pylist([columns], schema=SCHEMA)
    path = tmp_path_factory.mktemp("out") / "x.parquet"
    pq.write_table(table, path)
    (back,) = pq.read_table(path).to_pylist()
    for side in ("scores_prompt", "scores_response"):
        if columns[side] is not None:
            columns[side] = {s.name: columns[side].get(s.name) for s in SCORES}
    for other in columns["other_texts"]:
        if other["scores"] is not None:
            other["scores"] = {s.name: other["scores"].get(s.name) for s in SCORES}
    assert back == columns
    assert pq.read_schema(path).metadata[b"transcreate.schema_version"] == SCHEMA_VERSION.encode()


def test_columns_have_no_arrow_maps_and_ids_are_never_null() -> None:
    assert not any(pa.types.is_map(field.type) for field in SCHEMA)
    assert not SCHEMA.field("id").nullable


def test_a_native_row_shows_its_source_text() -> None:
    columns = to_columns(native(), "eng_Latn")
    assert (columns["prompt"], columns["response"], columns["tag"]) == ("Hello.", "Bye.", "generic")
    assert (columns["label_status"], columns["origin"]) == ("given", "native")
    assert columns["messages"] == [{"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Bye."}]


def test_a_translated_row_shows_its_target_and_how_it_came_about() -> None:
    columns = to_columns(translated(), "eng_Latn")
    assert columns["prompt"] == f"[{columns['adapted_prompt']}]"
    assert columns["source_prompt"] == "Emily lives in Boston."
    assert (columns["label_status"], columns["tag"]) == ("rechecked", "adapted")
    unchecked = replace(translated(), texts=tuple(replace(t, scores={}) for t in translated().texts))
    assert to_columns(unchecked, "eng_Latn")["label_status"] == "inherited"
    assert [(e["text"], e["before"], e["action"]) for e in columns["edits"]] == [
        ("prompt", "Emily", "swap"), ("prompt", "Boston", "swap"), ("response", "Boston", "swap"),
    ]  # fmt: skip
    for edit in columns["edits"]:
        assert columns[f"adapted_{edit['text']}"][edit["start"] : edit["end"]] == edit["after"]
    for span in columns["evidence"]:
        assert columns[f"source_{span['text']}"][span["start"] : span["end"]] == span["surface"]
    assert columns["flags"] == ["a", "b"]
    assert columns["not_judged"] == ["prompt.similarity", "response.similarity"]
    assert columns["reasons"] == ["wrong_language", "copied"]


def test_messages_are_the_whole_conversation_and_not_the_rationale() -> None:
    columns = to_columns(translated_chat(), "eng_Latn")
    assert [m["role"] for m in columns["messages"]] == [
        "system", "user", "assistant", "tool", "user", "assistant", "assistant"
    ]  # fmt: skip
    contents = [m["content"] for m in columns["messages"]]
    assert contents[3] is None
    assert (contents[4], contents[5]) == (columns["prompt"], columns["response"])
    assert all(c.startswith("[") and "Boston" not in c for c in contents if c is not None)
    others = {o["turn"]: o["target"] for o in columns["other_texts"] if o["role"] != "rationale"}
    assert others == {turn: contents[turn] for turn in (0, 1, 2, 3, 6)}


def test_a_turn_whose_translation_failed_stays_without_content() -> None:
    row = translated_chat()
    failed = to_columns(replace(row, texts=tuple(replace(t, target=None) for t in row.texts)), "eng_Latn")
    assert failed["messages"] == [m | {"content": None} for m in to_columns(row, "eng_Latn")["messages"]]
    row = translated(response=None)
    failed = to_columns(replace(row, texts=tuple(replace(t, target=None) for t in row.texts)), "eng_Latn")
    assert failed["messages"] == [{"role": "user", "content": None}]


def test_all_that_is_neither_prompt_nor_response_is_in_other_texts() -> None:
    columns = to_columns(translated_chat(), "eng_Latn")
    others = columns["other_texts"]
    assert [(o["role"], o["turn"], o["source"]) for o in others] == [
        (role, turn, source) for turn, (role, source) in enumerate(CHAT) if role not in ("prompt", "response")
    ]
    assert all(o["target"] == (o["source"] and f"[{o['adapted']}]") for o in others)
    assert others[0]["scores"]["similarity"] == 0.5
    sources = {Text(o["role"], o["turn"], None).name: o for o in others}
    sources |= {
        n: {"source": columns[f"source_{n}"], "adapted": columns[f"adapted_{n}"]} for n in ("prompt", "response")
    }
    for edit in columns["edits"]:
        assert sources[edit["text"]]["adapted"][edit["start"] : edit["end"]] == edit["after"]
    for span in columns["evidence"]:
        assert sources[span["text"]]["source"][span["start"] : span["end"]] == span["surface"]
    assert {e["text"] for e in columns["edits"]} == {
        "system", "user[1]", "prompt", "response", "assistant[6]", "rationale"
    }  # fmt: skip
    assert "user[1].similarity" in columns["not_judged"]


def test_other_texts_of_a_native_row_show_their_source() -> None:
    columns = to_columns(chat(), "eng_Latn")
    assert all(o["target"] == o["source"] and o["adapted"] is None for o in columns["other_texts"])
    assert [m["content"] for m in columns["messages"]] == [source for role, source in CHAT if role != "rationale"]


def test_a_row_of_prompt_and_response_has_no_other_texts() -> None:
    assert to_columns(native(), "eng_Latn")["other_texts"] == []


def test_a_generic_row_has_no_adapted_text() -> None:
    columns = to_columns(ROWS["generic"], "eng_Latn")
    assert (columns["tag"], columns["adapted_prompt"], columns["adapted_response"]) == ("generic", None, None)


def test_no_response_is_null_and_no_message() -> None:
    columns = to_columns(ROWS["without a response"], "eng_Latn")
    assert columns["response"] is None
    assert [m["role"] for m in columns["messages"]] == ["user"]


def test_a_written_refusal_is_known_as_one() -> None:
    row = make_row("p", "r", response_label_source="refusal_data_augmentation")
    assert to_columns(row, "eng_Latn")["refusal"] is True
    assert to_columns(make_row("p", "r"), "eng_Latn")["refusal"] is None


def test_the_text_fingerprint_is_that_of_the_texts_alone() -> None:
    one = to_columns(native(), "eng_Latn")
    other = to_columns(replace(native(), id="other"), "eng_Latn")
    third = to_columns(replace(native(), texts=make_row("Hello.", "Bye!").texts), "eng_Latn")
    assert one["text_fingerprint"] == other["text_fingerprint"] != third["text_fingerprint"]
    assert json.loads(one["metadata"]) == {}


def test_the_text_fingerprint_covers_every_text() -> None:
    changed = [tuple((r, "Another." if turn == i else s) for i, (r, s) in enumerate(CHAT)) for turn in range(len(CHAT))]
    prints = {to_columns(chat(turns), "eng_Latn")["text_fingerprint"] for turns in (CHAT, *changed)}
    assert len(prints) == len(CHAT) + 1


def test_the_text_fingerprint_of_prompt_and_response_is_as_ever() -> None:
    # A constant of schema 1: rows without other texts keep it.
    assert to_columns(native(), "eng_Latn")["text_fingerprint"] == digest('{"prompt": "Hello.", "response": "Bye."}')
