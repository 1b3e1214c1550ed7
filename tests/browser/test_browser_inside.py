"""The inside page as a person meets it: maps that follow a drawing, units that say their sum."""

import re
from collections.abc import Callable

import pytest
from browsing import PHONE, settle
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def number(place: Locator) -> float:
    """The last number that stands there."""
    return float(re.findall(r"-?[\d.]+", place.inner_text())[-1])


def layer(page: Page, name: str) -> Locator:
    return page.get_by_label(re.compile(f"^{name}")).first


def draw(page: Page) -> None:
    canvas = page.get_by_label(re.compile("^Canvas to draw on"))
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.mouse.up()


@pytest.mark.slow
def test_a_units_sum_is_its_value_and_follows_pointer_keys_and_strokes(
    visit: Callable[..., Page],
) -> None:
    page = visit("inside?model=cnn&layer=body.3&map=5")
    value, total = page.locator(".unit .value"), page.locator(".part.sum")
    expect(value).to_contain_text("map 5")
    large = page.locator("canvas.large")
    large.scroll_into_view_if_needed()
    box = large.bounding_box()
    assert box
    said = set()
    for share in (0.8, 0.5, 0.3):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + share * box["height"])
        expect(value).to_contain_text(f"Row {int(14 * share) + 1}, column {int(14 * share) + 1}")
        assert number(total) == pytest.approx(number(value), abs=0.002)
        said.add(value.inner_text())
    assert len(said) == 3
    large.focus()
    page.keyboard.press("ArrowUp")
    expect(value).to_contain_text("Row 4, column 5")

    before = value.inner_text()
    draw(page)
    expect(value).not_to_have_text(before)  # the same unit, of what is drawn now
    expect(value).to_contain_text("Row 4, column 5")
    assert number(total) == pytest.approx(number(value), abs=0.002)

    maps = layer(page, "Convolution 3 x 3, 16 maps")
    maps.focus()
    page.keyboard.press("Enter")
    expect(value).to_contain_text("map 1")
    page.keyboard.press("ArrowRight")
    expect(value).to_contain_text("map 2")
    expect(page).to_have_url(re.compile("layer=body.0&map=2"))


@pytest.mark.slow
def test_the_path_is_followed_from_the_answer_to_a_pixel_and_back(
    visit: Callable[..., Page],
) -> None:
    page = visit("inside?model=cnn&layer=head&map=10")
    title, value = page.locator(".unit .title"), page.locator(".unit .value")
    back = page.get_by_role("button", name="To the pixel")
    forth = page.get_by_role("button", name="To the answer")
    expect(value).to_contain_text("Unit 10, Ankle boot:")
    expect(forth).to_be_disabled()
    layers = 0
    while back.is_enabled():
        before = page.url
        back.click()
        expect(page).not_to_have_url(before)
        settle(page)
        layers += 1
    assert layers > 5
    expect(title).to_have_text("Standardised pixels")
    expect(value).to_contain_text(re.compile(r"^Row \d+, column \d+ of map 1"))
    forth.click()
    expect(title).to_have_text("Convolution 3 x 3")
    expect(page.locator(".block").first).to_contain_text("Patch")


@pytest.mark.slow
def test_a_layer_that_is_in_sight_is_not_scrolled_to_and_one_that_is_not_is(
    visit: Callable[..., Page],
) -> None:
    rows = visit("inside?lang=de").locator(".rows")
    expect(rows.locator(".chosen")).to_be_visible()
    rows.page.wait_for_timeout(500)
    assert rows.evaluate("(rows) => rows.scrollTop") == 0
    rows = visit("inside?model=cnn&layer=head&map=4").locator(".rows")
    expect(rows.locator(".chosen")).to_be_in_viewport()


@pytest.mark.slow
def test_a_linear_layer_reads_the_maps_before_it_and_a_residual_block_says_what_it_adds(
    visit: Callable[..., Page],
) -> None:
    page = visit("inside?model=cnn&layer=head&map=4")
    expect(page.locator(".unit .value")).to_contain_text("Unit 4, Dress")
    assert number(page.locator(".part.sum")) == pytest.approx(
        number(page.locator(".unit .value")), abs=0.002
    )
    page.goto(page.url.replace("cnn", "everyday").replace("layer=head&map=4", "layer=body.2"))
    settle(page)
    expect(page.locator(".origin")).to_contain_text("which the block found")


@pytest.mark.slow
def test_a_reader_moves_over_the_rows_by_slider_and_by_itself(visit: Callable[..., Page]) -> None:
    page = visit("inside?model=bilstm", **PHONE)
    after, slider = page.locator(".after"), page.get_by_label("Steps read")
    expect(after).to_contain_text("After 28 of 28 steps")
    slider.fill("3")
    expect(after).to_contain_text("After 3 of 28 steps")
    page.get_by_role("button", name="Play").click()
    expect(after).to_contain_text("After 28 of 28 steps")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert page.locator(".over tr").count() == 10
    assert page.locator(".over td").count() == 10 * 29
    page.get_by_text("From the bottom").click()
    settle(page)
    expect(page.get_by_text(re.compile("^Read from the bottom"))).to_be_visible()
