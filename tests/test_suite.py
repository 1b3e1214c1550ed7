"""The suite itself leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from fmnist import PROJECT
from fmnist.machine.locks import is_held

QUEUE = "tests/runs/test_runs.py::test_thirty_starts_at_once_run_one_and_queue_the_rest"


def training(folder: Path) -> list[Path]:
    """The runs below a folder that a process works on."""
    # Not by rglob, which fails where a folder is renamed meanwhile, as a new run's is.
    places = [Path(place) for place, _, names in os.walk(folder) if "plan.json" in names]
    return [place for place in places if place.name[0] != "." and is_held(place.joinpath("lock"))]


def wait(until: Callable[[], object], seconds: float = 120) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if until():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    "way", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda way: way.name
)
def test_a_suite_that_is_interrupted_leaves_no_training_behind(
    way: signal.Signals, tmp_path: Path
) -> None:
    folder = tmp_path / "suite"
    command = ["-m", "pytest", "--numprocesses", "1", "--basetemp", str(folder), QUEUE]
    suite = subprocess.Popen(
        [sys.executable, *command],
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if "PYTEST" not in name},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # What a shell starts in the background ignores Ctrl-C, and so does what that starts.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert wait(lambda: training(folder))
    suite.send_signal(way)
    assert suite.wait(60) != 0
    assert wait(lambda: not training(folder), 30)
    time.sleep(1)  # for one that was about to start the next of its queue
    assert not training(folder)
