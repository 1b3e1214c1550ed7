"""The best results of each challenge, in a file of a room, or beside the rooms: challenges.json.

A room's list is deleted with it; that of whoever is in no room stays on the machine.
"""

import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.classroom.room import folder_of
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held
from fmnist.machine.names import on_one_line
from fmnist.words import Words, kept, recalled

LENGTH = 20
LONGEST_NAME = 24


class Result(NamedTuple):
    """What somebody reached; the smallest score is the best."""

    score: float
    words: Words
    name: str


def enter(challenge: str, result: Result, room: str | None = None) -> None:
    """Put a result on the list of a challenge, of a room by its code if there is one.

    Of one name only the best result stays.

    Raises RoomError where the list can't be written.
    """
    name = on_one_line(result.name)[:LONGEST_NAME].strip()
    if not name:
        return
    try:
        if room is None:
            rooms_folder().mkdir(parents=True, exist_ok=True)
        with held(_folder(room) / "challenges.lock"):
            lists = _read(room)
            others = lists.get(challenge, [])
            own = [each for each in others if each.name == name]
            best = min([*own, result._replace(name=name)], key=lambda each: each.score)
            rest = [each for each in others if each.name != name]
            lists[challenge] = sorted([*rest, best], key=lambda each: each.score)[:LENGTH]
            _write(lists, room)
    except OSError as error:
        raise RoomError("The list can't be written: {reason}.", reason=error.strerror) from None


def of(challenge: str, room: str | None = None) -> list[Result]:
    """The best results of a challenge, in a room if there is one, the best one first."""
    return _read(room).get(challenge, [])


def _folder(room: str | None) -> Path:
    return rooms_folder() if room is None else folder_of(room, "")


def _write(lists: dict[str, list[Result]], room: str | None) -> None:
    values = {
        challenge: [(each.score, kept(each.words), each.name) for each in results]
        for challenge, results in lists.items()
    }
    write_whole(_folder(room) / "challenges.json", json.dumps(values, indent=1).encode())


def _read(room: str | None) -> dict[str, list[Result]]:
    """Every list; none where there is no file yet, or a damaged one."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        values = json.loads((_folder(room) / "challenges.json").read_bytes())
        return {
            challenge: [Result(score, recalled(words), name) for score, words, name in results]
            for challenge, results in values.items()
        }
    return {}
