"""A room in two browsers: a teacher with a wide screen, a pupil with a phone."""

import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from browsing import PHONE, REAL, settle, violations
from playwright.sync_api import Page, expect

from fmnist.data import splits

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WIDE = {"viewport": {"width": 1920, "height": 1080}}
TENTH = re.compile(r"10\.[02]0%")
"""What is right of answers that are always the same, on real or on drawn garments."""
SECRET = re.compile("([A-Z2-9]{4}-){3}[A-Z2-9]{4}")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_lesson_from_the_opening_of_the_room_to_its_reveal(
    visit: Callable[..., Page],
) -> None:
    teacher = visit("room", **WIDE)
    teacher.get_by_label("Name of the room").fill("Class 7b")
    press(teacher, "Open it")
    expect(teacher.get_by_text(SECRET)).to_be_visible()
    press(teacher, "I have it")
    expect(teacher.get_by_text(SECRET)).to_have_count(0)
    code = re.search("room ([A-Z2-9]{5})", teacher.locator("[data-testid=stMain]").inner_text())[1]
    teacher.reload()  # the browser has kept the ticket
    expect(teacher.get_by_text("You are The teacher.")).to_be_visible()

    pupil = visit(f"room?join={code}", **PHONE)
    expect(pupil.get_by_label("Code of the room")).to_have_value(code)
    pupil.get_by_label("Your nickname").fill("Ana")
    press(pupil, "Join")
    expect(pupil.get_by_text("You are Ana.")).to_be_visible()

    expect(teacher.get_by_text("1 joined")).to_be_visible()
    teacher.get_by_role("combobox", name="Member").click()
    teacher.get_by_role("option", name="Ana").click()
    expect(teacher.get_by_role("button", name="Send out")).to_be_visible()

    press(teacher, "Begin round 1")
    expect(pupil.get_by_text("Round 1:")).to_be_visible()

    wall = teacher.context.new_page()
    wall.goto(teacher.url.split("/room")[0] + "/wall?projector=true")
    settle(wall)
    expect(wall.get_by_text("Here: 1 of 1")).to_be_visible()

    canvas = pupil.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    pupil.mouse.move(box["x"] + 60, box["y"] + 60)
    pupil.mouse.down()
    pupil.mouse.move(box["x"] + 200, box["y"] + 200, steps=8)
    pupil.mouse.up()
    pupil.get_by_role("radio", name="Bag", exact=True).click()
    press(pupil, "Give it to the room")
    expect(pupil.get_by_text("It is on the wall.")).to_be_visible()
    expect(wall.get_by_text("Sketches: 1")).to_be_visible()
    expect(wall.locator(".sketches img")).to_have_count(1)
    for page in (teacher, pupil, wall):
        assert violations(page) == []

    pupil.get_by_role("link", name="Train").last.click()
    pupil.get_by_role("textbox", name="Name of the run").fill("my first net")
    images = pupil.get_by_label("Training images", exact=True)
    images.fill("100")
    images.press("Enter")
    settle(pupil)
    press(pupil, "Start training")
    expect(wall.get_by_text("my first net")).to_be_visible()

    content = io.BytesIO()
    np.save(content, np.zeros(10_000 if REAL else splits.DRAWN["test"][0], np.uint8))
    pupil.goto(teacher.url.split("/room")[0] + "/contest")
    settle(pupil)
    pupil.locator("input[type=file]").set_input_files(
        {"name": "mine.npy", "mimeType": "application/octet-stream", "buffer": content.getvalue()}
    )
    press(pupil, "Hand in the file")
    expect(pupil.get_by_text("You handed in mine")).to_be_visible()
    assert violations(pupil) == []
    expect(wall.get_by_text("Contest: 1 handed in")).to_be_visible()
    expect(wall.get_by_text(TENTH)).to_have_count(0)

    expect(teacher.get_by_text("1 handed in.")).to_be_visible()
    expect(teacher.get_by_role("button", name="Send out")).to_be_visible()
    press(teacher, "Reveal")
    press(teacher, "Reveal now")
    expect(wall.get_by_text(TENTH)).to_be_visible()
    expect(pupil.get_by_text("The contest is over")).to_be_visible()
    expect(pupil.get_by_role("button", name="Hand in the file")).to_have_count(0)
