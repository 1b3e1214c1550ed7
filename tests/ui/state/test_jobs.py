import threading

import pytest

from fmnist.machine import apart
from fmnist.machine.apart import Lane
from fmnist.models.inference import ProgressCallback
from fmnist.ui.state import jobs
from fmnist.ui.state.jobs import AT_ONCE, Job, Pace


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


def test_what_takes_seconds_does_not_wait_for_what_takes_minutes() -> None:
    end = threading.Event()
    long = Job(lambda report: end.wait(60))
    assert Job(lambda report: "answers", AT_ONCE).result("Asking …") == "answers"
    end.set()
    assert long.result("Placing …")


def test_a_question_about_the_training_split_keeps_nobody_waiting_who_asks_about_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, list[int]] = {"here": [], "SECONDS": [], "MINUTES": []}

    def count(images: int, report: ProgressCallback) -> None:
        asked["here"].append(images)

    for name in ("SECONDS", "MINUTES"):

        class Recorder(Lane):
            def run(self, function, images, report, name=name):
                asked[name].append(images)

        monkeypatch.setattr(apart, name, Recorder())
    for images in (100, 10_000, 55_000):
        jobs.apart_if_many(count, images, images=images, report=lambda done: None)
    assert asked == {"here": [100], "SECONDS": [10_000], "MINUTES": [55_000]}


def test_an_error_that_the_page_knows_is_raised_there() -> None:
    def fail(report: object) -> None:
        raise LookupError("no such garment")

    with pytest.raises(LookupError, match="no such garment"):
        Job(fail, AT_ONCE).result("Asking …", (LookupError,))
