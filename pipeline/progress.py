"""Shows how far a run is while the local runner blocks: a thread that reads heartbeats and writes one line to stderr."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import TextIO

from transforms.heartbeat import total_beats


class Progress:
    """Prints one live line on a terminal, or a line every 30 s elsewhere, until left.

    Args:
        label: what runs, such as "slice 2 of 5".
        beats: folder of heartbeats.
    """

    def __init__(self, label: str, beats: str, stream: TextIO | None = None) -> None:
        self._label, self._beats, self._stream = label, beats, stream or sys.stderr
        self._live = self._stream.isatty()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._started = time.monotonic()

    def __enter__(self) -> Progress:
        self._print(self._line())
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._print(f"{self._line()}  {'done' if kind is None else 'stopped'}", last=True)

    def _line(self) -> str:
        counts = total_beats(self._beats)
        parts = [f"{self._label}  {time.monotonic() - self._started:5.0f} s"]
        for what in ("translations", "similarities"):
            asked = counts.get(f"{what} asked", 0)
            if asked:
                done = counts.get(f"{what} answered", 0) + counts.get(f"{what} remembered", 0)
                parts.append(f"{what} {done:,}/{asked:,} ({counts.get(f'{what} remembered', 0):,} remembered)")
        return "  ".join(parts)

    def _print(self, line: str, last: bool = False) -> None:
        if self._live:
            self._stream.write("\r\x1b[2K" + line + ("\n" if last else ""))
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def _watch(self) -> None:
        while not self._stop.wait(0.5 if self._live else 30):
            self._print(self._line())
