"""Every page by the sidebar, on each screen, in light and dark."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browsing import PAGES, PHONE, follow, settle, violations
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

BELOW_THE_HEAD = "[data-testid=stLayoutWrapper]:has(> .st-key-head) ~ *"
FINGER = 44  # pixels
SMALL = Path(__file__).with_name("small_targets.js").read_text()
WORDS_FOR_ICONS = Path(__file__).with_name("words_for_icons.js").read_text()
FITS = Path(__file__).with_name("fits.js").read_text()


def through(page: Page) -> Iterator[str]:
    """Every page's name, while it stands there; `page` is at Hardest."""
    yield "Hardest"
    # Whole splits are asked about, so small networks are chosen by links.
    page.goto(page.url.replace("hardest?models", "scores?model"))
    settle(page)
    for name in PAGES:
        if name != "Hardest":
            follow(page, name)
            yield name


@pytest.mark.slow
def test_every_page_fits_the_screen_begins_without_a_blank_and_keeps_nobody_out_in_light_or_dark(
    visit: Callable[..., Page],
) -> None:
    page = visit("hardest?models=softmax", viewport={"width": 1280, "height": 800})
    for name in through(page):
        for width in (1280, 1920, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_function(FITS)
            title = page.locator("h1").bounding_box()
            begins = page.locator(BELOW_THE_HEAD).first.bounding_box()
            sidebar = page.get_by_test_id("stSidebar").bounding_box()
            content = page.get_by_test_id("stMainBlockContainer").bounding_box()
            assert title
            assert begins
            assert sidebar
            assert content
            assert title["y"] < 30, name
            assert begins["y"] < 110, name
            assert content["x"] == sidebar["width"], name
            assert content["width"] == width - sidebar["width"], name
        assert page.get_by_test_id("stIconMaterial").evaluate_all(WORDS_FOR_ICONS) == [], name
        assert violations(page) == [], name


@pytest.mark.slow
def test_on_a_phone_every_page_keeps_to_the_screen_and_its_targets_are_as_high_as_a_finger(
    visit: Callable[..., Page],
) -> None:
    page = visit("hardest?models=softmax", **PHONE)
    for name in through(page):
        page.wait_for_function(FITS)
        assert page.evaluate(SMALL, FINGER) == [], name
        for width in (320, 390):
            page.set_viewport_size({"width": width, "height": 844})
            page.wait_for_function(FITS)
