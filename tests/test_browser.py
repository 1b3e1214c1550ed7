"""The whole app as a person meets it: headless Chromium against a real server."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import safetensors.torch
import torch
from browsing import (
    DESK,
    NAVIGATION_SEEN,
    PAGES,
    PHONE,
    follow,
    heading,
    serve,
    settle,
    stop_runs,
    table,
)
from PIL import Image
from playwright.sync_api import Page, expect

from fmnist import garments, weights
from fmnist.data import CLASSES
from fmnist.models import MODELS

pytestmark = pytest.mark.browser


# Getting around


def test_the_first_visitors_of_a_fresh_server_see_the_studios_navigation_on_a_deep_link(
    fresh_studio: str, stranger: Callable[..., Page]
) -> None:
    room = [stranger() for _ in range(3)]
    for page in room:
        page.add_init_script(NAVIGATION_SEEN)
        page.goto(f"{fresh_studio}/errors", wait_until="commit")
    for page in room:
        expect(page.get_by_text(PAGES["Errors"][1], exact=True)).to_be_visible()
        settle(page)
        links = page.get_by_test_id("stSidebarNavLink")
        expect(links).to_have_text([re.compile(f"{name}$") for name in PAGES])
        # Nor did Streamlit's list of files, app before all, flash up first.
        assert "app" not in page.evaluate("navigationSeen")


@pytest.mark.parametrize("device", [DESK, PHONE], ids=["1280", "390"])
def test_every_page_opens_whole_and_no_wider_than_the_screen(
    visit: Callable[..., Page], device: dict[str, Any]
) -> None:
    page = visit(**device)
    width = device["viewport"]["width"]
    for name in [*list(PAGES)[1:], "Home"]:
        follow(page, name)
        widths = page.evaluate(
            "[document.documentElement, document.querySelector('[data-testid=stMain]')]"
            ".map((element) => element.scrollWidth)"
        )
        assert max(widths) <= width, name


def test_light_and_dark_have_grounds_of_their_own(visit: Callable[..., Page]) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = visit(color_scheme=scheme)
        shade = page.locator(".stApp").evaluate("(e) => getComputedStyle(e).backgroundColor")
        grounds.append(sum(int(part) for part in re.findall(r"\d+", shade)[:3]))
    light, dark = grounds
    assert light > 3 * 200
    assert dark < 3 * 55


# Classify


def draw(page: Page, *strokes: Sequence[tuple[float, float]]) -> None:
    """Draw on the canvas with the mouse; 0 to 1 spans it."""
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=5)
        page.mouse.up()


TROUSERS = [
    (0.32, 0.1),
    (0.68, 0.1),
    (0.71, 0.9),
    (0.57, 0.9),
    (0.5, 0.36),
    (0.43, 0.9),
    (0.29, 0.9),
    (0.32, 0.1),
]


@pytest.mark.parametrize("button", ["Clear", "Undo"])
def test_trousers_drawn_with_the_mouse_are_read_as_trouser_until_taken_back(
    visit: Callable[..., Page], button: str
) -> None:
    page = visit("classify")
    examples = page.get_by_label(re.compile("^Ten drawn garments"))
    yours = page.get_by_text(re.compile("^Your drawing, taken in as sketch"))
    expect(examples).to_be_visible()
    expect(yours).to_have_count(0)
    draw(page, TROUSERS)
    expect(yours).to_be_visible()
    expect(heading(page, "Trouser")).to_be_visible()
    expect(examples).to_have_count(0)
    follow(page, "Home")
    follow(page, "Classify")  # a drawing is not lost by looking elsewhere
    expect(heading(page, "Trouser")).to_be_visible()
    page.get_by_test_id("stButton").get_by_role("button", name=button).click()
    expect(examples).to_be_visible()
    expect(yours).to_have_count(0)


def picture(folder: Path, label: int) -> Path:
    """A drawn garment of a class as a PNG of 280 x 280 pixels."""
    path = folder / f"garment-{label}.png"
    drawn = garments.render(garments.garment(label, np.random.default_rng(3)), 280)
    Image.fromarray(drawn).save(path)
    return path


def test_an_uploaded_picture_is_named(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit("classify?way=Upload")
    page.locator("input[type=file]").set_input_files(picture(tmp_path, 5))
    expect(page.get_by_text(re.compile(r"^garment-5\.png, taken in as"))).to_be_visible()
    expect(heading(page, CLASSES[5])).to_be_visible()


def test_several_uploads_make_a_table_and_a_broken_one_a_sentence(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    words = tmp_path / "words.png"
    words.write_text("This is no picture.")
    page = visit("classify?way=Upload")
    page.locator("input[type=file]").set_input_files(
        [picture(tmp_path, 1), words, picture(tmp_path, 5)]
    )
    problem = page.get_by_test_id("stAlertContentError")
    expect(problem).to_have_count(1)
    expect(problem).to_have_text(re.compile(r"^words\.png: This file is not a picture .*\.$"))
    for text in ("garment-1.png", "garment-5.png", CLASSES[1], CLASSES[5]):
        expect(table(page).filter(has_text=re.compile(f"^{text}$"))).to_have_count(1)


# Dataset


def test_click_and_arrow_keys_choose_a_garment_on_the_wall(visit: Callable[..., Page]) -> None:
    page = visit("dataset")
    wall = page.get_by_label(re.compile("^900 garments"))
    expect(wall).to_have_attribute("data-drawn", "900")
    columns, cell = (int(wall.get_attribute(name) or 0) for name in ("data-columns", "data-cell"))
    index = 2 * columns + 4  # the fifth garment of the third row
    at = {"x": 4 * (cell + 1) + cell / 2, "y": 2 * (cell + 1) + cell / 2}
    wall.hover(position=at)
    name = page.locator(".tip").inner_text().removesuffix(f", {index}")
    assert name in CLASSES
    wall.click(position=at)

    def expect_garment(index: int) -> None:
        expect(page.get_by_text(f"Garment {index} of the train split.")).to_be_visible()

    expect_garment(index)
    expect(heading(page, name)).to_be_visible()
    for key, step in {"ArrowRight": 1, "ArrowDown": columns, "ArrowLeft": -1}.items():
        page.keyboard.press(key)
        index += step
        expect_garment(index)


# Train


def test_a_training_started_on_the_page_reaches_its_end_and_has_a_link_until_deleted(
    visit: Callable[..., Page],
) -> None:
    page = visit("train")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=MODELS["fcnn"].title).click()
    for label, number in (("Epochs", "2"), ("Training images", "2000")):
        box = page.get_by_role("spinbutton", name=label)
        box.fill(number)
        box.press("Enter")
    page.get_by_role("button", name="Start training").click()

    def expect_the_end(page: Page) -> list[str]:
        expect(page.get_by_text("Finished.", exact=True)).to_be_visible()
        expect(page.get_by_text("Epoch 2 of 2", exact=True)).to_be_visible()
        figures = page.get_by_test_id("stMetric")
        expect(figures.filter(has_text="Test accuracy")).to_have_text(re.compile(r"\d\.\d\d%$"))
        # A curve each for loss, validation accuracy and learning rate.
        for number, points in enumerate((1, 2, 1)):
            curve = page.locator(".js-plotly-plot").nth(number)
            expect(curve.locator(".scatterlayer .trace path.js-line")).to_be_visible()
            assert curve.evaluate("(plot) => plot.data[0].y.length") >= points
        return figures.all_inner_texts()

    told = expect_the_end(page)
    link = urlsplit(page.url)
    assert "-fcnn-" in parse_qs(link.query)["run"][0]
    assert expect_the_end(visit(f"train?{link.query}")) == told
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("No runs yet.")).to_be_visible()
    settle(page)


def test_a_run_goes_on_without_its_tab_and_server_and_its_link_shows_the_end(
    stranger: Callable[..., Page], tmp_path: Path
) -> None:
    with serve(tmp_path) as address:
        page = stranger()
        page.goto(f"{address}/train")
        settle(page)
        box = page.get_by_role("spinbutton", name="Epochs")
        box.fill("6")
        box.press("Enter")
        page.get_by_role("button", name="Start training").click()
        expect(page.get_by_text(re.compile("^Epoch [1-6] of 6$"))).to_be_visible()
        query = urlsplit(page.url).query
        page.close()
    with serve(tmp_path) as address:
        page = stranger()
        page.goto(f"{address}/train?{query}")
        expect(page.get_by_text("Finished.", exact=True)).to_be_visible()
        expect(page.get_by_text("Epoch 6 of 6", exact=True)).to_be_visible()
        settle(page)
        page.close()
    stop_runs(tmp_path)


# Models


class Trap:
    """Leaves a mark on the disk of whoever unpickles it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_weights_that_cannot_be_used_get_a_sentence_and_are_not_run(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger.safetensors"
    safetensors.torch.save_file({"layer.weight": torch.zeros(3, 3)}, stranger)
    mark, trap = tmp_path / "mark", tmp_path / "trap.pt"
    torch.save({"weight": Trap(mark)}, trap)
    page = visit("models")
    problem = page.get_by_test_id("stAlertContentError")
    for path, sentence in ((stranger, "fits no architecture here"), (trap, "was not opened")):
        page.locator("input[type=file]").set_input_files(path)
        expect(problem).to_have_text(re.compile(rf"^{re.escape(path.name)} .*{sentence}"))
    settle(page)
    assert not mark.exists()


def test_uploaded_weights_join_the_models_on_every_page(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    tensors = safetensors.torch.load_file(weights.SHIPPED / "cnn.safetensors")
    key = next(name for name in tensors if name.endswith("bias"))
    tensors[key][0] += 1e-4
    mine = tmp_path / "my-own.safetensors"
    safetensors.torch.save_file(tensors, mine)
    page = visit("models")
    names = table(page).filter(has_text=re.compile("^(my-own|cnn)$"))
    expect(names).to_have_text(["cnn"])
    page.locator("input[type=file]").set_input_files(mine)
    expect(page.get_by_test_id("stAlertContentSuccess")).to_have_text(
        re.compile(rf"^my-own\.safetensors fits {re.escape(MODELS['cnn'].title)}")
    )
    expect(names).to_have_count(2)
    follow(page, "Errors")
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name=re.compile("^my-own( |$)")).click()
    expect(page.get_by_text(re.compile(r"^my-own names \d+\.\d+% of"))).to_be_visible()
    settle(page)
