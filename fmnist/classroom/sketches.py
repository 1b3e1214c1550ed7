"""Sketches that people gave to their room: a data set of its own, and nothing that wasn't given."""

import base64
import io
import json
import os
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Room, Ticket, admit, changing, folder_of
from fmnist.data.splits import CLASSES
from fmnist.machine.files import write_whole

SIDE = 28
MOST, MOST_OF_ONE = 5000, 100
NAME = re.compile(r"\d{20}-[0-9a-f]{6}-[a-z0-9]{8}")


class Sketch(NamedTuple):
    """A sketch that was given, by its id, whose order is that of giving."""

    id: str
    pixels: NDArray[np.uint8]  # (28, 28), as a model sees it
    drawn: int  # the class that its owner says it is
    answer: int  # the class that a model said
    probability: float
    model: str  # which
    round: int  # of the room when it was given

    @property
    def person(self) -> str:
        """Whose it is."""
        return self.id.rpartition("-")[2]


def give(
    ticket: Ticket,
    pixels: NDArray[np.uint8],
    drawn: int,
    answer: int,
    probability: float,
    model: str,
) -> str:
    """Put a sketch uint8 (28, 28) among those of the room, for all who are in it; returns its id.

    Raises RoomError for one that is blank, given before, or one too many.
    """
    room = admit(ticket)
    if pixels.shape != (SIDE, SIDE) or pixels.dtype != np.uint8 or not pixels.any():
        raise RoomError("There is nothing on the canvas to give.")
    if drawn not in range(len(CLASSES)):
        raise RoomError("Say what you drew: one of the ten kinds of garments.")
    values = {
        "pixels": base64.b64encode(pixels.tobytes()).decode(),
        "drawn": drawn,
        "answer": answer,
        "probability": round(probability, 4),
        "model": model,
        "round": room.round,
    }
    content = json.dumps(values).encode()
    with changing(ticket.code, "sketches") as folder:
        names = _names(folder)
        own = [name for name in names if name.endswith(f"-{ticket.person}")]
        if len(names) >= MOST or len(own) >= MOST_OF_ONE:
            most = MOST if len(names) >= MOST else MOST_OF_ONE
            raise RoomError(
                "There are {most} sketches already. Delete some of them first.", most=most
            )
        if any((folder / name).read_bytes() == content for name in own):
            raise RoomError("You gave this sketch already.")
        # Whatever the clocks of the servers say, it is the latest.
        latest = int(names[-1].partition("-")[0]) if names else 0
        number = max(time.time_ns(), latest + 1)
        name = f"{number:020d}-{secrets.token_hex(3)}-{ticket.person}"
        write_whole(folder / name, content)
    return name


def of_room(ticket: Ticket, most: int = MOST) -> list[Sketch]:
    """The sketches of a room, the latest first; raises RoomError for who isn't in it."""
    admit(ticket)
    folder, found = folder_of(ticket.code, "sketches"), list[Sketch]()
    for name in reversed(_names(folder)[-most:]):
        with suppress(FileNotFoundError, ValueError, TypeError):  # deleted meanwhile, or damaged
            found.append(_read(folder / name))
    return found


def count(ticket: Ticket) -> int:
    """How many sketches a room has; raises RoomError for who isn't in it."""
    admit(ticket)
    return len(_names(folder_of(ticket.code, "sketches")))


def delete(ticket: Ticket, sketch: str) -> None:
    """Delete a sketch: one's own, or as the teacher any; raises RoomError."""
    admit(ticket)
    if not NAME.fullmatch(sketch):
        raise RoomError("There is no such sketch here.")
    if not ticket.teaches and not sketch.endswith(f"-{ticket.person}"):
        raise RoomError("Only who gave it, or the teacher, can delete it.")
    with changing(ticket.code, "sketches") as folder:
        (folder / sketch).unlink(missing_ok=True)


def packed(sketches: Sequence[Sketch], room: Room) -> bytes:
    """Sketches as .npz: images uint8 (N, 28, 28), labels and answers uint8 (N,), rounds, names."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        images=images(sketches),
        labels=labels(sketches),
        answers=np.array([sketch.answer for sketch in sketches], np.uint8),
        rounds=np.array([sketch.round for sketch in sketches], np.int64),
        models=np.array([sketch.model for sketch in sketches], np.str_),
        nicknames=np.array([room.name(sketch.person) for sketch in sketches], np.str_),
        classes=np.array(CLASSES),
    )
    return content.getvalue()


def images(sketches: Sequence[Sketch]) -> NDArray[np.uint8]:
    """Their pixels, uint8 (N, 28, 28)."""
    pixels = [sketch.pixels for sketch in sketches]
    return np.stack(pixels) if pixels else np.zeros((0, SIDE, SIDE), np.uint8)


def labels(sketches: Sequence[Sketch]) -> NDArray[np.uint8]:
    """What their owners say they are, uint8 (N,)."""
    return np.array([sketch.drawn for sketch in sketches], np.uint8)


def unpacked(content: bytes) -> NDArray[np.uint8]:
    """Bytes as the pixels uint8 (28, 28) that they were; raises ValueError for others."""
    return np.frombuffer(content, np.uint8).reshape(SIDE, SIDE)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if NAME.fullmatch(name))
    except FileNotFoundError:
        return []


@lru_cache(maxsize=2 * MOST)
def _read(path: Path) -> Sketch:
    """A sketch, which never changes once it is there."""
    values: dict[str, Any] = json.loads(path.read_bytes())
    pixels = unpacked(base64.b64decode(values.pop("pixels")))
    return Sketch(path.name, pixels, **values)
