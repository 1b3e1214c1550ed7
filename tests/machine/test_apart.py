import math
import os
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from fmnist.machine import apart
from fmnist.machine.apart import Lane

Report = Callable[[float], object]


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane()
    yield lane
    lane._end()


def where(report: Report) -> tuple[int, int]:
    print("what a library prints is no answer")
    return os.getpid(), os.nice(0)


def count(to: int, report: Report) -> int:
    for number in range(to):
        report(number / to)
    return to


def root(number: float, report: Report) -> float:
    return math.sqrt(number)


def vanish(report: Report) -> None:
    os._exit(1)


def test_it_is_another_process_the_same_each_time_and_it_stands_back(lane: Lane) -> None:
    first, second = (lane.run(where, report=print) for _ in range(2))
    assert first == second
    process, nice = first
    assert process != os.getpid()
    assert nice > os.nice(0)


def test_how_much_is_done_is_told_here(lane: Lane) -> None:
    told: list[float] = []
    assert lane.run(count, 4, report=told.append) == 4
    assert told == [0, 0.25, 0.5, 0.75]


def test_what_it_raises_is_raised_here_and_it_goes_on_answering(lane: Lane) -> None:
    with pytest.raises(ValueError, match=r"domain|nonnegative"):
        lane.run(root, -1.0, report=print)
    assert lane.run(root, 9.0, report=print) == 3


def test_a_process_that_ended_is_said_and_the_next_question_has_a_new_one(lane: Lane) -> None:
    with pytest.raises(EOFError):
        lane.run(vanish, report=print)
    assert lane.run(root, 9.0, report=print) == 3


def test_a_listener_that_fails_leaves_no_answer_behind_for_the_next_question(lane: Lane) -> None:
    def fail(done: float) -> None:
        raise KeyError(done)

    with pytest.raises(KeyError):
        lane.run(count, 4, report=fail)
    assert lane.run(root, 9.0, report=print) == 3


def test_many_who_ask_at_once_each_get_their_own_answer(lane: Lane) -> None:
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        found[number] = lane.run(count, number, report=lambda done: None)

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(8)}


def test_what_takes_seconds_does_not_wait_for_what_takes_minutes() -> None:
    def ask_both(done: float) -> None:
        within.append(apart.SECONDS.run(count, 1, report=lambda done: None))

    within: list[int] = []
    try:
        assert apart.MINUTES.run(count, 2, report=ask_both) == 2
    finally:
        apart.SECONDS._end()
        apart.MINUTES._end()
    assert within == [1, 1]


def test_it_ends_when_nobody_asks(lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "IDLE", 0.0)
    process, _ = lane.run(where, report=print)
    assert lane._ending
    lane._ending.join()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
