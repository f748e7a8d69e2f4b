import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from transforms.inference.answering import AnsweringHandler, WrongModel, answer_all
from transforms.inference.batches import Batch, Request, request
from transforms.inference.memory import Memory


def ask(word: str) -> Request:
    return request("test", "deu_Latn", 5, word)


class Moody:
    """Answers with the word in capitals; fails on any batch that holds a certain word."""

    def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
        words = [r.content[0] for r in requests]
        if "poison" in words:
            raise RuntimeError("boom")
        if "wrong" in words:
            raise WrongModel("not my language")
        return {r.key: r.content[0].upper().encode() for r in requests}


def test_one_failing_request_fails_alone_and_has_no_answer() -> None:
    asked = [ask(w) for w in ("a", "poison", "b", "c")]
    assert answer_all(Moody(), asked) == {ask(w).key: w.upper().encode() for w in "abc"}
    assert answer_all(Moody(), []) == {}


def test_a_model_that_is_the_wrong_one_ends_the_run() -> None:
    with pytest.raises(WrongModel):
        answer_all(Moody(), [ask("a"), ask("wrong")])


def test_a_model_that_fails_on_everything_ends_the_run_and_says_with_which_error() -> None:
    class Broken:
        def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
            raise ImportError("no engine; payload")

    with pytest.raises(WrongModel, match=r"each of 8 .*ImportError 8") as error:
        answer_all(Broken(), [ask(str(i)) for i in range(8)])
    assert "payload" not in str(error.value)
    assert answer_all(Broken(), [ask("a")]) == {}


def test_failures_are_logged_by_kind_and_without_payload(caplog: pytest.LogCaptureFixture) -> None:
    answer_all(Moody(), [ask("a"), ask("poison")])
    assert "failed on 1 of 2 requests of a batch (RuntimeError 1)" in caplog.text and "poison" not in caplog.text


def handler(memory: Memory, threads: int = 1) -> AnsweringHandler:
    return AnsweringHandler(Moody, memory, lambda answer: answer != b"B", threads, (None, "test"))


def test_every_batch_gets_one_result_in_order_and_what_is_worth_it_is_remembered(tmp_path: Path) -> None:
    memory = Memory(str(tmp_path), "f" * 32)
    batches = [Batch("x", (ask("a"), ask("b"))), Batch("y", (ask("poison"),)), Batch("x", (ask("c"),))]
    results = list(handler(memory, threads=2).run_inference(batches, Moody()))
    assert [r.example for r in results] == batches
    assert results[0].inference == {ask("a").key: b"A", ask("b").key: b"B"} and results[1].inference == {}
    assert memory.recall("x", [ask(w).key for w in "abc"]) == {ask("a").key: b"A", ask("c").key: b"C"}


def test_a_batch_is_remembered_before_the_next_one_is_done(tmp_path: Path) -> None:
    memory, held = Memory(str(tmp_path), "f" * 32), threading.Event()
    seen: list[dict[str, bytes]] = []

    class Slow(Moody):
        def answer(self, requests: Sequence[Request]) -> dict[str, bytes]:
            if requests == (ask("c"),):
                seen.append(memory.recall("x", [ask("a").key]))
                held.set()
            return super().answer(requests)

    list(handler(memory).run_inference([Batch("x", (ask("a"),)), Batch("x", (ask("c"),))], Slow()))
    assert held.is_set() and seen == [{ask("a").key: b"A"}]


def test_options_at_the_call_are_refused() -> None:
    with pytest.raises(ValueError, match="config"):
        handler(Memory(None, "f")).validate_inference_args({"beam_size": 1})


def test_what_a_worker_gets_can_be_pickled(tmp_path: Path) -> None:
    import pickle

    made = AnsweringHandler(partial(Moody), Memory(str(tmp_path), "f" * 32), bool, 2, (None, "test"))
    assert pickle.loads(pickle.dumps(made)).load_model().answer([ask("a")]) == {ask("a").key: b"A"}
