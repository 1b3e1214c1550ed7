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


@pytest.mark.slow
def test_a_network_is_there_again_when_the_page_is_loaded_anew(
    visit: Callable[..., Page],
) -> None:
    page = visit("build_it")
    page.get_by_role("button", name="Remove").first.click()
    units = page.get_by_label("Units")
    units.fill("77")
    units.press("Enter")
    expect(page.get_by_text("hands on 77 values").first).to_be_visible()
    settle(page)
    page.reload()
    expect(page.get_by_text("hands on 77 values").first).to_be_visible()
    expect(units).to_have_value("77")
    expect(page.get_by_role("button", name="Remove")).to_have_count(7)


@pytest.mark.slow
def test_layers_that_came_while_one_was_dragged_are_in_the_row_and_can_be_dragged(
    visit: Callable[..., Page],
) -> None:
    page = visit("build_it")
    first, (x, y) = layers(page).first, middle(layers(page).nth(1))
    page.mouse.move(*middle(first))
    page.mouse.down()
    page.get_by_role("button", name="Add", exact=True).evaluate("button => button.click()")
    expect(page.locator("[class*=st-key-brick-]")).to_have_count(9)
    page.mouse.move(x + 20, y, steps=4)
    page.mouse.up()
    expect(layers(page)).to_have_count(9)
    settle(page)
    drag(page, layers(page).first, x + 20 - middle(layers(page).first)[0])
    expect(layers(page).first).to_have_text("ReLU")
    expect(page.locator("[class*=st-key-brick-]").first).to_contain_text("ReLU")


@pytest.mark.slow
def test_a_second_finger_does_not_move_what_the_first_one_drags(
    visit: Callable[..., Page],
) -> None:
    page = visit("build_it", **PHONE)
    page.locator("ol").scroll_into_view_if_needed()
    settle(page)
    begun = layers(page).all_inner_texts()
    fingers = page.context.new_cdp_session(page)
    (x, y), (across, down) = middle(layers(page).first), middle(layers(page).nth(5))

    def touch(kind: str, *points: tuple[int, float, float]) -> None:
        at = [{"id": finger, "x": left, "y": top} for finger, left, top in points]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (0, x, y))
    touch("touchStart", (0, x, y), (1, across, down))
    for step in range(5):
        touch("touchMove", (0, x, y), (1, across + 2 * step, down))
    expect(page.locator("ol .dragged")).to_have_text(begun[0])
    assert layers(page).all_inner_texts() == begun
    touch("touchEnd")
    expect(page.locator("ol .dragged")).to_have_count(0)
