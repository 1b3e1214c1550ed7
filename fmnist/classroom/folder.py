"""Where classrooms are, and the error that is theirs."""

import os
from pathlib import Path

from fmnist.machine.errors import UserFacingError
from fmnist.runs.run import runs_folder


class RoomError(UserFacingError):
    """A classroom can't do what was asked; the message says why in a sentence."""


def rooms_folder() -> Path:
    """Where the classrooms are: FMNIST_ROOMS, else rooms/ beside the runs."""
    return Path(os.environ.get("FMNIST_ROOMS") or runs_folder().with_name("rooms"))
