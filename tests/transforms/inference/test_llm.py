from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.llm_server import LlmServer, Reply, serve_llm
from transforms.heartbeat import total_beats
from transforms.inference.answering import WrongModel
from transforms.inference.endpoint import Endpoint
from transforms.inference.llm import (
    Answer,
    LlmModel,
    ask,
    decode_answer,
    encode_answer,
    is_answered,
    read_answer,
)

GOOD = json.dumps({"prompt": "safe", "response": None})
REQUEST = ask(
    "label", "de-DE", {"locale": "de-DE", "prompt": "How can I bake bread?", "response": None, "categories": []}
)
# The first wait of the client's back-off is half a second unless the server says how long.
AT_ONCE = {"retry-after-ms": "1"}


def endpoint(url: str, **changes: Any) -> Endpoint:
    usual = Endpoint(url, "small", "", 0, 5.0, 3, 100)
    return dataclasses.replace(usual, **changes)


def answered(reply: Callable[[dict[str, Any], int], Reply], **changes: Any) -> tuple[Answer, LlmServer]:
    with serve_llm(reply) as server:
        answers = LlmModel(endpoint(server.url, **changes)).answer([REQUEST])
        return decode_answer(answers[REQUEST.key]), server


def test_a_good_answer_is_found_and_the_row_travels_as_data() -> None:
    answer, server = answered(lambda body, n: Reply(GOOD))
    assert answer == Answer({"prompt": "safe", "response": None}, "")
    (body,) = server.asked
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert json.loads(body["messages"][1]["content"])["prompt"] == "How can I bake bread?"
    assert "bake" not in body["messages"][0]["content"]
    assert body["temperature"] == 0
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["prompt", "response"]


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "k-123")
    _, server = answered(lambda body, n: Reply(GOOD), key="SOME_KEY")
    assert server.keys == ["Bearer k-123"]
    monkeypatch.delenv("SOME_KEY")
    with pytest.raises(WrongModel, match="SOME_KEY is not set"):
        LlmModel(endpoint("http://127.0.0.1:9/v1", key="SOME_KEY"))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(status: int) -> None:
    answer, server = answered(lambda body, n: Reply(status=status, headers=AT_ONCE) if n < 2 else Reply(GOOD))
    assert answer.found is not None
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [429, 500])
def test_what_does_not_pass_is_given_up_after_all_attempts(status: int) -> None:
    answer, server = answered(lambda body, n: Reply(status=status, headers=AT_ONCE))
    assert answer == Answer(None, "unavailable")
    assert len(server.asked) == 3


def test_a_late_answer_is_asked_for_again() -> None:
    answer, server = answered(lambda body, n: Reply(GOOD, wait=0.8 if n == 0 else 0), timeout=0.3)
    assert answer.found is not None
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("reply", "failure"),
    [
        (Reply("I'm sorry, but I can't help with that."), "refusal"),
        (Reply("I cannot assist with this request."), "refusal"),
        (Reply(None, refusal="no"), "refusal"),
        (Reply("", finish="content_filter"), "refusal"),
        (Reply('{"prompt": "sa', finish="length"), "truncated"),
        (Reply('{"prompt": "safe"'), "unparsable"),
        (Reply("safe"), "unparsable"),
        (Reply('{"prompt": "fine", "response": null}'), "unparsable"),
        (Reply('{"prompt": "safe"}'), "unparsable"),
        (Reply('{"prompt": "safe", "response": null, "note": "x"}'), "unparsable"),
        (Reply("[" * 100_000), "unparsable"),
        (Reply(None), "unparsable"),
    ],
)
def test_what_is_no_answer_is_told_apart_and_asked_for_once_more(reply: Reply, failure: str) -> None:
    answer, server = answered(lambda body, n: reply)
    assert answer == Answer(None, failure)
    assert [body["seed"] for body in server.asked] == [0, 1]


def test_a_second_try_may_succeed() -> None:
    answer, _ = answered(lambda body, n: Reply("{" if n == 0 else GOOD))
    assert answer.found is not None


def test_a_fenced_answer_counts() -> None:
    assert read_answer("label", f"```json\n{GOOD}\n```", None, "stop").found is not None


def test_an_endpoint_without_schemas_is_asked_without() -> None:
    answer, server = answered(lambda body, n: Reply(status=400) if "response_format" in body else Reply(GOOD))
    assert answer.found is not None
    assert ["response_format" in body for body in server.asked] == [True, False]


def test_a_body_that_is_no_completion_is_no_answer() -> None:
    answer, _ = answered(lambda body, n: Reply(body=b"<html>busy</html>"))
    assert answer.found is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_endpoint_that_refuses_the_model_ends_the_run(status: int) -> None:
    with pytest.raises(WrongModel, match=f"HTTP {status}"):
        answered(lambda body, n: Reply(status=status))


def test_an_endpoint_that_is_not_there_ends_the_run() -> None:
    with pytest.raises(WrongModel, match="nobody answers"):
        LlmModel(endpoint("http://127.0.0.1:9/v1", attempts=1)).answer([REQUEST])


def test_a_row_that_is_too_long_is_not_asked_about() -> None:
    long = ask("label", "de-DE", {"prompt": "x" * 70_000})
    with serve_llm(lambda body, n: Reply(GOOD)) as server:
        answers = LlmModel(endpoint(server.url)).answer([long])
    assert decode_answer(answers[long.key]) == Answer(None, "too_long")
    assert not server.asked


def test_requests_keep_the_pace() -> None:
    others = [ask("label", "de-DE", {"prompt": str(i)}) for i in range(4)]
    with serve_llm(lambda body, n: Reply(GOOD)) as server:
        model = LlmModel(endpoint(server.url, requests_per_minute=600))
        started = time.monotonic()
        model.answer(others)
    assert time.monotonic() - started >= 0.3  # three gaps of a tenth of a second; slower is no fault


def test_tokens_that_were_paid_are_counted(tmp_path: Path) -> None:
    with serve_llm(lambda body, n: Reply("{" if n == 0 else GOOD)) as server:
        LlmModel(endpoint(server.url), str(tmp_path)).answer([REQUEST])
    assert total_beats(str(tmp_path)) == {"llm input tokens": 200, "llm output tokens": 20}


def test_only_answers_are_remembered() -> None:
    assert is_answered(encode_answer(Answer({"spans": []}, "")))
    assert not is_answered(encode_answer(Answer(None, "refusal")))
    assert decode_answer(None) == Answer(None, "unavailable")
