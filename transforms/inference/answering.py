"""The one ModelHandler: has any model answer batches of requests and remembers each batch the moment it is answered."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from apache_beam.ml.inference.base import ModelHandler, PredictionResult

from transforms.heartbeat import beat
from transforms.inference.batches import Batch, Request
from transforms.inference.memory import Memory

_LOG = logging.getLogger("transcreate.models")
# So many requests do not happen to be all bad.
_TOO_MANY = 8


class WrongModel(ValueError):
    """A model cannot do what is asked of it, whatever the request: the run must end, not the request."""


class Answerer(Protocol):
    """A loaded model."""

    def answer(self, requests: Sequence[Request]) -> Mapping[str, bytes]:
        """Request key -> answer, for every request; the requests are one batch, which may shape the answers' floats."""


def answer_all(model: Answerer, requests: Sequence[Request]) -> dict[str, bytes]:
    """The model's answers. A failing batch is bisected until only the failing request is left, which has none.

    Raises:
        WrongModel: nothing of a batch of some size could be answered: that is the model, not the requests.
    """
    failures: Counter[str] = Counter()
    answers = _bisect(model, requests, failures)
    if failures:
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(failures.items()))
        if not answers and len(requests) >= _TOO_MANY:
            raise WrongModel(f"the model failed on each of {len(requests)} requests of a batch ({kinds})")
        _LOG.warning("a model failed on %d of %d requests of a batch (%s)", failures.total(), len(requests), kinds)
    return answers


def _bisect(model: Answerer, requests: Sequence[Request], failures: Counter[str]) -> dict[str, bytes]:
    if not requests:
        return {}
    try:
        return dict(model.answer(requests))
    except WrongModel:
        raise
    except Exception as error:
        if len(requests) == 1:
            failures[type(error).__name__] += 1  # its message may hold payload
            return {}
        middle = len(requests) // 2
        return _bisect(model, requests[:middle], failures) | _bisect(model, requests[middle:], failures)


class AnsweringHandler(ModelHandler[Batch, PredictionResult, Answerer]):
    """Answers batches, several side by side, and remembers each as it finishes: a kill loses only those in hand.

    Args:
        load: loads the model, once per worker.
        memory: where answers are remembered.
        keep: which answers to remember; a failure is tried again next time.
        threads: batches side by side; changes the speed, not the answers.
        beats: folder for heartbeats (None: none) and the name of the step.
    """

    # Batches a worker takes at a time: enough that its threads seldom wait for each other at the end.
    _AT_A_TIME = 16

    def __init__(
        self, load: Callable[[], Answerer], memory: Memory, keep: Callable[[bytes], bool], threads: int,
        beats: tuple[str | None, str],
    ) -> None:  # fmt: skip
        at_a_time = self._AT_A_TIME * threads
        super().__init__(min_batch_size=at_a_time, max_batch_size=at_a_time)
        self._load, self._memory, self._keep, self._threads, self._beats = load, memory, keep, threads, beats

    def load_model(self) -> Answerer:
        return self._load()

    def run_inference(
        self, batch: Sequence[Batch], model: Answerer, inference_args: dict[str, Any] | None = None
    ) -> Iterable[PredictionResult]:
        def one(asked: Batch) -> PredictionResult:
            answers = answer_all(model, asked.requests)
            self._memory.remember(asked.bucket, {k: a for k, a in answers.items() if self._keep(a)})
            beat(self._beats[0], f"{self._beats[1]} answered", len(answers))
            return PredictionResult(asked, answers)

        with ThreadPoolExecutor(self._threads) as pool:
            results = list(pool.map(one, batch))
        assert len(results) == len(batch)
        return results

    def get_num_bytes(self, batch: Sequence[Batch]) -> int:
        return sum(r.size for b in batch for r in b.requests)

    def get_metrics_namespace(self) -> str:
        return self._beats[1]

    def validate_inference_args(self, inference_args: Mapping[str, Any] | None) -> None:
        if inference_args:
            raise ValueError("what shapes an answer belongs in the config, not in inference_args")
