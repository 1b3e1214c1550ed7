import os
import threading
import time

import pytest

from fmnist.weights.strangers import quarantine
from fmnist.weights.strangers.quarantine import MEMORY, ExhaustedError


def test_what_a_function_returns_comes_from_another_process() -> None:
    assert quarantine.run(os.getpid) != os.getpid()
    assert quarantine.run(sorted, [3, 1, 2], reverse=True) == [3, 2, 1]


def test_what_a_function_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        quarantine.run(divmod, 1, 0)


def test_work_that_never_ends_is_ended_and_the_next_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "PATIENCE", 0.5)
        with pytest.raises(ExhaustedError):
            quarantine.run(time.sleep, 10**6)
    assert quarantine.run(len, "next") == 4


def test_work_that_takes_all_the_memory_gets_none_and_the_next_is_done() -> None:
    with pytest.raises(ExhaustedError):
        quarantine.run(bytes, MEMORY)
    assert quarantine.run(len, "next") == 4


def test_work_that_ends_its_process_ends_no_other() -> None:
    with pytest.raises(ExhaustedError):
        quarantine.run(os.abort)
    assert quarantine.run(len, "next") == 4


def test_many_may_ask_at_once() -> None:
    found: list[int] = []
    asking = [
        threading.Thread(target=lambda n=n: found.append(quarantine.run(abs, -n))) for n in range(8)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert sorted(found) == list(range(8))


def test_whoever_asks_one_process_answers() -> None:
    found: list[int] = []
    for _ in range(2):
        asking = threading.Thread(target=lambda: found.append(quarantine.run(os.getpid)))
        asking.start()
        asking.join()
    assert found[0] == found[1] != os.getpid()
