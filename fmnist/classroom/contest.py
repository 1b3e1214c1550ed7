"""The contest of a room: what is handed in, and once it is revealed how well that does."""

import json
import os
import time
from contextlib import suppress
from typing import NamedTuple

from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket, admit, changing, folder_of
from fmnist.machine.files import write_whole
from fmnist.machine.names import no_formula
from fmnist.words import Words, _, kept, recalled

LONGEST = 60


class Entry(NamedTuple):
    """What somebody handed in."""

    person: str
    title: str
    what: Words  # such as a run, or a table of classes
    validation: float | None  # accuracies, 0 to 1
    test: float | None  # None until it is revealed
    handed: float  # seconds since 1970


def hand_in(ticket: Ticket, title: str, what: Words, validation: float | None, test: float) -> None:
    """Hand in what has been measured; of each person the last counts.

    Raises RoomError for who isn't in the room, and once the test accuracies are revealed.
    """
    title = no_formula(title)[:LONGEST] or _("Without a name")
    entry = Entry(ticket.person, title, what, validation, test, time.time())
    with changing(ticket.code, "entries") as folder:
        if admit(ticket).revealed:
            raise RoomError("The contest is over: the test accuracies are revealed.")
        values = entry._asdict() | {"what": kept(what)}
        write_whole(folder / ticket.person, json.dumps(values).encode())


def entries(ticket: Ticket) -> list[Entry]:
    """What was handed in: the best on test first once that is revealed, until then the latest.

    Raises RoomError for who isn't in the room.
    """
    room = admit(ticket)
    folder, found = folder_of(ticket.code, "entries"), list[Entry]()
    with suppress(FileNotFoundError):
        for person in os.listdir(folder):
            with suppress(FileNotFoundError, ValueError, TypeError):
                if person.isalnum():  # no file that is being written
                    values = json.loads((folder / person).read_bytes())
                    found.append(Entry(**{**values, "what": recalled(values["what"])}))
    if room.revealed:
        return sorted(found, key=lambda entry: -(entry.test or 0))
    hidden = [entry._replace(test=None) for entry in found]
    return sorted(hidden, key=lambda entry: -entry.handed)
