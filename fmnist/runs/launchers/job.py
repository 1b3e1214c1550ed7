"""What a cluster is to carry out, what it was given, and how that stands."""

from pathlib import Path
from typing import Literal, NamedTuple

Standing = Literal["waiting", "running", "late", "gone"]
"""A job that is late has been given up by a cluster that had no room for it in time."""


class Job(NamedTuple):
    """What a cluster was given: by whom, what the cluster calls it, and which cluster that is."""

    launcher: str
    id: str  # nothing while it is being handed over
    at: str  # or, until then, by whom


class Task(NamedTuple):
    """What a cluster is to carry out: a line for a shell, and what that needs."""

    name: str
    line: str
    folder: Path
    cpus: int
    gpus: int
