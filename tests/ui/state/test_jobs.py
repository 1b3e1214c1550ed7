import pytest

from fmnist.ui.state import jobs
from fmnist.ui.state.jobs import Pace


def test_the_time_left_follows_from_the_pace_since_the_first_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([1000.0, 1010.0])
    monkeypatch.setattr(jobs.time, "monotonic", lambda: next(clock))
    pace = Pace()
    assert str(pace) == "0%"
    pace.hear(0.1)
    assert str(pace) == "10%"
    pace.hear(0.35)  # a quarter in ten seconds
    assert str(pace) == "35%, about 26 s left"
