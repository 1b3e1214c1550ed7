"""The parts of the sweep page: what is to be tried, and what has come of it."""

import time
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
import torch

from fmnist.data.splits import Source
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.runs.run import RunError, read_run
from fmnist.sweeps import driver
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import Dimension
from fmnist.sweeps.sweep import PRUNERS, Sweep, Trial
from fmnist.ui import figures, widgets
from fmnist.ui.parts.train import COMPARED, CURVES
from fmnist.words import Words, _, number, said

LOOK_SECONDS = 3.0
BEST = 5
"""Trials whose curves are shown."""
FIELDS = {
    "lr": (Words("Learning rate"), "1e-4..1e-2:log"),
    "epochs": (Words("Epochs"), ""),
    "batch_size": (Words("Batch size"), ""),
    "weight_decay": (Words("Weight decay"), ""),
    "label_smoothing": (Words("Label smoothing"), ""),
    "augment": (Words("Augmentation"), ""),
    "optimizer": (Words("Optimizer"), ""),
}
"""What the page offers, each with what is proposed; the command line knows every field."""
IN_WORDS = {
    "running": Words("running"),
    "complete": Words("complete"),
    "pruned": Words("stopped early"),
    "failed": Words("failed"),
}
ENDS = {
    "median": Words("The worse half"),
    "hyperband": Words("By Hyperband"),
    "none": Words("Not one"),
}


def begin(source: Source, device: torch.device) -> None:
    """What is to be tried, and a button that starts it."""
    model = st.selectbox(_("Model"), MODELS, format_func=lambda name: said(MODELS[name].title))
    st.caption(
        _(
            "A range is written as 3..20 or, by its logarithm, as 1e-4..1e-2:log; a list as "
            "128,256 or adamw,muon. What is left empty stays as in the recipe."
        )
    )
    texts = {
        field: st.text_input(said(label), proposed, key=f"range of {field}")
        for field, (label, proposed) in FIELDS.items()
    }
    trials = st.number_input(_("Trials"), 1, 1000, 10)
    images = st.number_input(_("Training images"), 100, 55_000, 10_000, step=1000)
    pruner = st.selectbox(
        _("Stopped early"), PRUNERS, format_func=lambda name: said(ENDS[name]), key="pruner"
    )
    if not st.button(_("Start the sweep"), type="primary", width="stretch"):
        return
    try:
        sweep = sweeps.begin(
            Sweep(
                name=f"{model}-{time.strftime('%Y%m%d-%H%M%S')}",
                model=model,
                recipe=MODELS[model].recipe,
                space=tuple(
                    Dimension.parse(field, text.strip())
                    for field, text in texts.items()
                    if text.strip()
                ),
                trials=trials,
                data=source,
                device=device.type,
                limit=images,
                pruner=pruner,
            )
        )
    except (UserFacingError, OSError) as error:
        st.error(said(error))
    else:
        driver.start(sweep)
        st.session_state["sweep"] = sweep.name


def show(sweep: Sweep) -> None:
    """How far a sweep is and what has come of it; it follows the trials while they train."""
    active = sweep.is_carried_out(sweep.tried())
    st.fragment(_show, run_every=LOOK_SECONDS if active else None)(sweep)


def _show(sweep: Sweep) -> None:
    trials = sweep.tried()
    ended, active = [t for t in trials if t.state != "running"], sweep.is_carried_out(trials)
    st.progress(
        min(len(ended) / sweep.trials, 1.0),
        _(
            "{ended} of {trials} trials of {model}",
            ended=len(ended),
            trials=sweep.trials,
            model=MODELS[sweep.model].title,
        ),
    )
    _buttons(sweep, active, len(ended) < sweep.trials)
    best = sweeps.best_of(trials)
    if best:
        st.metric(_("Best validation"), number(best.accuracy, ".2%"))
        _coordinates(sweep, trials)
        _importance(sweep, sum(trial.accuracy is not None for trial in trials))
        _curves(trials)
    if trials:
        _table(trials)


def _name(field: str) -> str:
    """What the form calls a field of a recipe; the command line knows more of them."""
    return said(FIELDS[field][0]) if field in FIELDS else field


def _buttons(sweep: Sweep, active: bool, more: bool) -> None:
    if active and not sweep.stopping:
        st.button(_("Stop after this trial"), on_click=sweeps.stop, args=(sweep,))
    elif more and not active:
        st.button(_("Go on"), type="primary", on_click=driver.start, args=(sweep,))


def _coordinates(sweep: Sweep, trials: Sequence[Trial]) -> None:
    complete = [trial for trial in trials if trial.accuracy is not None]
    accuracy = _("Validation accuracy")
    axes = {_name(d.field): [trial.values[d.field] for trial in complete] for d in sweep.space}
    axes[accuracy] = [trial.accuracy or 0.0 for trial in complete]
    figure = figures.parallel_coordinates(
        axes, [_name(dimension.field) for dimension in sweep.space if dimension.log], accuracy
    )
    alt = _("A line for each trial through its values; the table below has them")
    st.plotly_chart(figure, config=widgets.CHART, key="coordinates", alt=alt)
    st.caption(_("Drag along an axis to see only the trials that pass there."))


@st.cache_data(show_spinner=False, max_entries=100)
def _shares(path: str, complete: int) -> dict[str, float]:
    """A forest is grown for it, which is to be done when a trial has ended, not at every look."""
    return sweeps.read_sweep(Path(path).name).importance()


def _importance(sweep: Sweep, complete: int) -> None:
    found = _shares(str(sweep.folder), complete) if len(sweep.space) > 1 else {}
    if found:
        shares = ", ".join(
            f"{_name(field)} {number(share, '.0%')}" for field, share in found.items()
        )
        st.markdown(_("What the differences hang on: {shares}.", shares=shares))


def _curves(trials: Sequence[Trial]) -> None:
    complete = sorted(trials, key=lambda trial: -(trial.accuracy or 0.0))[:BEST]
    progress = {}
    for trial in complete:
        try:
            progress[str(trial.number)] = read_run(trial.run or "").progress
        except RunError:  # somebody deleted it
            continue
    quantity = COMPARED[1]
    title = said(CURVES[quantity])
    figure = figures.training_curves(progress, quantity, title)
    alt = _("{quantity} of the best trials, epoch by epoch", quantity=title)
    widgets.chart(figure, "best trials", alt)


def _table(trials: Sequence[Trial]) -> None:
    widgets.table(
        [
            {
                Words("Trial"): trial.number,
                Words("State"): IN_WORDS[trial.state],
                Words("Best validation"): 100 * trial.accuracy if trial.accuracy else None,
                **{_name(field): value for field, value in trial.values.items()},
                Words("Run"): f"train?run={trial.run}" if trial.run else None,
            }
            for trial in trials
        ],
        {"Best validation": "{:.2f} %"},
        columns={"Run": st.column_config.LinkColumn(display_text=r"run=(.+)")},
    )
