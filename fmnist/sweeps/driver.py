"""The process that carries out a sweep: `python -m fmnist.sweeps.driver NAME`."""

import subprocess
import sys

from fmnist import PROJECT
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.sweep import Sweep


def start(sweep: Sweep) -> None:
    """Carry a sweep out in a process that outlives this one."""
    sweeps.go_on(sweep)
    with (sweep.folder / "log.txt").open("ab") as log:
        subprocess.Popen(
            [sys.executable, "-m", __name__, sweep.name],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # survives the server, the terminal and Ctrl-C in it
        )


if __name__ == "__main__":
    for _ in sweeps.carry_out(sweeps.read_sweep(sys.argv[1])):
        pass
