"""A classroom is a directory: who is in it, what is asked there, what was given and handed in.

    FMNIST_ROOMS/CODE/room.json      the teacher, the members and the question, replaced whole
                      lock           held by whoever replaces a file
                      seen/ID        when a member was last heard of, by its time of change
                      sketches/ID    a sketch that was given, see sketches.py
                      guesses/ID     what a member took garments for, see guesses.py
                      entries/ID     what a member handed in, see contest.py
                      challenges.*   the best results of its challenges, with a lock of their own

Servers on one folder agree, since none keeps anything that isn't here. Whoever acts has a ticket:
the code, who it is, and a secret of which only the hash is here.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple, Self
from unicodedata import normalize

from fmnist.classroom import tries
from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.machine.files import version, write_whole
from fmnist.machine.locks import held
from fmnist.machine.names import MARKS, no_formula, on_one_line
from fmnist.words import LANGUAGES, Words, _, reading, said

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Nothing that is taken for something else when it is read from a wall."""
CODE = re.compile(f"[{ALPHABET}]{{5}}")
TICKET = re.compile(rf"([{ALPHABET}]{{5}})\.([a-z0-9]{{8}})\.([{ALPHABET}]{{16}})")
TEACHER = "teacher0"
"""The teacher's place among the members' ids."""
LONGEST_NAME, LONGEST_TITLE, LONGEST_QUESTION = 24, 60, 200
MOST_MEMBERS, MOST_ROOMS = 200, 200
TEACHERS_NAME, NAME_OF_WHO_LEFT = Words("The teacher"), Words("Somebody who left")
AWAY = 120.0
"""Seconds without a word after which somebody isn't here any more."""
WRITTEN = 20.0
"""Seconds for which it is known well enough that somebody is here."""
FOLDERS = ("seen", "sketches", "guesses", "entries")


class Member(NamedTuple):
    """Somebody who joined: a nickname, and the hash of the secret."""

    name: str
    secret: str
    joined: float  # seconds since 1970


@dataclass(frozen=True)
class Room:
    """A classroom as room.json had it at one moment."""

    code: str
    title: str
    secret: str  # the hash of the teacher's
    opened: float  # seconds since 1970
    members: Mapping[str, Member] = field(default_factory=dict)  # by id
    question: str = ""
    round: int = 0  # how many questions there have been
    revealed: bool = False  # whether everybody may see what does how well on test

    def name(self, person: str) -> str:
        """What somebody is called here, or words."""
        if person == TEACHER:
            return TEACHERS_NAME
        member = self.members.get(person)
        return member.name if member else NAME_OF_WHO_LEFT


@dataclass(frozen=True)
class Ticket:
    """Who somebody is, and the secret that shows it; as text it is what a browser keeps."""

    code: str
    person: str
    secret: str = field(repr=False)

    @property
    def teaches(self) -> bool:
        return self.person == TEACHER

    def __str__(self) -> str:
        return f"{self.code}.{self.person}.{self.secret}"

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """The ticket that a browser kept; None for what is none."""
        found = TICKET.fullmatch(text)
        return cls(*found.groups()) if found else None


def open_room(title: str, address: str) -> Ticket:
    """Open a room; the teacher's ticket, whose secret is nowhere else.

    Raises RoomError for a title that is too long, and where there are too many rooms or too many
    tries from one address.
    """
    title = _words(title or _("Our room"), LONGEST_TITLE, Words("A room's name"))
    tries.count(address, tries.OPENING)
    try:
        rooms_folder().mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in rooms_folder().glob("[!.]*/room.json")) >= MOST_ROOMS:
            raise RoomError(
                "There are {most} rooms already. Close one that is over, or delete its folder on "
                "the machine on which this runs.",
                most=MOST_ROOMS,
            )
        secret, code = _random(16), _random(5)
        while (rooms_folder() / code).exists():
            code = _random(5)
        # A room appears whole: its directory is filled under another name first.
        made = rooms_folder() / f".new-{code}"
        for name in FOLDERS:
            (made / name).mkdir(parents=True)
        _write(Room(code, title, _hash(secret), time.time()), made)
        made.rename(rooms_folder() / code)
    except OSError as error:
        raise RoomError(
            "The folder of the rooms can't be written: {reason}.", reason=error.strerror
        ) from None
    return Ticket(code, TEACHER, secret)


def join(code: str, name: str, address: str) -> Ticket:
    """Become a member by a nickname that nobody else there has; the member's ticket.

    Raises RoomError where there is no such room, the name is none or taken, the room is full, or
    there are too many tries from one address.
    """
    code = as_code(code)
    tries.count(address)
    name = _words(no_formula(name), LONGEST_NAME, Words("A nickname"))
    secret, person = _random(16), secrets.token_hex(4)

    def added(room: Room) -> Room:
        taken = {_alike(member.name) for member in room.members.values()}
        if _alike(name) in taken | _nobodys():
            raise RoomError(
                "Somebody here is called {name} already. Choose another nickname.", name=name
            )
        if len(room.members) >= MOST_MEMBERS:
            raise RoomError("The room is full: {most} have joined.", most=MOST_MEMBERS)
        return replace(
            room, members={**room.members, person: Member(name, _hash(secret), time.time())}
        )

    _change(code, added)
    return Ticket(code, person, secret)


def enter(code: str, secret: str, address: str) -> Ticket:
    """The teacher's ticket, by the secret that was shown once; raises RoomError for a wrong one."""
    code = as_code(code)
    tries.count(address)
    ticket = Ticket(code, TEACHER, re.sub(r"[\s-]", "", secret).upper())
    admit(ticket)
    return ticket


def admit(ticket: Ticket) -> Room:
    """The room of a ticket; raises RoomError where it is gone, or the ticket isn't of its."""
    room = read_room(ticket.code)
    if ticket.teaches:
        expected = room.secret
    elif member := room.members.get(ticket.person):
        expected = member.secret
    else:
        raise RoomError("You are not in this room any more. Join it again.")
    if not hmac.compare_digest(_hash(ticket.secret), expected):
        raise RoomError("That is not the secret. The room stays as it is.")
    return room


def admit_teacher(ticket: Ticket) -> Room:
    """As `admit`; raises RoomError for everybody but the teacher."""
    room = admit(ticket)
    if not ticket.teaches:
        raise RoomError("Only the teacher can do that.")
    return room


def ask(ticket: Ticket, question: str) -> Room:
    """Begin a round with a question for everybody; raises RoomError."""
    admit_teacher(ticket)
    words = _words(question, LONGEST_QUESTION, Words("A question"))
    return _change(ticket.code, lambda room: replace(room, question=words, round=room.round + 1))


def reveal(ticket: Ticket) -> Room:
    """Let everybody see what does how well on test, for good; raises RoomError."""
    admit_teacher(ticket)
    return _change(ticket.code, lambda room: replace(room, revealed=True))


def remove(ticket: Ticket, person: str) -> Room:
    """Send somebody out, whose place and name are free then; raises RoomError."""
    admit_teacher(ticket)

    def without(room: Room) -> Room:
        return replace(room, members={i: m for i, m in room.members.items() if i != person})

    return _change(ticket.code, without)


def close(ticket: Ticket) -> None:
    """Delete a room with all that is in it; runs and models stay. Raises RoomError."""
    admit_teacher(ticket)
    folder = _folder(ticket.code)
    with suppress(FileNotFoundError):  # closed by two at once
        gone = folder.rename(folder.with_name(f".gone-{ticket.code}-{secrets.token_hex(3)}"))
        shutil.rmtree(gone)


def read_room(code: str) -> Room:
    """The room of that code at this moment; raises RoomError where there is none."""
    try:
        return _room_as_of(_folder(code), version(_folder(code) / "room.json"))
    except FileNotFoundError:
        raise RoomError(
            "There is no room {code}. Look at the wall for its code.", code=code
        ) from None
    except (OSError, ValueError, TypeError, KeyError):
        raise RoomError("The file room.json of room {code} is damaged.", code=code) from None


@lru_cache(maxsize=256)
def _room_as_of(folder: Path, version: tuple[int, int, int]) -> Room:
    """The room as it was when its file was so: every rerun of every browser asks for it."""
    values = json.loads((folder / "room.json").read_bytes())
    members = {person: Member(**member) for person, member in values.pop("members").items()}
    return Room(**values, members=members)


def is_open(code: str) -> bool:
    """Whether there is a room of that code."""
    return bool(CODE.fullmatch(code)) and (rooms_folder() / code / "room.json").exists()


def note_presence(ticket: Ticket) -> None:
    """Let the others know that somebody is here, if they don't."""
    path = _folder(ticket.code) / "seen" / ticket.person
    with suppress(OSError):  # the room is closed, or the disk full
        if not path.exists() or _since(path.stat()) > WRITTEN:
            path.touch()


def here(code: str) -> set[str]:
    """The members whose browsers were heard of lately."""
    with suppress(FileNotFoundError), os.scandir(_folder(code) / "seen") as seen:
        return {file.name for file in seen if _since(file.stat()) < AWAY}
    return set()


def _since(file: os.stat_result) -> float:
    """Seconds since a file's change, or to it: a clock that was ahead keeps nobody here."""
    return abs(time.time() - file.st_mtime)


@contextmanager
def changing(code: str, name: str) -> Iterator[Path]:
    """One of the room's folders, which nobody else changes meanwhile; raises RoomError."""
    try:
        with held(_folder(code) / "lock"):
            yield _folder(code) / name
    except FileNotFoundError:
        raise RoomError("There is no room {code} any more.", code=code) from None
    except OSError as error:
        raise RoomError(
            "The room's files can't be written: {reason}.", reason=error.strerror
        ) from None


def folder_of(code: str, name: str) -> Path:
    """One of the room's folders, to read."""
    return _folder(code) / name


def as_code(text: str) -> str:
    """A code as people type it, if it can be one; raises RoomError for another."""
    code = on_one_line(text).replace(" ", "").upper()
    if not CODE.fullmatch(code):
        raise RoomError("A room's code has five letters and digits, such as the wall shows.")
    return code


def as_shown(secret: str) -> str:
    """A secret in groups that can be read and typed."""
    return "-".join(secret[start : start + 4] for start in range(0, len(secret), 4))


def _folder(code: str) -> Path:
    if not CODE.fullmatch(code):
        raise RoomError("A room's code has five letters and digits, such as the wall shows.")
    return rooms_folder() / code


def _change(code: str, change: Callable[[Room], Room]) -> Room:
    with changing(code, "") as folder:
        room = change(read_room(code))
        _write(room, folder)
    return room


def _write(room: Room, folder: Path) -> None:
    values = asdict(room) | {"members": {i: m._asdict() for i, m in room.members.items()}}
    write_whole(folder / "room.json", json.dumps(values, indent=1).encode())


def _words(text: str, longest: int, what: Words) -> str:
    words = on_one_line(text)
    if not 0 < len(words) <= longest:
        raise RoomError(
            "{what} has 1 to {longest} characters; this one has {length}.",
            what=what,
            longest=longest,
            length=len(words),
        )
    return words


def _alike(name: str) -> str:
    """The same for names that people would take for the same."""
    letters = "".join(c for c in normalize("NFKC", name).casefold() if c.isalnum())
    return letters or re.sub(f"[{MARKS}]", "", name)


@cache
def _nobodys() -> set[str]:
    """Nicknames that would say too much in some language, as `_alike` has them."""
    names = {_alike("teacher")}
    for spoken in LANGUAGES:
        with reading(spoken):
            names |= {_alike(said(name)) for name in (TEACHERS_NAME, NAME_OF_WHO_LEFT)}
    return names


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _hash(secret: str) -> str:
    """Of secrets nobody chose, so that a quick hash will do."""
    return hashlib.sha256(secret.encode()).hexdigest()
