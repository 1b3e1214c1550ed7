"""Guesses of a room, counted against the labels in another way than the code does."""

import numpy as np
import pytest

from fmnist.classroom import guesses, room
from fmnist.classroom.folder import RoomError
from fmnist.classroom.room import Ticket
from fmnist.data import splits

pytestmark = pytest.mark.usefixtures("small")


def test_everybody_is_asked_about_other_garments_and_again_about_the_same(teacher: Ticket) -> None:
    pupil = room.join(teacher.code, "Ana", "here")
    first, second = guesses.order(teacher, 100), guesses.order(pupil, 100)
    assert sorted(first) == sorted(second) == list(range(100))
    assert not np.array_equal(first, second)
    assert np.array_equal(second, guesses.order(pupil, 100))


def test_the_rooms_matrix_is_the_sum_of_what_each_said(teacher: Ticket) -> None:
    test = splits.load("test", "drawn")
    expected = np.zeros((10, 10), int)
    for name, said in (("Ana", [0, 1, 2]), ("Bo", [9, 9])):
        pupil = room.join(teacher.code, name, "here")
        own = np.zeros((10, 10), int)
        for place, label in enumerate(said):
            guesses.guess(pupil, "drawn", place, label)
            own[test.labels[guesses.order(pupil, len(test))[place]], label] += 1
        assert np.array_equal(guesses.matrix(pupil, "drawn", test, everybody=False), own)
        expected += own
    assert np.array_equal(guesses.matrix(teacher, "drawn", test, everybody=True), expected)


def test_a_garment_is_named_once_and_none_is_left_out(teacher: Ticket) -> None:
    guesses.guess(teacher, "drawn", 0, 4)
    guesses.guess(teacher, "drawn", 0, 5)  # from another tab
    guesses.guess(teacher, "drawn", 2, 5)
    assert guesses.guessed(teacher, "drawn") == [4]
    assert guesses.guessed(teacher, "real") == []


def test_whole_sets_of_what_there_is_are_asked(teacher: Ticket) -> None:
    test = splits.load("test", "drawn")
    assert guesses.most(test) == 100
    assert guesses.most(splits.Split(test.images[:59], test.labels[:59])) == 40


def test_a_stranger_guesses_nothing(teacher: Ticket) -> None:
    stranger = Ticket(teacher.code, teacher.person, "A" * 16)
    with pytest.raises(RoomError):
        guesses.guess(stranger, "drawn", 0, 1)
    with pytest.raises(RoomError, match="one of the ten"):
        guesses.guess(teacher, "drawn", 0, 10)
    assert guesses.guessed(teacher, "drawn") == []
