"""A run's view: what it shows, and that it goes on by itself whoever takes the run up again."""

from collections.abc import Callable

import pytest
import streamlit as st
from opening import open_page, texts

from fmnist.models.recipe import Recipe
from fmnist.runs import queue
from fmnist.runs.run import Plan, Run, read_run
from fmnist.ui.parts import train

pytestmark = pytest.mark.usefixtures("small")


class Rerun(Exception):
    """Stands in for the page's running anew."""


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that waits for its device, and doesn't get it."""
    monkeypatch.setattr(queue, "_launch", lambda *arguments: None)
    return queue.start(Plan("fcnn", Recipe(epochs=2), "drawn", "cpu", limit=300))


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> list[float | None]:
    """The seconds after which each fragment of a page is to run again."""
    fragment, clocks = st.fragment, []

    def noted(function: Callable[..., object], run_every: float | None = None) -> object:
        clocks.append(run_every)
        return fragment(function, run_every=run_every)

    monkeypatch.setattr(st, "fragment", noted)
    return clocks


@pytest.mark.slow
def test_an_active_run_is_drawn_again_and_an_idle_one_looked_at(
    waiting: Run, clocks: list[float | None]
) -> None:
    app = open_page("train")
    assert set(clocks) - {None} == {train.REFRESH_SECONDS}  # home's canvas has no clock
    next(button for button in app.button if button.label == "Stop").click()
    clocks.clear()
    app.run()
    assert "Stopped." in texts(app)
    assert set(clocks) == {None, train.LOOK_SECONDS}
    next(button for button in app.button if button.label == "Resume").click()
    clocks.clear()
    app.run()
    assert "Waiting for another training" in texts(app)
    assert set(clocks) == {train.REFRESH_SECONDS}
    assert not app.exception


@pytest.mark.parametrize("tick", [lambda run: train._run(run, None), train._rerun_if_changed])
def test_a_view_runs_the_page_anew_where_its_run_was_resumed_or_deleted_elsewhere(
    waiting: Run, monkeypatch: pytest.MonkeyPatch, tick: Callable[[Run], None]
) -> None:
    def rerun() -> None:
        raise Rerun

    monkeypatch.setattr(st, "rerun", rerun)
    queue.stop(waiting.id)
    stopped = read_run(waiting.id)
    train._rerun_if_changed(stopped)
    queue.resume(waiting.id)
    with pytest.raises(Rerun):
        tick(stopped)
    queue.stop(waiting.id)
    queue.delete(waiting.id)
    with pytest.raises(Rerun):
        tick(stopped)
