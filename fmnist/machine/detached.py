"""Processes that outlive whoever started them."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fmnist import PROJECT

_children: list[subprocess.Popen[bytes]] = []
"""Processes started from here, held only so that ended ones are collected by the system."""


def start(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    locks: list[int],
) -> None:
    """Start a module with these in its environment besides, and with its output behind a log.

    It inherits the locks, so that they are never free in between. Raises OSError.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=PROJECT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=locks,
            start_new_session=True,  # survives the server, the terminal and Ctrl-C in it
        )
    _children[:] = [child for child in [*_children, process] if child.poll() is None]
