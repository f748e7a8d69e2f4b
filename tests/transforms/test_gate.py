from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.locales import LANGUAGES, Language
from schemas.reasons import GATE
from schemas.rows import DeadLetter, Row
from schemas.taxonomy import load_taxonomy
from tests.builders import AEGIS_FIELDS, make_record, make_unit
from transforms.gate import MissingField, admit, is_translatable, to_row

AEGIS = load_taxonomy("aegis2")
ENGLISH = LANGUAGES["eng_Latn"]
LONG_GERMAN = "Das ist ein Satz auf Deutsch, der lang genug ist."


def english(text: str, language: Language) -> tuple[float, float]:
    return (0.01, 0.95) if "auf Deutsch" in text else (0.9, 0.05)


def gate(**changes: Any) -> Row | DeadLetter:
    return admit(make_unit(make_record(**changes)), AEGIS, ENGLISH, english)


def reasons(**changes: Any) -> tuple[str, ...]:
    row = gate(**changes)
    assert isinstance(row, Row)
    return row.verdict.reasons if row.verdict else ()


def letter(**changes: Any) -> DeadLetter:
    dead = gate(**changes)
    assert isinstance(dead, DeadLetter)
    return dead


# --- what passes ---


def test_a_sound_record_passes_without_a_verdict() -> None:
    row = gate(id="abc", prompt="How do I hurt someone?", response="I cannot help with that.", prompt_label="unsafe",
               response_label="safe", response_label_source="llm", violated_categories="Violence, Threat")  # fmt: skip
    assert isinstance(row, Row)
    assert row.verdict is None
    sample = row.sample
    assert (sample.source_id, sample.prompt_label, sample.response_label) == ("abc", "unsafe", "safe")
    assert sample.categories == ("aegis2:threat", "aegis2:violence")
    assert sample.categories_raw == "Violence, Threat"
    assert (sample.dataset, sample.split, sample.licence, sample.origin.line) == ("demo", "train", "CC0-1.0", 7)
    assert [(t.role, t.turn, t.source) for t in row.texts] == [
        ("prompt", 0, "How do I hurt someone?"),
        ("response", 1, "I cannot help with that."),
    ]
    assert row.id == ""


def test_a_number_may_be_an_id() -> None:
    row = gate(id=17)
    assert isinstance(row, Row)
    assert row.sample.source_id == "17"


# --- reasons ---


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"prompt": "REDACTED"}, ("redacted",)),
        ({"prompt": None}, ("empty_prompt",)),
        ({"prompt": ""}, ("empty_prompt",)),
        ({"prompt": " \n\u2003"}, ("empty_prompt",)),
        ({"prompt": "None"}, ("empty_prompt",)),
        ({"prompt_label": "toxic"}, ("unknown_label",)),
        ({"response": "Hello.", "response_label": "meh"}, ("unknown_label",)),
        ({"prompt_label": "toxic", "response_label": "meh"}, ("unknown_label",)),
        ({"prompt_label": "unsafe", "violated_categories": "Jaywalking"}, ("unknown_category",)),
        ({"prompt_label": "unsafe"}, ("label_without_category",)),
        ({"violated_categories": "Violence"}, ("category_without_label",)),
        ({"prompt": "Hello" + "\u200b" * 3}, ("hidden_characters",)),
        ({"response": "Hello" + "\U000e0041" * 20}, ("hidden_characters",)),
        ({"prompt": LONG_GERMAN}, ("source_language",)),
        ({"response": LONG_GERMAN}, ("source_language",)),
        ({"prompt": "REDACTED", "prompt_label": "unsafe", "response": LONG_GERMAN},
         ("label_without_category", "redacted", "source_language")),
    ],
)  # fmt: skip
def test_each_reason_is_given_for_its_defect_alone(changes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert reasons(**changes) == expected
    assert set(expected) <= set(GATE)


@pytest.mark.parametrize("prompt", ["none", "Redacted", "None of these.", "REDACTED text", "n/a"])
def test_only_the_exact_stand_ins_stand_for_no_text(prompt: str) -> None:
    assert reasons(prompt=prompt) == ()


@pytest.mark.parametrize("response", [None, "", "None", "REDACTED"])
def test_the_ways_to_have_no_response_pass_and_stay_apart(response: str | None) -> None:
    row = gate(response=response)
    assert isinstance(row, Row)
    assert row.verdict is None
    assert row.texts[1].source == response
    assert not is_translatable(response)


def test_a_rejected_row_keeps_its_text_and_labels() -> None:
    row = gate(prompt="REDACTED", prompt_label="unsafe", violated_categories="Sexual Minor")
    assert isinstance(row, Row)
    assert row.texts[0].source == "REDACTED"
    assert row.sample.categories == ("aegis2:sexual_minor",)


def test_two_stray_invisible_characters_are_an_accident() -> None:
    assert reasons(prompt="Hel\u200blo wor\u200bld") == ()


def test_a_short_text_is_not_asked_for_its_language() -> None:
    assert reasons(prompt="auf Deutsch") == ()


@pytest.mark.parametrize(
    ("answer", "foreign"),
    [((0.19, 0.61), True), ((0.2, 0.79), False), ((0.1, 0.6), False), ((0.0, 1.0), True), ((1.0, 0.0), False)],
)
def test_a_text_is_foreign_only_if_another_language_is_likely(answer: tuple[float, float], foreign: bool) -> None:
    row = admit(make_unit(make_record(prompt="x" * 30)), AEGIS, ENGLISH, lambda text, language: answer)
    assert isinstance(row, Row)
    assert (row.verdict is not None) == foreign


# --- dead letters ---


@pytest.mark.parametrize("field", ["id", "prompt", "response", "prompt_label", "response_label", "violated_categories"])
def test_a_missing_field_is_named_and_not_guessed(field: str) -> None:
    record = make_record()
    del record[field]
    dead = admit(make_unit(record), AEGIS, ENGLISH, english)
    assert isinstance(dead, DeadLetter)
    assert (dead.stage, dead.location, dead.error) == ("gate", "in.jsonl:7", "MissingField")
    assert repr(field) in dead.message


@pytest.mark.parametrize("value", [1.5, True, ["text"], {"text": "x"}, b"text"])
def test_a_prompt_that_is_no_text_is_buried_with_its_type(value: Any) -> None:
    assert type(value).__name__ in letter(prompt=value).message


@pytest.mark.parametrize("field", ["id", "prompt", "response", "prompt_label", "violated_categories", "unmapped"])
def test_a_lone_surrogate_is_buried_wherever_it_stands(field: str) -> None:
    assert "UTF-8" in letter(**{field: "half of \ud83d"}).message


def test_a_lone_surrogate_in_a_name_or_deep_inside_is_buried_too() -> None:
    assert "UTF-8" in letter(**{"\ud83d": 1}).message
    assert "UTF-8" in letter(extra=[{"a": ["\udfff"]}]).message


def test_a_field_that_is_mapped_to_null_may_be_absent() -> None:
    fields = tuple((ours, None if ours in ("id", "response") else theirs) for ours, theirs in AEGIS_FIELDS)
    record = make_record()
    del record["id"], record["response"]
    row = admit(make_unit(record, fields=fields), AEGIS, ENGLISH, english)
    assert isinstance(row, Row)
    assert row.sample.source_id is None
    assert row.texts[1].source is None


def test_two_of_our_names_may_be_mapped_to_one_field() -> None:
    fields = tuple((ours, "label" if ours.endswith("_label") else theirs) for ours, theirs in AEGIS_FIELDS)
    record = make_record(label="safe", response="Use flour.")
    row, found = to_row(make_unit(record, fields=fields), AEGIS)
    assert (row.sample.prompt_label, row.sample.response_label) == ("safe", "safe")
    assert found == []
    assert "label" not in json.loads(row.sample.metadata)


def test_nesting_too_deep_to_write_is_buried() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert "deep" in letter(extra=deep).message
    while isinstance(deep, list):  # taken apart by hand: freeing it at once would recurse
        deep = deep.pop()


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([theirs for _, theirs in AEGIS_FIELDS if theirs] + ["other"]),
        st.one_of(st.none(), st.text(st.characters()), st.integers(), st.floats(), st.lists(st.text(), max_size=2)),
    )
)
def test_any_record_becomes_a_row_or_a_dead_letter_without_payload(record: dict[str, Any]) -> None:
    record = {k: f"SECRET{v}" if isinstance(v, str) else v for k, v in record.items()}
    result = admit(make_unit(record), AEGIS, ENGLISH, english)
    if isinstance(result, Row):
        result.sample.metadata.encode("utf-8")
        assert set(result.verdict.reasons if result.verdict else ()) <= set(GATE)
    else:
        assert "SECRET" not in result.as_json()


# --- conversations ---

CHAT_FIELDS = (
    *((ours, None if ours in ("prompt", "response") else theirs) for ours, theirs in AEGIS_FIELDS),
    ("messages", "messages"),
)


def said(*turns: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "content": content} for role, content in turns]


def chat(messages: Any, fields: Any = CHAT_FIELDS, **changes: Any) -> Row | DeadLetter:
    record = {k: v for k, v in make_record(messages=messages, **changes).items() if k not in ("prompt", "response")}
    return admit(make_unit(record, fields=fields), AEGIS, ENGLISH, english)


def chat_texts(messages: Any, **changes: Any) -> list[tuple[str, int, str | None]]:
    row = chat(messages, **changes)
    assert isinstance(row, Row)
    return [(t.role, t.turn, t.source) for t in row.texts]


def test_the_last_question_and_its_answer_are_prompt_and_response_and_the_others_keep_their_roles() -> None:
    turns = said(("system", "Be kind."), ("user", "Hello."), ("assistant", "Hi."), ("tool", "{}"),
                 ("user", "Can you help?"), ("assistant", "Yes."), ("assistant", "Gladly."))  # fmt: skip
    assert chat_texts(turns) == [
        ("system", 0, "Be kind."), ("user", 1, "Hello."), ("assistant", 2, "Hi."), ("tool", 3, "{}"),
        ("prompt", 4, "Can you help?"), ("assistant", 5, "Yes."), ("response", 6, "Gladly."),
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_the_response_is_the_answer_after_calls_of_tools(content: str | None) -> None:
    turns = said(("user", "Can you help?"), ("assistant", content), ("tool", "42"), ("assistant", "Yes."))
    turns[1]["tool_calls"] = [{"id": 7}]
    expected = [("prompt", 0, "Can you help?"), ("assistant", 1, content), ("tool", 2, "42"), ("response", 3, "Yes.")]
    assert chat_texts(turns) == expected
    trailing = said(("assistant", content), ("tool", "43"))
    assert chat_texts(turns + trailing) == [*expected, ("assistant", 4, content), ("tool", 5, "43")]
    row = chat(turns, response_label="safe")
    assert isinstance(row, Row)
    assert (row.verdict, row.sample.response_label) == (None, "safe")
    assert chat_texts([*turns, *said(("user", "Thanks."))])[3] == ("assistant", 3, "Yes.")


def test_a_conversation_that_ends_with_the_user_has_no_response() -> None:
    turns = said(("user", "Hello."), ("assistant", "Hi."), ("user", "Can you help?"))
    assert [role for role, _, _ in chat_texts(turns)] == ["user", "assistant", "prompt"]
    turns = said(("user", "Can you help?"), ("assistant", None), ("tool", "42"))
    assert [role for role, _, _ in chat_texts(turns)] == ["prompt", "assistant", "tool"]


@pytest.mark.parametrize(
    ("user", "assistant"), [("human", "gpt"), ("user", "model"), ("human", "bot"), ("User", "ASSISTANT")]
)
def test_common_names_of_roles_are_known(user: str, assistant: str) -> None:
    turns = said((user, "Hello."), (assistant, "Hi."), (user, "Can you help?"), (assistant, "Yes."))
    assert [role for role, _, _ in chat_texts(turns)] == ["user", "assistant", "prompt", "response"]


def test_the_developers_message_is_a_system_prompt() -> None:
    turns = said(("Developer", "Be kind."), ("user", "Can you help?"))
    assert [role for role, _, _ in chat_texts(turns)] == ["system", "prompt"]


def test_a_conversation_may_be_sharegpts() -> None:
    turns = said(("user", "Can you help?"), ("assistant", "Yes."))
    theirs = [{"from": t["role"], "value": t["content"]} for t in turns]
    assert chat_texts(theirs) == chat_texts(turns)
    empty = [t | {"role": None, "content": None} for t in theirs]  # one Parquet struct for both shapes
    row = chat(empty)
    assert chat_texts(empty) == chat_texts(turns)
    assert isinstance(row, Row)
    assert row.sample.metadata == "{}"


def test_a_message_may_be_one_part_of_text() -> None:
    part = {"type": "text", "text": "Can you help?", "image_url": None}
    assert chat_texts(said(("user", [part]))) == [("prompt", 0, "Can you help?")]
    assert chat_texts([{"from": "human", "value": [part]}]) == [("prompt", 0, "Can you help?")]


def test_a_conversation_may_be_a_json_string() -> None:
    turns = said(("user", "Can you help?"), ("assistant", None))
    assert chat_texts(json.dumps(turns)) == chat_texts(turns)


@pytest.mark.parametrize("content", [None, "", " \n", "None", "REDACTED"])
def test_turns_without_text_are_carried_through_as_they_are(content: str | None) -> None:
    turns = said(("user", content), ("tool", content), ("user", "Can you help?"), ("assistant", content))
    role = "response" if content and content.strip() else "assistant"
    assert chat_texts(turns) == [("user", 0, content), ("tool", 1, content), ("prompt", 2, "Can you help?"),
                                 (role, 3, content)]  # fmt: skip


@pytest.mark.parametrize(
    "turns",
    [
        [],
        said(("system", "Be kind."), ("assistant", "Hi.")),
        said(("user", None), ("assistant", "Hi.")),
        said(("user", "Hello."), ("assistant", "Hi."), ("user", " ")),
    ],
)
def test_a_conversation_without_a_last_question_has_an_empty_prompt(turns: Any) -> None:
    row = chat(turns)
    assert isinstance(row, Row) and row.verdict
    assert row.verdict.reasons == ("empty_prompt",)
    assert row.text("response") is None


@pytest.mark.parametrize(
    ("turns", "message"),
    [
        (None, "field 'messages' holds a NoneType, not a list of messages"),
        ({"role": "user", "content": "SECRET"}, "field 'messages' holds a dict, not a list of messages"),
        ("SECRET", "field 'messages' holds text that is not a JSON list of messages"),
        ('"SECRET"', "field 'messages' holds a str, not a list of messages"),
        (["SECRET"], "field 'messages', message 0 (from 0): expected an object with role and content"),
        ([{"role": "user"}], "field 'messages', message 0 (from 0): expected an object with role and content"),
        ([{"role": "user", "value": "SECRET"}], "message 0 (from 0): expected an object with role and content, or"),
        ([{"role": "user", "content": "SECRET", "from": "gpt", "value": None}], "expected an object with"),
        ([{"from": "human", "value": 7}], "message 0 (from 0): value holds a int, not text"),
        (said(("user", "a"), ("SECRET", "b")), "message 1 (from 0): unknown role; known are system, developer, user"),
        (said((["SECRET"], "b")), "message 0 (from 0): unknown role"),
        (said(("user", [{"type": "text", "text": "SECRET"}] * 2)), "content holds a list that is not one part"),
        (said(("user", [])), "message 0 (from 0): content holds a list that is not one part of type text"),
        (said(("user", ["SECRET"])), "content holds a list that is not one part of type text"),
        (said(("user", [{"type": "image", "text": "SECRET"}])), "content holds a list that is not one part"),
        (said(("user", [{"type": "text", "text": "SECRET", "cache": 1}])), "content holds a list that is not one part"),
        (said(("user", [{"type": "text", "text": ["SECRET"]}])), "message 0 (from 0): content: text holds a list, not"),
        (said(("user", {"type": "text", "text": "SECRET"})), "message 0 (from 0): content holds a dict, not text"),
        (said(("user", "SECRET\ud83d")), "message 0 (from 0): content is not encodable as UTF-8"),
        ('[{"role": "user", "content": "SECRET\\ud83d"}]', "message 0 (from 0): content is not encodable as UTF-8"),
    ],
)
def test_another_shape_is_buried_and_says_where_but_not_what(turns: Any, message: str) -> None:
    dead = chat(turns)
    assert isinstance(dead, DeadLetter)
    assert dead.error == "MissingField"
    assert message in dead.message
    assert "SECRET" not in dead.as_json()


def test_what_else_a_message_holds_goes_to_metadata_and_what_is_mapped_does_not() -> None:
    turns = said(("user", "Can you help?"), ("assistant", None))
    row = chat(turns, note=1)
    assert isinstance(row, Row)
    assert json.loads(row.sample.metadata) == {"note": 1}
    turns[1]["tool_calls"] = [{"id": 7}]
    row = chat(turns)
    assert isinstance(row, Row)
    assert json.loads(row.sample.metadata) == {"messages": [{}, {"tool_calls": [{"id": 7}]}]}


def test_keys_of_messages_that_are_null_are_no_metadata() -> None:
    turns = said(("user", "Can you help?"), ("assistant", "Yes."))
    noisy = [turn | {"name": None, "tool_calls": None} for turn in turns]
    assert chat(noisy) == chat(turns)
    row = chat([noisy[0] | {"name": "Jo"}, noisy[1]])
    assert isinstance(row, Row)
    assert json.loads(row.sample.metadata) == {"messages": [{"name": "Jo"}, {}]}


WIDE_FIELDS = (*AEGIS_FIELDS, ("system", "instructions"), ("rationale", "why"))


def test_system_prompt_and_rationale_stand_around_the_conversation() -> None:
    around = {"instructions": "Be kind.", "why": "It is harmless."}
    row, _ = to_row(make_unit(make_record(response="Use flour.", **around), fields=WIDE_FIELDS), AEGIS)
    assert [(t.name, t.turn, t.source) for t in row.texts] == [
        ("system", 0, "Be kind."), ("prompt", 1, "How can I bake bread?"), ("response", 2, "Use flour."),
        ("rationale", 3, "It is harmless."),
    ]  # fmt: skip
    assert row.sample.metadata == "{}"
    turns = said(("system", "Be brief."), ("user", "Can you help?"))
    chat_row = chat(turns, fields=(*CHAT_FIELDS, *WIDE_FIELDS[-2:]), **around)
    assert isinstance(chat_row, Row)
    assert [t.name for t in chat_row.texts] == ["system", "system[1]", "prompt", "rationale"]


def test_no_system_prompt_and_no_rationale_leave_the_row_as_it_was() -> None:
    record = make_record(response="Use flour.")
    row, _ = to_row(make_unit(record | {"instructions": None, "why": None}, fields=WIDE_FIELDS), AEGIS)
    assert row == to_row(make_unit(record), AEGIS)[0]


@pytest.mark.parametrize("field", ["instructions", "why"])
def test_system_prompt_and_rationale_are_checked_like_every_text(field: str) -> None:
    record = make_record(instructions="Be kind.", why="It is harmless.")
    for text, reason in ((LONG_GERMAN, "source_language"), ("Hello" + "\u200b" * 3, "hidden_characters")):
        row = admit(make_unit(record | {field: text}, fields=WIDE_FIELDS), AEGIS, ENGLISH, english)
        assert isinstance(row, Row) and row.verdict
        assert row.verdict.reasons == (reason,)
    del record[field]
    dead = admit(make_unit(record, fields=WIDE_FIELDS), AEGIS, ENGLISH, english)
    assert isinstance(dead, DeadLetter)
    assert repr(field) in dead.message


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(st.characters()).map(lambda t: f"SECRET{t}"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["role", "content", "from", "value", "type", "text", "other"]),
                inner | st.sampled_from(["user", "gpt", "text"]),
            )
        ),
        max_leaves=12,
    )
)
def test_any_messages_become_a_row_or_a_dead_letter_without_payload(turns: Any) -> None:
    result = chat(turns)
    if isinstance(result, Row):
        assert [t.turn for t in result.texts] == list(range(len(turns)))
        for text, message in zip(result.texts, turns, strict=True):
            content = message["value" if message.get("role") is None or "content" not in message else "content"]
            assert text.source == (content[0]["text"] if isinstance(content, list) else content)
    else:
        assert "SECRET" not in result.as_json()


# --- metadata ---


def test_fields_that_are_not_mapped_go_to_metadata_and_no_others() -> None:
    row, _ = to_row(make_unit(make_record(annotator=7, notes={"b": [1, None], "a": "ü"})), AEGIS)
    assert row.sample.metadata == '{"annotator": 7, "notes": {"a": "ü", "b": [1, null]}}'


def test_metadata_does_not_depend_on_the_order_of_fields() -> None:
    record = make_record(x=1, y=2)
    backwards = dict(reversed(record.items()))
    assert to_row(make_unit(record), AEGIS) == to_row(make_unit(backwards), AEGIS)


def test_the_input_record_is_left_as_it_was() -> None:
    record = make_record(x=1)
    to_row(make_unit(record), AEGIS)
    assert record == make_record(x=1)


def test_metadata_is_strict_json_whatever_the_input_held() -> None:
    held = {"nan": float("nan"), "many": [float("inf"), {"x": -float("inf")}], "when": datetime(2024, 5, 1, tzinfo=UTC)}
    row, _ = to_row(make_unit(make_record(**held)), AEGIS)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    found = json.loads(row.sample.metadata, parse_constant=refuse)
    assert found == {"nan": "NaN", "many": ["Infinity", {"x": "-Infinity"}], "when": "2024-05-01 00:00:00+00:00"}


def test_a_missing_field_error_names_the_config_key() -> None:
    with pytest.raises(MissingField, match=r"fields\.categories"):
        to_row(make_unit({k: v for k, v in make_record().items() if k != "violated_categories"}), AEGIS)
