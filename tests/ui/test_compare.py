"""What is compared, for several browsers at once."""

from threading import Event, Thread

import numpy as np

from fmnist.data import splits
from fmnist.ui.parts.compare import Pair


def test_whose_models_have_answered_waits_for_nobody_elses() -> None:
    split, answered = splits.load("test", "drawn"), np.zeros(100, np.uint8)
    asked, end = Event(), Event()

    def slowly() -> tuple[np.ndarray, np.ndarray]:
        asked.set()
        assert end.wait(60)
        return answered, answered

    first = Pair(("a", "b"), slowly, split, "test", "theirs")
    waiting = Thread(target=lambda: first.predictions)
    waiting.start()
    assert asked.wait(60)
    second = Pair(("a", "b"), lambda: (answered, answered), split, "test", "mine")
    found: list[object] = []
    asking = Thread(target=lambda: found.append(second.predictions))
    asking.start()
    asking.join(10)
    end.set()
    waiting.join()
    assert found
