"""Waiting for runs whose processes do as they like."""

import time
from collections.abc import Callable

from fmnist.runs import queue
from fmnist.runs.run import Run, all_runs, read_run


def wait(run_id: str, until: Callable[[Run], bool]) -> Run:
    """The run once it is so; a run that never gets there fails the test."""
    return _wait(run_id, until, 120, lambda: None)


def wait_for_cluster(run_id: str, until: Callable[[Run], bool]) -> Run:
    """The same of a run on a cluster, whose queue is moved on by whoever looks."""
    return _wait(run_id, until, 240, queue.dispatch)


def end_all(wait: Callable[[str, Callable[[Run], bool]], Run]) -> None:
    """Stop every run, and wait until none is left."""
    for run in all_runs():
        if run.active:
            queue.stop(run.id)
    for run in all_runs():
        wait(run.id, lambda run: not run.active)


def _wait(
    run_id: str, until: Callable[[Run], bool], seconds: float, look: Callable[[], object]
) -> Run:
    end = time.monotonic() + seconds
    while not until(run := read_run(run_id)):
        assert time.monotonic() < end, f"{run.state}: {run.failure} {run.log()}"
        look()
        time.sleep(0.05)
    return run
