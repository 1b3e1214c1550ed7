"""A class of simulated and of real browsers does what a class does, and nothing of it is lost."""

import argparse
import asyncio
import time
from functools import partial
from pathlib import Path

import pytest
from browsing import serve
from loops import finished
from playwright.async_api import async_playwright

from benchmarks import classroom, studio
from benchmarks.chromium import PROJECTOR, Chromium
from benchmarks.classroom import Class
from fmnist.classroom import room, sketches
from fmnist.classroom.room import Ticket
from fmnist.data import garments


@pytest.mark.slow
@pytest.mark.real_data
def test_what_a_class_does_is_in_the_folder_and_on_the_wall(
    tmp_path: Path, answers_folder: Path
) -> None:
    asked = argparse.Namespace(pause=0.2, runs=1)

    async def lesson(class_: Class) -> None:
        async with (
            async_playwright() as playwright,
            await playwright.chromium.launch(**studio.CHROMIUM) as chromium,
        ):
            phone = partial(Chromium, chromium)
            await asyncio.gather(
                classroom.wall(class_),
                classroom.projected(class_, partial(phone, **PROJECTOR)),
                *(classroom.pupil(class_, n, asked) for n in range(2)),
                classroom.pupil(class_, 2, asked, phone),
            )

    with serve(tmp_path, answers_folder) as address:
        finished(classroom.every_page(address, room.open_room("Before", "here")))
        teacher = room.open_room("A class", "here")
        class_ = Class(teacher, [address, address], time.monotonic() + 30)
        finished(lesson(class_))
        for plan in (tmp_path / "runs").glob("*/plan.json"):
            (plan.parent / "stop").touch()
    assert not class_.log.errors
    assert class_.names == {"Pupil 0", "Pupil 1", "Pupil 2"}
    assert class_.titles == {"net of 0"}
    assert class_.log.waits["a guess (Chromium)"]
    for wall in ("the wall", "the wall in Chromium"):
        assert len(classroom.follows(class_, wall)) == len(class_.given) > 0
    assert not any(classroom.missing(class_).values())


def test_what_is_not_in_the_folder_is_missing_and_what_the_wall_never_had_is_not_followed(
    small: None,
) -> None:
    teacher: Ticket = room.open_room("A class", "here")
    class_ = Class(teacher, ["", ""], 0.0, names={"Ana"}, given=[1.0, 2.0], titles={"net"})
    class_.guessed = 3
    image, _ = garments.draw(1, seed=1)
    sketches.give(teacher, image[0], 0, 0, 0.5, "cnn")
    assert classroom.missing(class_) == {"names": 1, "sketches": 1, "guesses": 3, "runs": 1}
    class_.seen["a wall"] = [(0.5, 0), (1.5, 1), (9.0, 1)]
    assert classroom.follows(class_, "a wall") == [0.5]
