"""The best results of each challenge, in a file beside the rooms: challenges.json."""

import json
from contextlib import suppress
from typing import NamedTuple

from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.machine.files import write_whole
from fmnist.machine.locks import held
from fmnist.words import Words, kept, recalled

LENGTH = 20
LONGEST_NAME = 24


class Result(NamedTuple):
    """What somebody reached; the smallest score is the best."""

    score: float
    words: Words
    name: str


def enter(challenge: str, result: Result) -> None:
    """Put a result on the list of a challenge; of one name only the best one stays.

    Raises RoomError where the list can't be written.
    """
    name = " ".join(result.name.split())[:LONGEST_NAME]
    if not name:
        return
    try:
        rooms_folder().mkdir(parents=True, exist_ok=True)
        with held(rooms_folder() / "challenges.lock"):
            lists = _read()
            others = lists.get(challenge, [])
            own = [each for each in others if each.name == name]
            best = min([*own, result._replace(name=name)], key=lambda each: each.score)
            rest = [each for each in others if each.name != name]
            lists[challenge] = sorted([*rest, best], key=lambda each: each.score)[:LENGTH]
            _write(lists)
    except OSError as error:
        raise RoomError("The list can't be written: {reason}.", reason=error.strerror) from None


def of(challenge: str) -> list[Result]:
    """The best results of a challenge, the best one first."""
    return _read().get(challenge, [])


def _write(lists: dict[str, list[Result]]) -> None:
    values = {
        challenge: [(each.score, kept(each.words), each.name) for each in results]
        for challenge, results in lists.items()
    }
    write_whole(rooms_folder() / "challenges.json", json.dumps(values, indent=1).encode())


def _read() -> dict[str, list[Result]]:
    """Every list; none where there is no file yet, or a damaged one."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        values = json.loads((rooms_folder() / "challenges.json").read_bytes())
        return {
            challenge: [Result(score, recalled(words), name) for score, words, name in results]
            for challenge, results in values.items()
        }
    return {}
