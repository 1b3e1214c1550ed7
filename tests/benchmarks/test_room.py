"""Visitors that only speak the protocol see what a browser would."""

import argparse
import random
from pathlib import Path

import pytest
from browsing import PAGES, serve
from loops import finished

from benchmarks import room
from benchmarks.visitor import VisitError, Visitor, Wait

BASE = "class/studio"


def test_another_machine_is_never_visited() -> None:
    async def visit() -> None:
        async with Visitor("http://192.168.7.7:8501", random.Random(0)):
            pass

    with pytest.raises(ValueError, match="another machine"):
        finished(visit())


def test_what_goes_wrong_is_counted_and_what_goes_well_is_timed() -> None:
    async def well() -> Wait:
        return Wait(0.5)

    async def behind_a_bar() -> Wait:
        return Wait(0.25, 30.0)

    async def wrong() -> Wait:
        raise VisitError("no answer")

    async def both(log: room.Log) -> None:
        await log.note("clicks", well())
        await log.note("clicks", behind_a_bar())
        await log.note("clicks", wrong())

    log = room.Log()
    finished(both(log))
    assert log.waits == {"clicks": [0.5, 0.25], room.BEHIND_BAR: [30.0]}
    assert log.errors == {"clicks: no answer": 1}


@pytest.mark.slow
def test_under_a_base_path_a_visitor_goes_through_every_page_draws_and_brings_what_is_no_picture(
    tmp_path: Path, answers_folder: Path
) -> None:
    async def visit(address: str) -> None:
        async with Visitor(address, random.Random(0)) as visitor:
            await visitor.open()
            assert visitor.pages.keys() >= PAGES.keys()
            for title in PAGES:
                await visitor.turn(title)
                await visitor.click()
        async with Visitor(address, random.Random(1)) as visitor:  # who has clicked on nothing yet
            await visitor.open()
            await visitor.turn("Classify")
            await visitor.draw(*room.drawing(random.Random(0)))
            await visitor.turn("Classify", "way=Upload")
            await visitor.upload("broken.png", b"\x89PNG\r\n\x1a\n and no more")

    with serve(tmp_path, answers_folder, BASE) as address:
        finished(visit(address))


@pytest.mark.slow
def test_a_lesson_ends_without_errors_while_somebody_uploads_what_is_no_picture(
    studio: str,
) -> None:
    asked = argparse.Namespace(
        browsers=4, pause=0.5, seconds=5, opening=1, strokes=0, visits=0, broken=40
    )
    log = finished(room.measure(studio, asked))
    assert not log.errors
    assert len(log.waits["broken uploads"]) == 40
    assert len(log.waits["open"]) == 4


@pytest.mark.slow
def test_visitors_come_see_pages_and_leave_and_the_memory_is_told_on_the_way(
    studio: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log = finished(room.measure(studio, argparse.Namespace(strokes=0, visits=10)))
    assert not log.errors
    assert len(log.waits["open"]) == 10
    opened = [name for name in log.waits if name.endswith(", opened")]
    assert sum(len(log.waits[name]) for name in opened) == 10 * room.PAGES
    assert capsys.readouterr().out.count(" visits ") == 9
