"""The page on which networks are built."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from opening import open_page, texts
from streamlit.testing.v1 import AppTest

from fmnist.models import building
from fmnist.models.chain import Chain
from fmnist.models.layers import parameter_count
from fmnist.runs import queue
from fmnist.runs.run import Plan, all_runs
from fmnist.ui.components import memory
from fmnist.ui.parts import build_it


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception


def number(app: AppTest, kind: str) -> int:
    """That of the first layer of a kind."""
    return next(n for n, brick in app.session_state["bricks laid"].items() if brick["kind"] == kind)


def up(app: AppTest, kind: str) -> None:
    app.button(key=f"arrow_upward {number(app, kind)}").click().run()
    assert not app.exception


def kinds(app: AppTest) -> list[str]:
    return [brick["kind"] for brick in app.session_state["bricks laid"].values()]


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a browser remembers under "value", as of a visit before."""
    found: dict[str, Any] = {"value": None}

    def remember(
        _name: str, kept: dict[str, Any], written: Callable[[], Any], read: Callable[[Any], Any]
    ) -> None:
        memory.merge(kept, {}, read(found["value"]))
        found["value"] = json.loads(json.dumps(written()))

    monkeypatch.setattr(memory, "remember", remember)
    return found


def test_a_network_is_there_again_when_the_page_is_loaded_anew(browser: dict[str, Any]) -> None:
    app = open_page("build_it")
    app.selectbox(key="beginning").select("Fully connected").run()
    press(app, "Begin anew")
    next(box for box in app.number_input if box.label == "Units").set_value(100).run()
    anew = open_page("build_it")
    assert kinds(anew) == ["Dense", "ReLU", "Dropout"]
    assert "**Dense** hands on 100 values, 78,500 parameters" in texts(anew)
    assert next(box for box in anew.number_input if box.label == "Units").value == 100


@pytest.mark.parametrize(
    "network",
    [
        "ReLU",
        ["ReLU"],
        [{"kind": "Spell"}],
        [{"kind": ["ReLU"]}],
        [{"kind": "Dense"}],
        [{"kind": "Dense", "units": 10**6}],
        [{"kind": "Dense", "units": "64"}],
        [{"kind": "Dense", "units": True}],
        [{"kind": "ReLU", "units": 64}],
        [{"kind": "ReLU"}] * (building.MOST + 1),
    ],
)
def test_what_somebody_wrote_into_the_browsers_memory_that_is_no_network_is_passed_over(
    network: Any,
) -> None:
    assert build_it.taken({"network": network}) == build_it.taken(network) == {}


def test_it_begins_with_a_network_that_fits_and_says_its_parameters() -> None:
    app = open_page("build_it")
    assert not app.exception
    assert not app.error
    layers = building.chain(list(app.session_state["bricks laid"].values()))
    assert f"**{parameter_count(Chain(layers)):,} parameters** in all." in texts(app)
    assert not app.code
    app.session_state["code"] = True
    (shown,) = app.run().code
    assert "Conv2d" in shown.value or "Convolution(" in shown.value


def test_layers_are_added_moved_changed_and_removed() -> None:
    app = open_page("build_it")
    app.selectbox(key="beginning").select("Fully connected").run()
    press(app, "Begin anew")
    assert kinds(app) == ["Dense", "ReLU", "Dropout"]
    app.selectbox(key="added").select("Batch normalisation").run()
    press(app, "Add")
    up(app, "Batch normalisation")
    assert kinds(app) == ["Dense", "ReLU", "Batch normalisation", "Dropout"]
    app.button(key=f"delete {number(app, 'Dropout')}").click().run()
    assert kinds(app) == ["Dense", "ReLU", "Batch normalisation"]
    up(app, "Dense")  # it is the first already
    assert kinds(app)[0] == "Dense"
    units = next(box for box in app.number_input if box.label == "Units")
    units.set_value(100).run()
    assert "**Dense** hands on 100 values, 78,500 parameters" in texts(app)


def test_what_does_not_fit_is_said_at_its_layer_and_can_not_be_trained() -> None:
    app = open_page("build_it")
    app.selectbox(key="beginning").select("Fully connected").run()
    press(app, "Begin anew")
    app.selectbox(key="added").select("Convolution").run()
    press(app, "Add")
    assert "It needs maps, and gets 64 values" in app.error[0].value
    assert building.WAITS in texts(app)
    assert "It can be trained once every layer fits." in app.warning[0].value
    assert "Start training" not in [button.label for button in app.button]


def test_a_network_is_trained_as_a_run_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Plan] = []

    def start(plan: Plan) -> None:
        asked.append(plan)
        raise queue.RunError("Enough for a test.")

    monkeypatch.setattr(queue, "start", start)
    app = open_page("build_it")
    press(app, "Start training")
    assert "Enough for a test." in app.error[0].value
    (plan,) = asked
    assert plan.layers == building.chain(list(app.session_state["bricks laid"].values()))
    assert Plan.from_json(plan.__dict__ | {"recipe": plan.recipe.to_json()}) == plan
    assert all_runs() == []
