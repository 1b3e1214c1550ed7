"""How often somebody may try to get into a room: a class at once, a thousand not.

Each address has a bucket of tries that fills again with time; the file is all servers'.
"""

import json
import time

from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held

BUCKET = 80.0
"""Tries at once: two classes behind one address."""
REFILL = 0.5
"""Tries a second after that."""
OPENING = 8.0
"""Tries that a room costs which somebody opens."""
MOST_ADDRESSES = 5000


def count(address: str, cost: float = 1.0) -> None:
    """Count a try from an address; raises RoomError where it has had too many."""
    folder = rooms_folder()
    now = time.time()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held(folder / "tries.lock"):
            left = _left(now)
            tries = left.get(address, BUCKET) - cost
            if tries < 0:
                raise RoomError(
                    "So many have tried from this network that it has to wait. Try again in "
                    "{seconds:.0f} seconds.",
                    seconds=-tries / REFILL,
                )
            # The fullest are forgotten first: they have the least to remember.
            kept = dict(sorted((left | {address: tries}).items(), key=lambda each: each[1]))
            last = {who: (tries, now) for who, tries in list(kept.items())[:MOST_ADDRESSES]}
            write_whole(folder / "tries.json", json.dumps(last).encode())
    except OSError as error:
        raise RoomError(
            "The folder of the rooms can't be written: {reason}.", reason=error.strerror
        ) from None


def _left(now: float) -> dict[str, float]:
    """The tries that each address has left, but for those that have them all."""
    try:
        last = json.loads((rooms_folder() / "tries.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    # Either way off: a clock that was ahead and is set right locks nobody out.
    left = {who: tries + abs(now - when) * REFILL for who, (tries, when) in last.items()}
    return {who: tries for who, tries in left.items() if tries < BUCKET}
