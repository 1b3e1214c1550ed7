"""The contest: the last of each counts, and nobody sees a test accuracy before the end."""

import pytest

from fmnist.classroom import contest, room
from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket


def test_nobody_sees_a_test_accuracy_before_it_is_revealed_and_then_the_best_is_first(
    teacher: Ticket,
) -> None:
    ana, bo = (room.join(teacher.code, name, "here") for name in ("Ana", "Bo"))
    contest.hand_in(ana, "net", "Run", 0.9, 0.81)
    contest.hand_in(bo, "table", "Table of classes", None, 0.83)
    for ticket in (teacher, ana, bo):
        assert {entry.test for entry in contest.entries(ticket)} == {None}
    room.reveal(teacher)
    for ticket in (teacher, ana, bo):
        assert [(e.person, e.test) for e in contest.entries(ticket)] == [
            (bo.person, 0.83),
            (ana.person, 0.81),
        ]


def test_of_each_the_last_counts(teacher: Ticket) -> None:
    ana = room.join(teacher.code, "Ana", "here")
    for title in ("first", "second"):
        contest.hand_in(ana, title, "Run", 0.9, 0.8)
    assert [entry.title for entry in contest.entries(teacher)] == ["second"]


def test_after_the_reveal_nothing_is_handed_in_any_more(teacher: Ticket) -> None:
    ana = room.join(teacher.code, "Ana", "here")
    contest.hand_in(ana, "net", "Run", 0.9, 0.81)
    room.reveal(teacher)
    with pytest.raises(RoomError, match="The contest is over"):
        contest.hand_in(ana, "better", "Run", 0.9, 0.99)
    assert [entry.title for entry in contest.entries(teacher)] == ["net"]


def test_a_stranger_hands_in_nothing(teacher: Ticket) -> None:
    with pytest.raises(RoomError):
        contest.hand_in(Ticket(teacher.code, "abcdef01", "A" * 16), "net", "Run", 0.9, 1.0)
    assert contest.entries(teacher) == []
