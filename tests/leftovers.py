"""Ends what a suite leaves running: `python leftovers.py MARK`, at the end of its input.

Trainings outlive whoever started them, on purpose. The suite holds the other end of the input, and
the system closes that when the suite ends, however it ends: done, interrupted or killed.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

VARIABLE = "FMNIST_SUITE"
"""In the environment of every process that a suite starts; its value is the suite's mark."""
GRACE = 1.0
"""Seconds for what ends, and tidies up, by itself."""
ROUNDS = 20
"""Looks for what is left: a process may be starting another one just then."""


def marked(mark: str) -> list[int]:
    """The processes that were started with a mark."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # ended meanwhile, or another user's
            if f"{VARIABLE}={mark}".encode() in environment.read_bytes().split(b"\0"):
                found.append(int(environment.parent.name))
    return found


def main() -> None:
    sys.stdin.buffer.read()
    time.sleep(GRACE)
    for _ in range(ROUNDS):
        left = marked(sys.argv[1])
        if not left:
            break
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)


if __name__ == "__main__":
    main()
