"""What people take garments for: twenty at a time, other ones for each, and all of a room together.

guesses/ID    {source: what that member said of the first garments of an order of its own}
"""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket, admit, changing, folder_of
from fmnist.data.splits import CLASSES, Source, Split
from fmnist.machine.files import version, write_whole

A_SET = 20
MOST_SETS = 50
PEOPLE = 0.835
"""What people name right of the test images, by the dataset's board."""


def order(ticket: Ticket, images: int) -> NDArray[np.int64]:
    """The rows of so many images in the order in which a member is asked about them."""
    seed = hashlib.sha256(f"{ticket.code} {ticket.person}".encode()).digest()
    return np.random.default_rng(int.from_bytes(seed[:8])).permutation(images)


def most(test: Split) -> int:
    """How many garments one may be asked about: whole sets of the images that there are."""
    return min(MOST_SETS, len(test) // A_SET) * A_SET


def guess(ticket: Ticket, source: Source, place: int, label: int) -> None:
    """Say what the garment at a place of one's own order is, once; raises RoomError.

    The same place said again, as from another tab, changes nothing.
    """
    admit(ticket)
    if label not in range(len(CLASSES)):
        raise RoomError("Choose one of the ten kinds of garments.")
    with changing(ticket.code, "guesses") as folder:
        path = folder / ticket.person
        said = _said(path)
        before = said.get(source, [])
        if place != len(before) or place >= MOST_SETS * A_SET:
            return
        write_whole(path, json.dumps(said | {source: [*before, label]}).encode())


def guessed(ticket: Ticket, source: Source) -> list[int]:
    """What a member has said so far, in its order; raises RoomError."""
    admit(ticket)
    return _said(folder_of(ticket.code, "guesses") / ticket.person).get(source, [])


def matrix(ticket: Ticket, source: Source, test: Split, everybody: bool) -> NDArray[np.int64]:
    """The confusion counts (10, 10) of all in the room, or of one's own; raises RoomError."""
    admit(ticket)
    counts = np.zeros((len(CLASSES), len(CLASSES)), np.int64)
    for person, said in _everybodys(ticket.code, source):
        if everybody or person == ticket.person:
            rows = order(Ticket(ticket.code, person, ""), len(test))[: len(said)]
            named = np.array(said[: len(rows)], np.uint8)
            counts += evaluation.count_cells(test.labels[rows], named)
    return counts


def _everybodys(code: str, source: Source) -> Iterator[tuple[str, list[int]]]:
    folder = folder_of(code, "guesses")
    with suppress(FileNotFoundError):
        for person in sorted(os.listdir(folder)):
            if person.isalnum():  # no file that is being written
                yield person, _said(folder / person).get(source, [])


def _said(path: Path) -> dict[str, list[int]]:
    try:
        return _said_as_of(path, version(path))
    except (FileNotFoundError, ValueError):
        return {}


@lru_cache(maxsize=1024)
def _said_as_of(path: Path, version: tuple[int, int, int]) -> dict[str, list[int]]:
    said: dict[str, list[int]] = json.loads(path.read_bytes())
    return said
