"""A sweep is begun and read on its page."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace

import pytest
from opening import open_page, texts
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial
from streamlit.testing.v1 import AppTest

from fmnist.machine.errors import UserFacingError
from fmnist.machine.locks import LockError
from fmnist.models import MODELS
from fmnist.runs import queue
from fmnist.runs.run import Plan, Run, RunError
from fmnist.sweeps import driver
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import Dimension
from fmnist.sweeps.sweep import Sweep
from fmnist.ui.components import parallel
from fmnist.ui.parts import sweep as parts

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that is started has been carried out, as by a process that was quick."""

    def carry_out(sweep: Sweep) -> None:
        list(sweeps.carry_out(sweep))

    monkeypatch.setattr(driver, "start", carry_out)


def asked() -> Sweep:
    recipe = MODELS["softmax"].recipe
    return Sweep("mine", "softmax", recipe, (Dimension.parse("lr", "0.001..0.003"),), 9, "drawn")


def tell(sweep: Sweep, accuracies: dict[float, float]) -> None:
    """Trials of those learning rates have reached that, by runs that were deleted."""
    for lr, accuracy in accuracies.items():
        values = {"params": {"lr": lr}, "distributions": {"lr": FloatDistribution(0.001, 0.003)}}
        sweeps._study(sweep).add_trial(create_trial(value=accuracy, **values))


def run_link(app: AppTest) -> str:
    (link,) = app.get("page_link")
    return str(link.proto.query_string).removeprefix("run=")


@pytest.mark.slow
def test_a_sweep_that_is_started_shows_its_trials_and_the_best() -> None:
    app = open_page("sweep")
    assert "No sweeps yet" in texts(app)
    app.selectbox(key="pruner").select("none")
    next(box for box in app.selectbox if box.label == "Model").select("softmax")
    app.text_input(key="range of epochs").set_value("1,2")
    for box, value in zip(app.number_input, (2, 200), strict=True):
        box.set_value(value)
    next(button for button in app.button if button.label == "Start the sweep").click().run()
    assert not app.exception
    (name,) = sweeps.names()
    sweep = sweeps.read_sweep(name)
    trials = sweep.tried()
    best = sweeps.best_of(trials)
    assert best
    assert app.metric[0].value == f"{best.accuracy:.2%}"
    best_first = sorted(trials, key=lambda trial: -(trial.accuracy or 0))
    table = app.dataframe[0].value
    assert list(table["Trial"]) == [trial.number for trial in best_first]
    assert list(table["Learning rate"]) == [trial.values["lr"] for trial in best_first]
    assert [link.removeprefix("train?run=") for link in table["Run"]] == [t.run for t in best_first]
    assert run_link(app) == best.run
    other = best_first[1]
    app.selectbox(key=f"trial of {sweep.name}").select(other.number).run()
    assert run_link(app) == other.run
    again = open_page("sweep", sweep=sweep.name)
    assert again.selectbox(key="sweep").value == sweep.name


def test_of_trials_that_a_brush_leaves_alone_the_table_tells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep = sweeps.begin(asked())
    tell(sweep, {0.001: 0.5, 0.002: 0.7, 0.003: 0.9})
    monkeypatch.setattr(parallel, "parallel", lambda *_, **__: {1: (0.4, 1.0)})
    app = open_page("sweep", sweep=sweep.name)
    assert "2 of 3 trials pass." in texts(app)
    assert list(app.dataframe[0].value["Trial"]) == [2, 1]


def test_a_sweep_that_is_about_to_begin_says_so_and_can_be_stopped() -> None:
    sweep = sweeps.begin(asked())
    with sweeps.carrying_out(sweep):
        app = open_page("sweep", sweep=sweep.name)
        assert "Getting ready" in texts(app)
        (stop,) = (button for button in app.button if button.label == "Stop after this trial")
        stop.click().run()
        assert "It stops after this trial" in texts(app)
    app = open_page("sweep", sweep=sweep.name)
    assert [b.label for b in app.button if b.label in ("Go on", "Stop after this trial")] == [
        "Go on"
    ]


def test_a_sweep_that_is_gone_on_with_is_followed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweeps.begin(asked())
    clocks = []

    def fragment(function: Callable[..., None], run_every: float | None = None) -> Callable:
        clocks.append(run_every)
        return function

    monkeypatch.setattr(parts.st, "fragment", fragment)
    with ExitStack() as process:
        monkeypatch.setattr(
            driver, "start", lambda sweep: process.enter_context(sweeps.carrying_out(sweep))
        )
        app = open_page("sweep", sweep=sweep.name)
        assert set(clocks) == {None}
        next(button for button in app.button if button.label == "Go on").click().run()
        assert clocks[-1] == parts.LOOK_SECONDS
    app.run()
    assert clocks[-1] is None


def test_a_view_has_the_page_run_anew_once_a_sweep_is_taken_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Anew(Exception):
        pass

    def rerun() -> None:
        raise Anew

    monkeypatch.setattr(parts.st, "rerun", rerun)
    sweep = sweeps.begin(asked())
    with sweeps.carrying_out(sweep), pytest.raises(Anew):
        parts._show(sweep, followed=False)


def test_a_sweep_whose_runs_were_refused_says_why_and_can_be_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(plan: Plan) -> Run:
        raise RunError("The disk is full.")

    sweep = sweeps.begin(replace(asked(), trials=1))
    with monkeypatch.context() as patch:
        patch.setattr(queue, "start", refuse)
        for _ in range(2):
            with suppress(RunError):
                list(sweeps.carry_out(sweep))
    app = open_page("sweep", sweep=sweep.name)
    assert [error.value for error in app.error] == ["The disk is full."]
    assert "Go on" in [button.label for button in app.button]


@pytest.mark.parametrize("file", ["sweep.json", "journal.log"])
def test_a_damaged_sweep_is_said_and_hides_no_other(file: str) -> None:
    damaged = sweeps.begin(asked()).folder / file
    sweeps.begin(replace(asked(), name="other"))
    damaged.write_text("{}\n")
    app = open_page("sweep", sweep="mine")
    assert "is damaged" in app.error[0].value
    app.selectbox(key="sweep").select("other").run()
    assert not app.error
    assert "Go on" in [button.label for button in app.button]


def test_what_stands_against_going_on_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(sweep: Sweep) -> None:
        raise LockError("No files can be locked.")

    sweep = sweeps.begin(asked())
    monkeypatch.setattr(driver, "start", refuse)
    app = open_page("sweep", sweep=sweep.name)
    next(button for button in app.button if button.label == "Go on").click().run()
    assert app.error[0].value == "No files can be locked."


@pytest.mark.parametrize(
    ("text", "sentence"), [("fast", "can't be swept over 'fast'"), ("", "at least one field")]
)
def test_what_can_not_be_swept_is_said(text: str, sentence: str) -> None:
    app = open_page("sweep")
    app.text_input(key="range of lr").set_value(text)
    next(button for button in app.button if button.label == "Start the sweep").click().run()
    assert sentence in app.error[0].value
    assert not sweeps.names()
    with pytest.raises(UserFacingError, match="no sweep 'other'"):
        sweeps.read_sweep("other")
