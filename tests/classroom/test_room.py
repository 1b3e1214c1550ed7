"""A classroom: who gets in, who doesn't, and what is left in its files."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fmnist import PROJECT
from fmnist.classroom import room, tries
from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.classroom.room import Ticket

HERE = "192.168.7.7"


@pytest.fixture
def teacher() -> Ticket:
    return room.open_room("Class 7b", HERE)


@pytest.mark.slow
def test_what_was_done_is_there_for_whoever_reads_the_folder_next(teacher: Ticket) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    room.ask(teacher, "Draw a bag.")
    script = (
        "import sys; from fmnist.classroom.room import Ticket, admit\n"
        "found = admit(Ticket.from_text(sys.argv[1]))\n"
        "print(found.title, [m.name for m in found.members.values()], found.question, found.round)"
    )
    seen = subprocess.run(
        [sys.executable, "-c", script, str(pupil)], cwd=PROJECT, capture_output=True, text=True
    )
    assert seen.stdout == "Class 7b ['Ana'] Draw a bag. 1\n", seen.stderr


def test_no_secret_is_in_any_file(teacher: Ticket) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    written = b"".join(path.read_bytes() for path in rooms_folder().rglob("*") if path.is_file())
    for ticket in (teacher, pupil):
        assert ticket.secret.encode() not in written
        assert ticket.secret not in repr(ticket)


def test_thirty_who_join_at_once_are_all_there(teacher: Ticket) -> None:
    with ThreadPoolExecutor(30) as threads:
        names = [f"Pupil {number}" for number in range(30)]
        tickets = list(threads.map(lambda name: room.join(teacher.code, name, HERE), names))
    found = room.admit(teacher)
    assert sorted(member.name for member in found.members.values()) == sorted(names)
    for ticket, name in zip(tickets, names, strict=True):
        assert room.admit(ticket).name(ticket.person) == name


def test_the_teacher_comes_back_with_the_secret_as_it_was_shown(teacher: Ticket) -> None:
    shown = room.as_shown(teacher.secret)
    assert room.enter(f" {teacher.code.lower()} ", shown.lower(), HERE) == teacher


@pytest.mark.parametrize(
    "forged",
    [
        lambda t, p: Ticket(t.code, t.person, p.secret),
        lambda t, p: Ticket(t.code, t.person, "A" * 16),
        lambda t, p: Ticket(t.code, p.person, t.secret),
        lambda t, p: Ticket(t.code, "abcdef01", p.secret),
        lambda t, p: Ticket("23456", t.person, t.secret),
        lambda t, p: Ticket("../x", t.person, t.secret),
    ],
)
def test_a_forged_ticket_does_nothing(
    teacher: Ticket, forged: Callable[[Ticket, Ticket], Ticket]
) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    wrong = forged(teacher, pupil)
    before = room.read_room(teacher.code)
    for act in (room.admit, room.reveal, room.close, lambda t: room.ask(t, "Out!")):
        with pytest.raises(RoomError):
            act(wrong)
    assert room.read_room(teacher.code) == before


def test_what_the_teacher_does_nobody_else_can(teacher: Ticket) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    other = room.join(teacher.code, "Bo", HERE)
    for act in (
        lambda: room.ask(pupil, "Out!"),
        lambda: room.reveal(pupil),
        lambda: room.remove(pupil, other.person),
        lambda: room.close(pupil),
    ):
        with pytest.raises(RoomError, match="Only the teacher"):
            act()
    assert room.admit(other).question == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ABCDE",
        "../../etc/passwd",
        "ABCDE.teacher0.AAAABBBBCCCCDDDD.x",
        "ABCDE.../../../x.AAAABBBBCCCCDDDD",
        "ABCDE.teacher0.AAAABBBBCCCCDDD/",
        "ABCDE.teacher0.AAAABBBBCCCCDDDD\n",
        "<script>",
    ],
)
def test_what_is_no_ticket_is_none(text: str) -> None:
    assert Ticket.from_text(text) is None


def test_a_ticket_is_the_same_after_its_text(teacher: Ticket) -> None:
    for ticket in (teacher, room.join(teacher.code, "Ana", HERE)):
        assert Ticket.from_text(str(ticket)) == ticket


@pytest.mark.parametrize(
    "code", ["", "..", "../..", "/etc", "ABCD", "ABCDEF", "ABC/E", "A\x00BCD", "<b>AB", "OOOOO"]
)
def test_a_code_that_is_none_is_refused_in_words(code: str) -> None:
    for way in (lambda: room.join(code, "Ana", HERE), lambda: room.enter(code, "x", HERE)):
        with pytest.raises(RoomError, match="five letters and digits"):
            way()
    with pytest.raises(RoomError):
        room.read_room(code)
    assert not room.is_open(code)


@pytest.mark.parametrize(
    "name", ["", "   ", "\u200b\u202e", "a" * 25, "\x00", "=+-@", "\u200b= ", "\u3164"]
)
def test_a_nickname_that_is_none_is_refused_in_words(teacher: Ticket, name: str) -> None:
    with pytest.raises(RoomError, match="A nickname has 1 to 24 characters"):
        room.join(teacher.code, name, HERE)


def test_a_nickname_is_on_one_line_and_no_formula(teacher: Ticket) -> None:
    ticket = room.join(teacher.code, "\u200b=\u202e An\n a\u200b", HERE)
    assert room.admit(ticket).name(ticket.person) == "An a"


@pytest.mark.parametrize(
    "name",
    [
        "ana",
        "ANA",
        " A na",
        "\uff21\uff4e\uff41",
        "Teacher",
        "the teacher",
        "Die Lehrkraft",
        "somebody who left",
        "Ana\u3164",
        "\u115fAna\u2800",
        "The teacher\u3164",
        "\U0001f431\ufe0f",
        "\U0001f431\u200d",
    ],
)
def test_nobody_is_called_what_people_take_for_somebody_else(teacher: Ticket, name: str) -> None:
    room.join(teacher.code, "Ana", HERE)
    room.join(teacher.code, "\U0001f431", HERE)
    with pytest.raises(RoomError, match="already"):
        room.join(teacher.code, name, HERE)


def test_who_was_sent_out_is_told_and_the_name_is_free(teacher: Ticket) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    room.remove(teacher, pupil.person)
    with pytest.raises(RoomError, match="not in this room any more"):
        room.admit(pupil)
    assert room.read_room(teacher.code).name(pupil.person) == "Somebody who left"
    room.join(teacher.code, "Ana", HERE)


def test_a_closed_room_is_gone_with_all_its_files(teacher: Ticket) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    room.close(teacher)
    assert not [path for path in rooms_folder().iterdir() if path.is_dir()]
    with pytest.raises(RoomError, match="no room"):
        room.admit(pupil)
    with pytest.raises(RoomError, match="no room"):
        room.join(teacher.code, "Bo", HERE)


def test_a_damaged_room_is_said_and_another_goes_on(teacher: Ticket) -> None:
    other = room.open_room("Class 8a", HERE)
    (rooms_folder() / teacher.code / "room.json").write_text('{"code": ')
    with pytest.raises(RoomError, match="is damaged"):
        room.admit(teacher)
    assert room.admit(other).title == "Class 8a"


def test_a_thousand_joins_from_one_address_are_slowed_and_another_is_not(teacher: Ticket) -> None:
    told = []
    for number in range(1000):
        try:
            room.join(teacher.code, f"Bot {number}", HERE)
        except RoomError as error:
            told.append(str(error))
    assert len(told) > 850
    assert all("Try again in" in sentence for sentence in told)
    joined = room.join(teacher.code, "Ana", "192.168.7.8")
    assert room.admit(joined).name(joined.person) == "Ana"


def test_the_tries_come_back_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(tries.time, "time", lambda: now)
    for _ in range(int(tries.BUCKET)):
        tries.count(HERE)
    with pytest.raises(RoomError):
        tries.count(HERE)
    now += 10
    for _ in range(int(10 * tries.REFILL)):
        tries.count(HERE)
    with pytest.raises(RoomError, match="Try again in 2 seconds"):
        tries.count(HERE)


def test_a_clock_that_was_ahead_and_is_set_right_locks_nobody_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 20000.0
    monkeypatch.setattr(tries.time, "time", lambda: now)
    for _ in range(int(tries.BUCKET)):
        tries.count(HERE)
    now -= 3 * 3600
    tries.count(HERE)


def test_wrong_codes_and_secrets_count_as_tries() -> None:
    for _ in range(int(tries.BUCKET)):
        with pytest.raises(RoomError, match="no room"):
            room.join("ABCDE", "Ana", HERE)
    with pytest.raises(RoomError, match="Try again"):
        room.enter("ABCDE", "A" * 16, HERE)


def test_many_addresses_do_not_make_the_file_grow_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tries, "MOST_ADDRESSES", 5)
    for number in range(10):
        tries.count(f"192.168.7.{number}")
    assert len(json.loads((rooms_folder() / "tries.json").read_text())) == 5


def test_who_is_here_is_who_was_heard_of_lately(
    teacher: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    assert room.here(teacher.code) == set()
    room.note_presence(pupil)
    assert room.here(teacher.code) == {pupil.person}
    monkeypatch.setattr(room, "AWAY", -1.0)
    assert room.here(teacher.code) == set()


def test_who_left_is_not_here_after_a_clock_that_was_ahead_and_who_comes_is(
    teacher: Ticket,
) -> None:
    pupil = room.join(teacher.code, "Ana", HERE)
    room.note_presence(pupil)
    ahead = time.time() + 3 * 3600
    os.utime(room.folder_of(teacher.code, "seen") / pupil.person, (ahead, ahead))
    assert room.here(teacher.code) == set()
    room.note_presence(pupil)
    assert room.here(teacher.code) == {pupil.person}
