"""Beam options for a runner, pinned: the local one is FnApiRunner, never what Beam would download."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.config import Runner


def run_job(build: Callable[[Any], None], runner: Runner) -> None:
    """Builds a job and runs it to its end.

    Raises:
        Exception: whatever a stage raised; what one row raises never gets here (it is a dead letter).
    """
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    modes = {"threads": "multi_threading", "processes": "multi_processing"}
    flags = [f"--runner={runner.name}", "--no_save_main_session"]
    if runner.name == "FnApiRunner":
        mode = "in_memory" if runner.workers == 1 else modes[runner.mode]
        flags += [f"--direct_num_workers={runner.workers}", f"--direct_running_mode={mode}"]
    pipeline = beam.Pipeline(options=PipelineOptions(flags))
    build(pipeline)
    pipeline.run().wait_until_finish()
