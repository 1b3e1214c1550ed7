"""The process that carries out a sweep: `python -m fmnist.sweeps.driver NAME`."""

import os
import subprocess
import sys

from fmnist import PROJECT
from fmnist.runs.run import runs_folder
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.sweep import Sweep

_children: list[subprocess.Popen[bytes]] = []
"""Processes started from here, held only so that ended ones are collected by the system."""


def start(sweep: Sweep) -> None:
    """Carry a sweep out in a process that outlives this one; it counts as carried out at once.

    Raises LockError, and OSError where its folder can't be written.
    """
    with sweeps.carrying_out(sweep) as lock, (sweep.folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, sweep.name],
            cwd=PROJECT,
            env={**os.environ, "FMNIST_RUNS": str(runs_folder().resolve())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,  # survives the server, the terminal and Ctrl-C in it
        )
    _children[:] = [child for child in [*_children, process] if child.poll() is None]


if __name__ == "__main__":
    for _ in sweeps.carry_out(sweeps.read_sweep(sys.argv[1])):
        pass
