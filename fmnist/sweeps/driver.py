"""The process that carries out a sweep: `python -m fmnist.sweeps.driver NAME`."""

import sys

from fmnist.machine import detached
from fmnist.runs.run import runs_folder
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.sweep import Sweep


def start(sweep: Sweep) -> None:
    """Carry a sweep out in a process that outlives this one; it counts as carried out at once.

    Raises LockError, and OSError where its folder can't be written.
    """
    where = {"FMNIST_RUNS": str(runs_folder().resolve())}
    with sweeps.carrying_out(sweep) as lock:
        detached.start(__name__, [sweep.name], where, sweep.folder / "log.txt", [lock])


if __name__ == "__main__":
    for _ in sweeps.carry_out(sweeps.read_sweep(sys.argv[1])):
        pass
