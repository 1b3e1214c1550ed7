"""The whole app as a person meets it: headless Chromium against a real server."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import safetensors.torch
import torch
from browsing import (
    PAGES,
    PHONE,
    follow,
    heading,
    in_sight,
    serve,
    settle,
    stop_runs,
    table,
)
from playwright.sync_api import Page, expect

from fmnist.data.splits import CLASSES
from fmnist.models import MODELS
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import SHIPPED, Weights

pytestmark = pytest.mark.browser


# Getting around


@pytest.mark.slow
def test_the_first_visitors_of_a_fresh_server_see_the_studios_navigation_on_a_deep_link(
    fresh_studio: str, stranger: Callable[..., Page]
) -> None:
    room = [stranger() for _ in range(3)]
    for page in room:
        page.add_init_script(path=Path(__file__).with_name("navigation_seen.js"))
        page.goto(f"{fresh_studio}/errors?model=softmax", wait_until="commit")
    for page in room:
        expect(page.get_by_text(PAGES["Errors"][1], exact=True)).to_be_visible()
        settle(page)
        links = page.get_by_test_id("stSidebarNavLink")
        expect(links).to_have_text([re.compile(f"{name}$") for name in PAGES])
        # Nor did Streamlit's list of files, app before all, flash up first.
        assert "app" not in page.evaluate("navigationSeen")


@pytest.mark.slow
def test_the_language_is_in_reach_on_a_low_screen(visit: Callable[..., Page]) -> None:
    page = visit("room", viewport={"width": 1280, "height": 720})
    box = page.get_by_role("combobox", name="Language")
    in_sight(page, box)
    first = page.get_by_test_id("stSidebarNavLink").first.bounding_box()
    own = page.locator(".st-key-language-box").bounding_box()
    assert first
    assert own
    assert own["y"] + own["height"] <= first["y"]


@pytest.mark.slow
@pytest.mark.real_data
def test_what_every_model_says_fits_beside_the_wall(visit: Callable[..., Page]) -> None:
    page = visit("dataset", viewport={"width": 1280, "height": 800})
    fits = "(table) => table.scrollWidth <= table.clientWidth"
    assert page.locator(".dvn-scroller").first.evaluate(fits)


@pytest.mark.slow
def test_light_and_dark_have_grounds_of_their_own(visit: Callable[..., Page]) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page = visit(color_scheme=scheme)
        shade = page.locator(".stApp").evaluate("(e) => getComputedStyle(e).backgroundColor")
        grounds.append(sum(int(part) for part in re.findall(r"\d+", shade)[:3]))
    light, dark = grounds
    assert light > 3 * 200
    assert dark < 3 * 55


@pytest.mark.slow
def test_a_page_is_printed_without_what_leads_elsewhere_and_is_still_for_who_wants_it_so(
    visit: Callable[..., Page],
) -> None:
    page = visit("room", reduced_motion="reduce")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar).to_be_visible()
    moving = "(element) => getComputedStyle(element).transitionDuration"
    assert max(float(part) for part in re.findall(r"[\d.]+", sidebar.evaluate(moving))) <= 0.001
    page.emulate_media(media="print")
    expect(sidebar).to_be_hidden()


# Dataset


@pytest.mark.slow
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
    page.keyboard.press("End")
    expect_garment(899)
    expect(page.locator(".wall .here")).to_be_in_viewport(ratio=1)
    for _ in range(5):  # faster than the answers come
        page.keyboard.press("ArrowLeft")
    expect_garment(894)


@pytest.mark.slow
def test_a_wall_that_comes_back_shows_what_was_chosen_on_it_and_leaves_the_browsers_keys_alone(
    visit: Callable[..., Page],
) -> None:
    page = visit("dataset?split=test")
    wall = page.locator("canvas[role=application]")
    wall.click(position={"x": 200, "y": 60})
    settle(page)
    chosen = wall.evaluate("wall => wall.kept.picked")
    assert chosen > 0
    for name, expected in (("validation", -1), ("test", chosen)):
        page.get_by_role("radio", name=name).click()
        expect(page.get_by_text(re.compile(f"Garment .* of the {name} split"))).to_be_visible()
        settle(page)
        assert wall.evaluate("wall => wall.kept.picked") == expected
    for keys, moved in (("Alt+ArrowRight", 0), ("Control+Home", 0), ("ArrowRight", 1)):
        wall.press(keys)
        assert wall.evaluate("wall => wall.kept.picked") == chosen + moved


@pytest.mark.slow
def test_what_a_link_asks_for_is_said_as_it_is_and_leads_nowhere(
    visit: Callable[..., Page],
) -> None:
    page = visit("dataset?split=www.evil.example%2Flogin&class=a%40b.example%0A-+%26lt%3B")
    notice = page.get_by_test_id("stToast")
    expect(notice).to_contain_text("evil.example/login")
    expect(notice).to_contain_text("- &lt;")
    expect(notice.get_by_role("link")).to_have_count(0)
    expect(notice.get_by_role("list")).to_have_count(0)


@pytest.mark.slow
def test_on_a_phone_with_a_fine_screen_a_wall_is_a_picture_that_every_browser_has(
    visit: Callable[..., Page],
) -> None:
    page = visit("dataset", **PHONE, device_scale_factor=3)
    wall = page.get_by_label(re.compile("^900 garments"))
    expect(wall).to_have_attribute("data-drawn", "900")
    width, height = (int(wall.get_attribute(name) or 0) for name in ("width", "height"))
    box = wall.bounding_box()
    assert box
    assert width * height <= 16e6
    assert width >= box["width"]
    assert width / height == pytest.approx(box["width"] / box["height"], rel=0.01)


# Train


@pytest.mark.slow
def test_a_training_begun_stopped_and_resumed_reaches_its_end_and_has_a_link_until_deleted(
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

    # Stopped and resumed, it goes on by itself here and in another browser that shows it.
    # Streamlit has a button of that name too, which stops its script.
    ours = page.get_by_test_id("stButton")
    ours.get_by_role("button", name="Stop", exact=True).click()
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_be_visible()
    link = urlsplit(page.url)
    assert "-fcnn-" in parse_qs(link.query)["run"][0]
    other = visit(f"train?{link.query}")
    expect(other.get_by_role("button", name="Resume")).to_be_visible()
    resume.click()
    assert expect_the_end(other) == expect_the_end(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("No runs yet.")).to_be_visible()
    settle(page)


@pytest.mark.slow
def test_a_run_goes_on_without_its_tab_and_server_and_its_link_shows_the_end(
    stranger: Callable[..., Page], tmp_path: Path
) -> None:
    with serve(tmp_path, tmp_path / "cache") as address:
        page = stranger()
        page.goto(f"{address}/train?learn=lenet-5&epochs=6")
        settle(page)
        page.get_by_role("button", name="Start training").click()
        expect(page.get_by_text(re.compile("^Epoch [1-6] of 6$"))).to_be_visible()
        query = urlsplit(page.url).query
        page.close()
    with serve(tmp_path, tmp_path / "cache") as address:
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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.real_data
def test_uploaded_weights_join_the_models_on_every_page(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    tensors = safetensors.torch.load_file(SHIPPED / "cnn.safetensors")
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
    expect(page.get_by_text(re.compile(r"^everyday names \d+\.\d+% of"))).to_be_visible()
    settle(page)  # or the list is drawn anew below the mouse
    page.get_by_role("combobox", name="Model").click()
    page.get_by_role("option", name="my-own", exact=True).click()
    expect(page.get_by_text(re.compile(r"^my-own names \d+\.\d+% of"))).to_be_visible()
    settle(page)


@pytest.mark.slow
def test_a_kept_model_is_removed_only_where_that_is_confirmed(
    fresh_studio: str, stranger: Callable[..., Page], tmp_path: Path
) -> None:
    mine = Weights(
        MODELS["softmax"].seeded(0), Card("mine", "softmax", 0, display_name="Mein Netz")
    )
    shelf.save(mine, tmp_path / "weights")
    page, other = stranger(), stranger()
    for visitor, name in ((page, "models"), (other, "scores")):
        visitor.goto(f"{fresh_studio}/{name}?model=mine")
        settle(visitor)
    question = page.get_by_role("dialog")
    for answer, left in (("Keep it", True), ("Remove for good", False)):
        page.get_by_role("button", name="Remove", exact=True).click()
        expect(question).to_contain_text("Mein Netz (mine) is deleted for everybody")
        question.get_by_role("button", name=answer).click()
        expect(question).to_have_count(0)
        settle(page)
        assert (tmp_path / "weights" / "mine.safetensors").exists() == left
    expect(page.get_by_test_id("stAlertContentSuccess")).to_have_text(
        "Mein Netz (mine) is removed."
    )
    expect(page.get_by_role("button", name="Remove", exact=True)).to_have_count(0)
    for visitor in (page, other):  # who has it chosen goes on with another
        follow(visitor, "Classify")
