"""The map and the suspects in Chromium, as a person uses them."""

import csv
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
import pytest
import torch
from browsing import REAL, follow, settle
from playwright.sync_api import Locator, Page, expect

from fmnist.analysis import embedding, explain
from fmnist.data import splits
from fmnist.data.splits import CLASSES
from fmnist.weights import shelf

# The quickest model: the map is the same for all.
MODEL = urlencode({"model": "fcnn"})

pytestmark = [pytest.mark.browser, *([pytest.mark.real_data] if REAL else [])]


def ground(page: Page) -> Locator:
    """The map's canvas, once its garments are drawn."""
    canvas = page.locator(".ground > canvas")
    expect(canvas).to_have_attribute("data-thumbs", re.compile("[1-9]"))
    canvas.scroll_into_view_if_needed()
    return canvas


def places(canvas: Locator) -> np.ndarray:
    """Where the garments stand on the canvas in pixels, computed here a second time."""
    split = splits.load("test", "real" if REAL else "drawn")
    model, _ = shelf.load("fcnn")
    vectors = explain.embed(model, split.images, torch.device("cpu")).astype(np.float32)
    square = embedding.fit_square(embedding.pca(vectors, lambda done: None)) / 65535
    x, y, scale = map(float, (canvas.get_attribute("data-view") or "").split())
    box = canvas.bounding_box()
    assert box
    middle = [(box["width"] - 2) / 2, (box["height"] - 2) / 2]  # inside the border
    return (square - [x, y]) * scale + middle


def drag(page: Page, canvas: Locator, corners: list[tuple[float, float]]) -> None:
    box = canvas.bounding_box()
    assert box
    points = [(box["x"] + 1 + x, box["y"] + 1 + y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=6)
    page.mouse.up()


@pytest.mark.slow
def test_a_lasso_opens_the_gallery_of_what_is_inside_to_take_along_and_the_link_tells_the_map(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit(f"map?{MODEL}")
    canvas = ground(page)
    at = places(canvas)
    left, top = np.quantile(at, 0.3, axis=0)
    right, bottom = np.quantile(at, 0.7, axis=0)
    inside = ((at > [left, top]) & (at < [right, bottom])).all(1)
    page.get_by_role("button", name="Lasso").click()
    drag(page, canvas, [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
    expect(canvas).to_have_attribute("data-chosen", re.compile("[1-9]"))
    chosen = int(canvas.get_attribute("data-chosen") or 0)
    # A mouse stands on whole pixels; at the edge a garment or two may differ.
    assert chosen == pytest.approx(inside.sum(), abs=3 + 0.03 * inside.sum())
    expect(page.get_by_role("heading", name=f"{chosen:,} chosen")).to_be_visible()

    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV", exact=True).click()
    saved.value.save_as(tmp_path / "garments.csv")
    with (tmp_path / "garments.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == chosen
    labels = splits.load("test", "real" if REAL else "drawn").labels
    assert all(row["label"] == CLASSES[labels[int(row["row"])]] for row in rows)
    most, count = Counter(row["label"] for row in rows).most_common(1)[0]
    expect(page.locator("p", has_text=f"{count:,} {most}").first).to_be_visible()

    page.get_by_text("Error", exact=True).click()
    expect(page.get_by_role("button", name="Wrong")).to_be_visible()
    settle(page)
    expect(canvas).to_have_attribute("data-chosen", str(chosen))
    again = visit(f"map?{urlsplit(page.url).query}")
    expect(again.get_by_role("button", name="Wrong")).to_be_visible()
    expect(ground(again)).to_have_attribute("data-chosen", str(chosen))


@pytest.mark.slow
def test_the_map_zooms_moves_filters_and_is_worked_by_the_keyboard(
    visit: Callable[..., Page],
) -> None:
    page = visit(f"map?{MODEL}")
    canvas = ground(page)
    count = int(canvas.get_attribute("data-count") or 0)
    expect(canvas).to_have_attribute("data-visible", str(count))
    expect(canvas).to_have_attribute("data-names", "10")
    canvas.hover()
    page.mouse.wheel(0, -500)
    expect(canvas).not_to_have_attribute("data-zoom", "1.00")
    expect(canvas).not_to_have_attribute("data-visible", str(count))
    view = canvas.get_attribute("data-view") or ""
    drag(page, canvas, [(200, 200), (260, 230)])
    expect(canvas).not_to_have_attribute("data-view", view)
    page.get_by_role("button", name="Whole").click()
    expect(canvas).to_have_attribute("data-zoom", "1.00")

    label = CLASSES.index("Trouser")
    of_class = int((splits.load("test", "real" if REAL else "drawn").labels == label).sum())
    page.get_by_role("button", name="Trouser").click()
    expect(canvas).to_have_attribute("data-visible", str(of_class))
    expect(canvas).to_have_attribute("data-names", "1")
    canvas.focus()
    page.keyboard.press("Enter")  # all in view
    expect(page.get_by_role("heading", name=f"{of_class:,} chosen", exact=True)).to_be_visible()
    settle(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="0 chosen", exact=True)).to_be_visible()
    page.keyboard.press("+")
    expect(canvas).to_have_attribute("data-zoom", "1.50")

    # A garment that is chosen stays where it is, and so does the view.
    page.get_by_role("button", name="Trouser").click()
    box = canvas.bounding_box()
    assert box
    at = places(canvas)
    middle = [(box["width"] - 2) / 2, (box["height"] - 2) / 2]
    x, y = at[np.abs(at - middle).max(1).argmin()]
    page.mouse.click(box["x"] + 1 + x, box["y"] + 1 + y)
    expect(page.get_by_text(re.compile(r"Garment [\d,]+ of the test split"))).to_be_visible()
    settle(page)
    expect(canvas).to_have_attribute("data-zoom", "1.50")


@pytest.mark.slow
def test_what_one_tab_takes_back_the_other_does_not_bring_again(visit: Callable[..., Page]) -> None:
    page = visit("suspects")
    page.get_by_role("button", name=re.compile("^Agree")).click()
    expect(page.get_by_text("1 decided: you agreed with 1")).to_be_visible()
    settle(page)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_text("1 decided: you agreed with 1")).to_be_visible()
    settle(other)

    page.bring_to_front()
    page.locator("canvas[aria-label*=suspects]").click(position={"x": 12, "y": 12})
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("1 decided: you agreed with 1")).to_have_count(0)
    settle(page)
    other.bring_to_front()
    other.get_by_role("button", name=re.compile("^Disagree")).click()
    expect(other.get_by_text("1 decided: you agreed with 0 and disagreed with 1")).to_be_visible()
    settle(other)
    other.reload()
    expect(other.get_by_text("1 decided: you agreed with 0 and disagreed with 1")).to_be_visible()


@pytest.mark.slow
def test_decisions_are_made_by_button_and_key_and_downloaded(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit("suspects")
    for decided in (1, 2):
        settle(page)
        page.get_by_role("button", name=re.compile("^Agree")).click()
        expect(page.get_by_text(f"{decided} decided: you agreed with {decided}")).to_be_visible()
    settle(page)
    page.locator("h1").click()
    page.keyboard.press("d")
    expect(page.get_by_text("3 decided: you agreed with 2 and disagreed with 1")).to_be_visible()
    settle(page)
    expect(page.locator("canvas[aria-label*=suspects]")).to_be_visible()
    follow(page, "Home")
    follow(page, "Suspects")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save decisions").click()
    saved.value.save_as(tmp_path / "decisions.csv")
    with (tmp_path / "decisions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["decision"] for row in rows] == ["agree", "agree", "disagree"]
    assert {row["kind"] for row in rows} == {"label"}
    assert len({row["row"] for row in rows}) == 3

    page.reload()
    expect(page.get_by_text("3 decided: you agreed with 2 and disagreed with 1")).to_be_visible()
    settle(page)

    # What one tab decides is not written over by what the other knows.
    second = page.context.new_page()
    second.goto(page.url)
    for decided in (3, 4, 5):
        expect(
            second.get_by_text(f"{decided} decided: you agreed with {decided - 1}")
        ).to_be_visible()
        settle(second)
        if decided < 5:
            second.get_by_role("button", name=re.compile("^Agree")).click()
    page.bring_to_front()
    page.get_by_role("button", name=re.compile("^Agree")).click()
    expect(page.get_by_text("5 decided: you agreed with 4 and disagreed with 1")).to_be_visible()
    page.reload()
    expect(page.get_by_text("5 decided: you agreed with 4 and disagreed with 1")).to_be_visible()

    elsewhere = visit("suspects")
    elsewhere.locator("input[type=file]").set_input_files(tmp_path / "decisions.csv")
    expect(elsewhere.get_by_text("3 decided: you agreed with 2")).to_be_visible()
    expect(elsewhere.get_by_text(re.compile("Score without the 2"))).to_be_visible()
    settle(elsewhere)
