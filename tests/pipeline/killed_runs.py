"""Runs a config again and again, each time killed with SIGKILL inside a chosen stage, until a last run may end.

A program of its own: `python -m tests.pipeline.killed_runs CONFIG LOG SEED`. The stages are the real ones; what is put around
them only counts calls, writes down what it sees, and kills. Each run is a fork of this process, which has imported
everything and started nothing.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pipeline.graph
import pipeline.publish
import pipeline.run
import transforms.group
import transforms.read
import transforms.translate
import transforms.write
from pipeline.cli import main
from transforms.inference.memory import Memory
from transforms.inference.nllb import NllbModel
from transforms.inference.sentence_encoder import SentenceEncoder

# Stage -> where its function is looked up: a kill "in" a stage happens inside that call.
STAGES: dict[str, tuple[Any, str]] = {
    "read": (transforms.read, "_unit"),
    "gate": (pipeline.graph, "admit"),
    "group": (transforms.group, "settle_duplicates"),
    "segregate": (pipeline.graph, "segregate"),
    "adapt": (pipeline.graph, "adapt"),
    "segment": (transforms.translate, "segment"),
    "translate": (NllbModel, "_decode"),
    "remember": (Memory, "remember"),
    "reassemble": (pipeline.graph, "translate"),
    "compare": (SentenceEncoder, "cosines"),
    "score": (pipeline.graph, "score"),
    "judge": (pipeline.graph, "judge"),
    "write": (transforms.write, "_rename"),
    "publish": (pipeline.publish, "write_report"),
    "card": (pipeline.publish, "write_card"),
    "manifest": (pipeline.publish, "describe_files"),
    "success": (pipeline.publish, "write_whole"),
}
TRANSLATE_KILLS, OTHER_KILLS = 20, 2


def schedule(seed: int) -> list[tuple[str, int, float]]:
    """(stage, which call of it, seconds into that call): stages in the order in which a run passes them."""
    rng = random.Random(seed)
    kills = {stage: TRANSLATE_KILLS if stage == "translate" else OTHER_KILLS for stage in STAGES}
    most = {
        "write": 6,
        "publish": 1,
        "card": 1,
        "manifest": 1,
        "success": 2,
        "translate": 3,
        "remember": 3,
        "compare": 3,
    }
    lasting = ("translate", "compare", "write", "publish")
    return [
        (stage, rng.randint(1, most.get(stage, 20)), rng.uniform(0, 0.02) if stage in lasting else 0.0)
        for stage, count in kills.items()
        for _ in range(count)
    ]


def note(log: str, line: str) -> None:
    """Appends a line that survives the kill that follows it."""
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())


def kill_inside(stage: str, nth: int, delay: float, log: str) -> None:
    """Has this process kill itself `delay` seconds into the n-th call of a stage, or in the next one that lasts so long."""
    owner, name = STAGES[stage]
    original, lock = getattr(owner, name), threading.Lock()
    calls, inside = [0], [0]

    def die() -> None:
        while True:
            with lock:  # nobody enters or leaves while it looks
                if inside[0]:
                    note(log, f"killed {stage}")
                    os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(0.0005)

    def around(*args: Any, **kwargs: Any) -> Any:
        with lock:
            calls[0] += 1
            inside[0] += 1
            due = calls[0] == nth
        try:
            if due and delay:
                threading.Timer(delay, die).start()
            elif due:
                die()
            return original(*args, **kwargs)
        finally:
            with lock:
                inside[0] -= 1

    setattr(owner, name, around)


def watch_translation(log: str) -> None:
    """Writes down which requests are asked and which are remembered."""
    answer, remember = NllbModel.answer, Memory.remember

    def asking(self: NllbModel, requests: Sequence[Any]) -> Any:
        note(log, "asked " + " ".join(r.key for r in requests))
        return answer(self, requests)

    def remembering(self: Memory, bucket: str, answers: Any) -> None:
        remember(self, bucket, answers)
        note(log, "remembered " + " ".join(answers))

    NllbModel.answer, Memory.remember = asking, remembering  # type: ignore[method-assign]


def in_a_fork(work: Callable[[], int]) -> int:
    """Exit status of the work, done in a process of its own; minus the signal's number if one ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with contextlib.suppress(BaseException):
            code = work()
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run(config: str, log: str, kill: tuple[str, int, float] | None) -> int:
    if kill:
        kill_inside(*kill, log)
    watch_translation(log)
    return main(["run", config])


if __name__ == "__main__":
    config, log, seed = sys.argv[1:]
    for planned in schedule(int(seed)):
        note(log, f"run {planned}")
        status = in_a_fork(lambda kill=planned: run(config, log, kill))  # type: ignore[misc]
        if status != -signal.SIGKILL:
            sys.exit(f"{planned}: ended with {status}, not killed")
    sys.exit(in_a_fork(lambda: run(config, log, None)))
