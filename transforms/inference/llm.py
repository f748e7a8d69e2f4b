"""Asks a language model behind an OpenAI-compatible endpoint, with structured output, and tells good answers from bad ones."""

from __future__ import annotations

import functools
import json
import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from data import resource
from transforms.heartbeat import beat
from transforms.inference.answering import WrongModel
from transforms.inference.batches import Request, request
from transforms.inference.endpoint import Endpoint

# Requests of a batch, which is remembered as a whole: a kill repeats at most so many a thread.
BATCH = 4
# An answer that is no answer is asked for so many times in all: at temperature 0 a third seldom differs.
_TRIES = 2
# Characters of a row beyond which no model is asked: its answer would be cut off.
_LONGEST = 60_000


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        found: the structured answer; None where there is none.
        failure: why: refusal | truncated | unparsable | unavailable | too_long; "" where there is an answer.
    """

    found: Mapping[str, Any] | None
    failure: str


@functools.cache
def load_prompt(task: str) -> tuple[str, dict[str, Any]]:
    """(system message, JSON schema of the answer) of a task: segregate | adapt | label | faith."""
    raw = yaml.safe_load(resource(f"prompts/{task}.yaml").read_text("utf-8"))
    return raw["system"], raw["schema"]


def ask(task: str, locale: str, about: Mapping[str, Any]) -> Request:
    """A request to do a task on what `about` holds; equal rows ask equal requests."""
    return request(task, locale, 1, task, json.dumps(about, ensure_ascii=False, sort_keys=True))


def encode_answer(answer: Answer) -> bytes:
    """An answer as the memory keeps it."""
    return json.dumps({"found": answer.found, "failure": answer.failure}, ensure_ascii=False, sort_keys=True).encode()


def decode_answer(raw: bytes | None) -> Answer:
    """Reads what `encode_answer` wrote; what was never answered is unavailable."""
    if raw is None:
        return Answer(None, "unavailable")
    loaded = json.loads(raw)
    return Answer(loaded["found"], loaded["failure"])


def is_answered(raw: bytes) -> bool:
    """Whether to remember an answer: a failure is tried again next time."""
    return decode_answer(raw).found is not None


_REFUSAL = re.compile(
    r"\W*(?:i(?: a|[\u2019'])m (?:really |very )?(?:sorry|unable|not able)|sorry|i (?:cannot|can[\u2019']t|won[\u2019']t|must decline)"
    r"|as an ai|unfortunately)",
    re.IGNORECASE,
)
_FENCED = re.compile(r"\s*```(?:json)?\s*(.*?)\s*```\s*", re.DOTALL)


def read_answer(task: str, content: str | None, refusal: str | None, finish: str | None) -> Answer:
    """Tells what a completion is: an answer that fits the task's schema, a refusal, cut off, or nothing that can be read.

    Args:
        content: text of the message.
        refusal: the message's own field for a refusal.
        finish: the finish reason that the endpoint gave.
    """
    if refusal or finish == "content_filter":
        return Answer(None, "refusal")
    text = content or ""
    fenced = _FENCED.fullmatch(text)
    try:
        found = json.loads(fenced[1] if fenced else text)
    except (ValueError, RecursionError):
        # A refusal may be cut off too; a cut answer begins as an answer does.
        return Answer(None, "refusal" if _REFUSAL.match(text) else "truncated" if finish == "length" else "unparsable")
    return Answer(found, "") if _fits(found, load_prompt(task)[1]) else Answer(None, "unparsable")


_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "integer": int, "null": type(None),
}  # fmt: skip


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether a value fits the part of JSON Schema that our prompts use: endpoints that promise to see to it exist, others too."""
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if isinstance(value, bool) or not any(isinstance(value, _TYPES[kind]) for kind in kinds):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        inner = schema["properties"]
        return set(schema["required"]) <= set(value) <= set(inner) and all(_fits(v, inner[k]) for k, v in value.items())
    return not isinstance(value, list) or all(_fits(item, schema["items"]) for item in value)


class _Pace:
    """Lets one request through every so many seconds, in the order in which they ask."""

    def __init__(self, per_minute: int) -> None:
        self._gap = 60 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        with self._lock:
            at = max(self._next, time.monotonic())
            self._next = at + self._gap
        time.sleep(max(0.0, at - time.monotonic()))


class LlmModel:
    """A loaded client.

    Args:
        beats: folder for heartbeats, where the tokens that were paid are counted (None: nowhere).
        role: the key of the config that names the endpoint: llm | judge.

    Raises:
        WrongModel: the environment variable of the key is not set.
    """

    def __init__(self, endpoint: Endpoint, beats: str | None = None, role: str = "llm") -> None:
        import openai

        key = os.environ.get(endpoint.key, "") if endpoint.key else "none"
        if not key:
            raise WrongModel(f"{role}.key: the environment variable {endpoint.key} is not set")
        self._endpoint, self._beats, self._role = endpoint, beats, role
        # The client itself backs off exponentially, with jitter, on 408, 409, 429 and 5xx, and does as Retry-After says.
        self._client = openai.OpenAI(
            base_url=endpoint.base_url, api_key=key, timeout=endpoint.timeout, max_retries=endpoint.attempts - 1
        )
        self._pace = _Pace(endpoint.requests_per_minute)
        self._structured = True

    def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
        """Answers requests of `ask`, one after the other; every one has an answer, if only what it failed of."""
        return {r.key: encode_answer(self._try(r.content[0], r.content[1])) for r in requests}

    def _try(self, task: str, about: str) -> Answer:
        if len(about) > _LONGEST:
            return Answer(None, "too_long")
        answer = Answer(None, "unavailable")
        for seed in range(_TRIES):
            answer = self._complete(task, about, seed)
            if answer.found is not None or answer.failure == "unavailable":
                break
        return answer

    def _complete(self, task: str, about: str, seed: int) -> Answer:
        import openai

        system, schema = load_prompt(task)
        asked: dict[str, Any] = {
            "model": self._endpoint.model,
            "messages": [{"role": "system", "content": system}, {"role": "user", "content": about}],
            "temperature": 0,
            "seed": seed,
            "max_tokens": self._endpoint.max_output_tokens,
        }
        shape = {"type": "json_schema", "json_schema": {"name": task, "strict": True, "schema": schema}}
        self._pace.wait()
        try:
            if self._structured:
                try:
                    done = self._client.chat.completions.create(**asked, response_format=shape)
                except openai.BadRequestError:
                    # Many endpoints know no schema; the prompt asks for JSON anyhow, and the answer is checked here.
                    done = self._client.chat.completions.create(**asked)
                    self._structured = False
            else:
                done = self._client.chat.completions.create(**asked)
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            raise WrongModel(
                f"{self._role}: {self._endpoint.base_url} refuses model {self._endpoint.model} (HTTP {error.status_code}); "
                f"check {self._role}.base_url, {self._role}.model and the key"
            ) from None
        except openai.APITimeoutError:
            return Answer(None, "unavailable")
        except openai.APIConnectionError:
            raise WrongModel(
                f"{self._role}: nobody answers at {self._endpoint.base_url}; the same command goes on once it does"
            ) from None
        except (openai.APIError, ValueError):  # other statuses after all attempts; a body that is no completion
            return Answer(None, "unavailable")
        if done.usage is not None:
            beat(self._beats, f"{self._role} input tokens", done.usage.prompt_tokens)
            beat(self._beats, f"{self._role} output tokens", done.usage.completion_tokens)
        if not done.choices:
            return Answer(None, "unparsable")
        message = done.choices[0].message
        return read_answer(task, message.content, getattr(message, "refusal", None), done.choices[0].finish_reason)
