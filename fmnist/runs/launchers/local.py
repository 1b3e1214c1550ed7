"""A run as a process of this machine, which outlives whoever started it."""

from pathlib import Path

from fmnist.machine import detached


def launch(run_id: str, folder: Path, locks: tuple[int, int]) -> None:
    """Start the run's process; it inherits its two locks. Raises OSError."""
    where = {"FMNIST_RUNS": str(folder.parent.resolve())}
    arguments = [run_id, *map(str, locks)]
    detached.start("fmnist.runs.worker", arguments, where, folder / "log.txt", list(locks))
