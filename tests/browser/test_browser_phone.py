"""On a phone what one came for is in sight, and large enough for a finger."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browsing import PHONE, in_sight, settle
from PIL import Image
from playwright.sync_api import Page, expect

from fmnist.data import garments
from fmnist.data.garments import drawing

pytestmark = pytest.mark.browser
FINGER = 44  # pixels


@pytest.mark.slow
@pytest.mark.real_data
def test_suspects_are_decided_on_without_scrolling(visit: Callable[..., Page]) -> None:
    page = visit("suspects?model=fcnn", **PHONE)
    for name in ("Agree", "Disagree"):
        button = page.get_by_role("button", name=re.compile(f"^{name},"))
        in_sight(page, button)
        box = button.bounding_box()
        assert box
        assert box["height"] >= FINGER


@pytest.mark.slow
@pytest.mark.real_data
def test_a_garment_that_is_tapped_is_shown_with_its_name_without_scrolling(
    visit: Callable[..., Page],
) -> None:
    page = visit("dataset", **PHONE)
    wall = page.get_by_label(re.compile("^900 garments"))
    expect(wall).to_have_attribute("data-drawn", "900")
    assert int(wall.get_attribute("data-cell") or 0) >= FINGER
    wall.tap(position={"x": 130, "y": 20})
    expect(page.get_by_text(re.compile("^Garment 2 of the train split"))).to_be_visible()
    shown = page.locator(".st-key-large")
    in_sight(page, shown.get_by_role("heading"), shown.locator("img"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 3])
def test_the_answer_after_an_upload_is_in_sight(
    visit: Callable[..., Page], tmp_path: Path, number: int
) -> None:
    files = [tmp_path / f"{place}.png" for place in range(number)]
    for label, path in enumerate(files):
        drawn = drawing.render(garments.garment(label, np.random.default_rng(3)), 280)
        Image.fromarray(drawn).save(path)
    page = visit("classify?way=Upload", **PHONE)
    page.locator("input[type=file]").set_input_files(files)
    expect(page.locator(".st-key-best")).to_contain_text("%")
    settle(page)
    many = page.get_by_role("group", name=re.compile("pictures with their answers"))
    in_sight(page, page.locator(".st-key-best") if number == 1 else many.locator("label").first)


@pytest.mark.slow
def test_what_a_challenge_says_of_the_garment_stands_beside_the_canvas(
    visit: Callable[..., Page],
) -> None:
    page = visit("challenges", **PHONE)
    in_sight(page, page.get_by_text("It still says"), page.locator(".board canvas"))


@pytest.mark.slow
def test_on_its_side_the_content_has_the_whole_screen(visit: Callable[..., Page]) -> None:
    page = visit("classify", **PHONE | {"viewport": {"width": 844, "height": 390}})
    content = page.get_by_test_id("stMainBlockContainer").bounding_box()
    assert content
    assert content["x"] == 0
    assert content["x"] + content["width"] == 844
