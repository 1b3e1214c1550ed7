"""The lines of a sweep's trials, narrowed by brushing an axis and chosen by a click."""

from collections.abc import Callable
from pathlib import Path

import pytest
from browsing import PHONE, settle
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial
from playwright.sync_api import Locator, Page, expect

from fmnist.models import MODELS
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import Dimension
from fmnist.sweeps.sweep import Sweep

pytestmark = pytest.mark.browser
ACCURACIES = (0.5, 0.6, 0.7, 0.8, 0.9)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep of five trials in the studio of this test, each better than the one before."""
    monkeypatch.setenv("FMNIST_RUNS", str(tmp_path / "runs"))
    lr = Dimension.parse("lr", "0.001..0.005")
    sweep = Sweep("mine", "softmax", MODELS["softmax"].recipe, (lr,), 5, "drawn")
    study = sweeps._study(sweeps.begin(sweep))
    spans = {"lr": FloatDistribution(0.001, 0.005)}
    for place, accuracy in enumerate(ACCURACIES, 1):
        values = {"params": {"lr": place / 1000}, "distributions": spans}
        study.add_trial(create_trial(value=accuracy, **values))


def end(page: Page, axis: str, which: str) -> Locator:
    return page.get_by_role("slider", name=f"{axis}, {which}")


def middle(part: Locator) -> tuple[float, float]:
    box = part.locator(".grip").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.slow
@pytest.mark.usefixtures("told")
def test_an_axis_is_brushed_by_mouse_and_by_key_and_a_line_is_chosen(
    fresh_studio: str, stranger: Callable[..., Page]
) -> None:
    page = stranger(viewport={"width": 1280, "height": 1500})
    page.goto(f"{fresh_studio}/sweep")
    settle(page)
    low, high = end(page, "Validation accuracy", "from"), end(page, "Validation accuracy", "to")
    expect(high).to_have_attribute("aria-valuetext", "90.0%")
    x, top = middle(high)
    _, bottom = middle(low)
    page.mouse.move(x, top + 0.3 * (bottom - top))
    page.mouse.down()
    page.mouse.move(x, top + 0.9 * (bottom - top), steps=5)
    expect(page.locator(".line.out")).to_have_count(3)  # before the server has answered
    page.mouse.up()
    expect(page.get_by_text("2 of 5 trials pass.")).to_be_visible()
    low.press("Home")
    expect(page.get_by_text("3 of 5 trials pass.")).to_be_visible()
    expect(low).to_be_focused()

    page.reload()  # who comes anew sees all
    settle(page)
    expect(page.locator(".line.out")).to_have_count(0)
    places = "line => [line.points[0], line.points[1]].map(({ x, y }) => [x, y])"
    (x1, y1), (x2, y2) = page.locator(".near").filter(has_text="Trial 1:").evaluate(places)
    frame = page.locator("svg:has(.near)").bounding_box()
    assert frame
    page.mouse.click(frame["x"] + 0.3 * x1 + 0.7 * x2, frame["y"] + 0.3 * y1 + 0.7 * y2)
    expect(page.get_by_role("combobox", name="Trial")).to_have_value("Trial 1: 60.00%")
    expect(page.locator(".line.chosen")).to_have_count(1)


@pytest.mark.slow
@pytest.mark.usefixtures("told")
def test_on_a_phone_a_finger_drags_the_end_of_an_axis_that_is_large_enough(
    fresh_studio: str, stranger: Callable[..., Page]
) -> None:
    page = stranger(**PHONE)
    page.goto(f"{fresh_studio}/sweep")
    settle(page)
    low = end(page, "Learning rate", "from")
    low.scroll_into_view_if_needed()
    box = low.locator(".around").bounding_box()
    assert box
    assert min(box["width"], box["height"]) >= 44
    x, y = middle(low)
    touch = page.context.new_cdp_session(page)
    for kind, up in (("Start", 0), *(("Move", up) for up in range(15, 91, 15)), ("End", None)):
        points = [] if up is None else [{"x": x, "y": y - up}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    expect(page.get_by_text("3 of 5 trials pass.")).to_be_visible()
