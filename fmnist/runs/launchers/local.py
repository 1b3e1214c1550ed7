"""A run as a process of this machine, which outlives whoever started it."""

import os
import subprocess
import sys
from pathlib import Path

from fmnist import PROJECT

_children: list[subprocess.Popen[bytes]] = []
"""Processes started from here, held only so that ended ones are collected by the system."""


def launch(run_id: str, folder: Path, locks: tuple[int, int]) -> None:
    """Start the run's process; it inherits its two locks, so they are never free in between."""
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fmnist.runs.worker", run_id, *map(str, locks)],
            cwd=PROJECT,
            env={**os.environ, "FMNIST_RUNS": str(folder.parent.resolve())},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=locks,
            start_new_session=True,  # survives the server, the terminal and Ctrl-C in it
        )
    _children[:] = [child for child in [*_children, process] if child.poll() is None]
