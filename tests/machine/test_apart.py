import math
import os
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from fmnist.machine import apart

Report = Callable[[float], object]


@pytest.fixture(autouse=True)
def _ended() -> Iterator[None]:
    yield
    apart._end()


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


def test_it_is_another_process_the_same_each_time_and_it_stands_back() -> None:
    first, second = (apart.run(where, report=print) for _ in range(2))
    assert first == second
    process, nice = first
    assert process != os.getpid()
    assert nice > os.nice(0)


def test_how_much_is_done_is_told_here() -> None:
    told: list[float] = []
    assert apart.run(count, 4, report=told.append) == 4
    assert told == [0, 0.25, 0.5, 0.75]


def test_what_it_raises_is_raised_here_and_it_goes_on_answering() -> None:
    with pytest.raises(ValueError, match=r"domain|nonnegative"):
        apart.run(root, -1.0, report=print)
    assert apart.run(root, 9.0, report=print) == 3


def test_a_process_that_ended_is_said_and_the_next_question_has_a_new_one() -> None:
    with pytest.raises(EOFError):
        apart.run(vanish, report=print)
    assert apart.run(root, 9.0, report=print) == 3


def test_a_listener_that_fails_leaves_no_answer_behind_for_the_next_question() -> None:
    def fail(done: float) -> None:
        raise KeyError(done)

    with pytest.raises(KeyError):
        apart.run(count, 4, report=fail)
    assert apart.run(root, 9.0, report=print) == 3


def test_many_who_ask_at_once_each_get_their_own_answer() -> None:
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        found[number] = apart.run(count, number, report=lambda done: None)

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(8)}


def test_it_ends_when_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "IDLE", 0.0)
    process, _ = apart.run(where, report=print)
    assert apart._ending
    apart._ending.join()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
