"""A sweep is begun and read on its page."""

import pytest
from opening import open_page, texts

from fmnist.machine.errors import UserFacingError
from fmnist.sweeps import driver
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.sweep import Sweep

pytestmark = pytest.mark.usefixtures("small")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that is started has been carried out, as by a process that was quick."""

    def carry_out(sweep: Sweep) -> None:
        list(sweeps.carry_out(sweep))

    monkeypatch.setattr(driver, "start", carry_out)


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
    (sweep,) = sweeps.all_sweeps()
    trials = sweep.tried()
    best = sweeps.best_of(trials)
    assert best
    assert app.metric[0].value == f"{best.accuracy:.2%}"
    table = app.dataframe[0].value
    assert list(table["Trial"]) == [0, 1]
    assert list(table["Learning rate"]) == [trial.values["lr"] for trial in trials]
    assert [link.removeprefix("train?run=") for link in table["Run"]] == [t.run for t in trials]
    again = open_page("sweep", sweep=sweep.name)
    assert again.selectbox(key="sweep").value == sweep.name


@pytest.mark.parametrize(
    ("text", "sentence"), [("fast", "can't be swept over 'fast'"), ("", "at least one field")]
)
def test_what_can_not_be_swept_is_said(text: str, sentence: str) -> None:
    app = open_page("sweep")
    app.text_input(key="range of lr").set_value(text)
    next(button for button in app.button if button.label == "Start the sweep").click().run()
    assert sentence in app.error[0].value
    assert not sweeps.all_sweeps()
    with pytest.raises(UserFacingError, match="no sweep 'other'"):
        sweeps.read_sweep("other")
