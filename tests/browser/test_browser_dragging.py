"""What is dragged: the grey patch over a garment, and layers into another order."""

import re
from collections.abc import Callable

import pytest
from browsing import PHONE, settle
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser


def middle(part: Locator) -> tuple[float, float]:
    box = part.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, part: Locator, across: float, down: float = 0.0) -> None:
    """By the middle of a part, with the mouse, so many pixels of the screen."""
    part.scroll_into_view_if_needed()
    x, y = middle(part)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + across, y + down, steps=8)
    page.mouse.up()


@pytest.mark.slow
def test_the_patch_is_dragged_its_sliders_and_the_answer_follow_and_keys_move_it_too(
    visit: Callable[..., Page],
) -> None:
    page = visit("break_it?model=cnn&other=fcnn&patch=8&top=2&side=2")
    patch = page.locator(".patch")
    after = page.get_by_alt_text("After", exact=True)
    before, shown = after.get_attribute("src"), patch.bounding_box()
    assert before
    assert shown
    pixel = shown["width"] / 8
    drag(page, patch, across=10 * pixel, down=5 * pixel)
    left, top = (
        page.get_by_role("slider", name=f"Patch, from the {end}") for end in ("left", "top")
    )
    expect(left).to_have_value("12")
    expect(top).to_have_value("7")
    expect(page).to_have_url(re.compile("side=12"))
    expect(after).not_to_have_attribute("src", before)
    settle(page)

    there = middle(patch)
    drag(page, patch, across=-1000)  # no further than the frame
    expect(left).to_have_value("0")
    left.press("ArrowRight")
    expect(left).to_have_value("1")
    expect(patch).to_have_attribute(
        "style", re.compile(r"left: 3\.57")
    )  # of the frame, in per cent
    assert middle(patch)[0] == pytest.approx(there[0] - 11 * pixel, abs=1)


def layers(page: Page) -> Locator:
    return page.get_by_role("list", name="The layers in their order").get_by_role("listitem")


@pytest.mark.slow
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desk", "phone"])
def test_a_layer_is_dragged_to_another_place_and_what_does_not_fit_there_is_said(
    visit: Callable[..., Page], device: dict[str, object]
) -> None:
    page = visit("build_it", **device)
    begun = ["Convolution", "ReLU", "Pool", "Convolution", "ReLU", "Pool", "Dense", "ReLU"]
    expect(layers(page)).to_have_text(begun)
    dense, first = layers(page).nth(6), middle(layers(page).first)
    x, y = middle(dense)
    drag(page, dense, first[0] - 10 - x, first[1] - y)
    expect(layers(page)).to_have_text(["Dense", *begun[:6], begun[7]])
    expect(page.get_by_text("It needs maps, and gets 64 values")).to_be_visible()
    page.get_by_role("button", name="Down").first.click()
    expect(layers(page)).to_have_text(["Convolution", "Dense", *begun[1:6], begun[7]])
