"""Sketches that were given: all of them there, none that wasn't given, and who may delete them."""

import io
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fmnist.classroom import room, sketches
from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket
from fmnist.data import garments
from fmnist.data.splits import CLASSES

DRAWN, LABELS = garments.draw(40, seed=5)


def give(ticket: Ticket, number: int) -> str:
    return sketches.give(ticket, DRAWN[number], int(LABELS[number]), 3, 0.5, "cnn")


def test_sketches_given_at_once_are_all_there_as_they_were(pupil: Ticket) -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda number: give(pupil, number), range(40)))
    given = {sketch.id: sketch for sketch in sketches.of_room(pupil)}
    assert given.keys() == set(ids)
    for number, name in enumerate(ids):
        assert np.array_equal(given[name].pixels, DRAWN[number])
        assert given[name].drawn == LABELS[number]
        assert given[name].person == pupil.person
    assert sketches.count(pupil) == 40


def test_the_latest_comes_first_and_only_as_many_as_are_asked_for(pupil: Ticket) -> None:
    ids = [give(pupil, number) for number in range(5)]
    assert [sketch.id for sketch in sketches.of_room(pupil, 2)] == [ids[4], ids[3]]


def test_the_latest_comes_first_though_the_clock_was_set_back(
    pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = time.time_ns() + 3 * 3600 * 10**9
    with monkeypatch.context() as early:
        early.setattr(sketches.time, "time_ns", lambda: ahead)
        give(pupil, 0)
    ids = [give(pupil, number) for number in (1, 2)]
    assert [sketch.id for sketch in sketches.of_room(pupil, 2)] == ids[::-1]


def test_a_sketch_has_the_round_in_which_it_was_given(teacher: Ticket, pupil: Ticket) -> None:
    give(pupil, 0)
    room.ask(teacher, "Draw a bag.")
    give(pupil, 1)
    assert [sketch.round for sketch in sketches.of_room(pupil)] == [1, 0]


def test_who_is_not_in_the_room_sees_no_sketch_and_gives_none(pupil: Ticket) -> None:
    give(pupil, 0)
    for stranger in (
        room.open_room("Another", "there"),
        Ticket(pupil.code, pupil.person, "A" * 16),
    ):
        elsewhere = Ticket(pupil.code, stranger.person, stranger.secret)
        for act in (sketches.of_room, sketches.count, lambda ticket: give(ticket, 1)):
            with pytest.raises(RoomError):
                act(elsewhere)
    assert sketches.count(pupil) == 1


def test_only_its_owner_and_the_teacher_delete_a_sketch(teacher: Ticket, pupil: Ticket) -> None:
    first, second = give(pupil, 0), give(pupil, 1)
    other = room.join(teacher.code, "Bo", "here")
    with pytest.raises(RoomError, match="Only who gave it"):
        sketches.delete(other, first)
    sketches.delete(pupil, first)
    sketches.delete(teacher, second)
    assert sketches.of_room(teacher) == []


@pytest.mark.parametrize("name", ["../room.json", "..", "", "x-teacher0", "/etc/passwd-teacher0"])
def test_what_is_no_sketch_is_not_deleted(teacher: Ticket, name: str) -> None:
    with pytest.raises(RoomError, match="no such sketch"):
        sketches.delete(teacher, name)
    assert room.admit(teacher)


def test_nothing_twice_nothing_blank_and_nothing_unnamed_is_given(pupil: Ticket) -> None:
    give(pupil, 0)
    with pytest.raises(RoomError, match="gave this sketch already"):
        give(pupil, 0)
    for pixels in (np.zeros((28, 28), np.uint8), np.ones((9, 9), np.uint8)):
        with pytest.raises(RoomError, match="nothing on the canvas"):
            sketches.give(pupil, pixels, 0, 0, 0.5, "cnn")
    with pytest.raises(RoomError, match="Say what you drew"):
        sketches.give(pupil, DRAWN[1], 10, 0, 0.5, "cnn")


def test_nobody_fills_the_room_alone(
    teacher: Ticket, pupil: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sketches, "MOST_OF_ONE", 2)
    give(pupil, 0)
    give(pupil, 1)
    with pytest.raises(RoomError, match="2 sketches already"):
        give(pupil, 2)
    give(teacher, 2)


def test_a_damaged_sketch_hurts_no_other(pupil: Ticket) -> None:
    first, second = give(pupil, 0), give(pupil, 1)
    (room.folder_of(pupil.code, "sketches") / first).write_text('{"drawn": 1')
    assert [sketch.id for sketch in sketches.of_room(pupil)] == [second]


def test_the_data_set_holds_what_was_given(pupil: Ticket) -> None:
    for number in range(3):
        give(pupil, number)
    given = sketches.of_room(pupil)
    found = np.load(io.BytesIO(sketches.packed(given, room.admit(pupil))), allow_pickle=False)
    assert np.array_equal(found["images"], DRAWN[2::-1])
    assert np.array_equal(found["labels"], LABELS[2::-1])
    assert found["answers"].tolist() == [3, 3, 3]
    assert found["nicknames"].tolist() == ["Ana"] * 3
    assert tuple(found["classes"]) == CLASSES
