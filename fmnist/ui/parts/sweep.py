"""The parts of the sweep page: what is to be tried, and what has come of it."""

import time
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

import streamlit as st
import torch

from fmnist.data.splits import Source
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.recipe import RANGES
from fmnist.runs.run import RunError, read_run
from fmnist.sweeps import driver
from fmnist.sweeps import sweep as sweeps
from fmnist.sweeps.space import WHOLE, Dimension
from fmnist.sweeps.sweep import PRUNERS, Sweep, Trial
from fmnist.ui import figures, widgets
from fmnist.ui.components import parallel
from fmnist.ui.components.parallel import Axis, Brushed, Line
from fmnist.ui.markdown import plain
from fmnist.ui.parts.train import COMPARED, CURVES, choose_architecture
from fmnist.ui.state import dataset, trouble
from fmnist.words import Words, _, number, said

LOOK_SECONDS = 3.0
BEST = 5
"""Trials whose curves are shown."""
MOST_IMAGES = 10_000
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
FIELDS_LEFT, FIELDS_RIGHT = tuple(FIELDS)[0::2], tuple(FIELDS)[1::2]
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
    model = choose_architecture("model to sweep")
    st.caption(
        _(
            "A range is written as 3..20 or, by its logarithm, as 1e-4..1e-2:log; a list as "
            "128,256 or adamw,muon. What is left empty stays as in the recipe."
        )
    )
    texts = dict[str, str]()
    for column, fields in zip(st.columns(2), (FIELDS_LEFT, FIELDS_RIGHT), strict=True):
        with column:
            for field in fields:
                label, proposed = FIELDS[field]
                texts[field] = st.text_input(
                    said(label), proposed, key=f"range of {field}", persist_state="session"
                )
    left, right = st.columns(2)
    with left:
        trials = st.number_input(_("Trials"), 1, 1000, 10, key="trials", persist_state="session")
    available = len(dataset.split("train", source))
    with right:
        images = st.number_input(
            _("Training images"),
            1,
            available,
            min(MOST_IMAGES, available),
            step=1000,
            key=f"swept images {available}",
            persist_state="session",
        )
    pruner = st.selectbox(
        _("Stopped early"),
        PRUNERS,
        format_func=lambda name: said(ENDS[name]),
        key="pruner",
        persist_state="session",
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
        driver.start(sweep)
    except (UserFacingError, OSError) as error:
        st.error(said(error))
    else:
        st.session_state["sweep"] = sweep.name


def show(name: str) -> None:
    """How far a sweep is and what has come of it; it follows the trials while they train.

    Streamlit sets a fragment's clock only when the whole page runs.
    """
    try:
        sweep = sweeps.read_sweep(name)
    except UserFacingError as error:
        st.error(plain(said(error)))
        return
    followed = sweep.carried_out
    st.fragment(_show, run_every=LOOK_SECONDS if followed else None)(sweep, followed)


def _show(sweep: Sweep, followed: bool) -> None:
    carried_out = sweep.carried_out
    if carried_out != followed:
        st.rerun()
    try:
        trials = sweep.tried()
    except UserFacingError as error:
        st.error(plain(said(error)))
        return
    ended = [trial for trial in trials if trial.state != "running"]
    st.progress(
        min(len(ended) / sweep.tries, 1.0),
        _(
            "{ended} of {trials} trials of {model}",
            ended=len(ended),
            trials=sweep.tries,
            model=MODELS[sweep.model].title,
        ),
    )
    _buttons(sweep, carried_out, len(ended) < sweep.tries)
    best = sweeps.best_of(trials)
    if best:
        _results(sweep, trials, best)
    elif trials:
        _table(trials)
    elif carried_out:
        st.caption(_("Getting ready …"))


def _buttons(sweep: Sweep, carried_out: bool, more: bool) -> None:
    if carried_out and sweep.stopping:
        st.caption(_("It stops after this trial."))
    elif carried_out:
        st.button(_("Stop after this trial"), on_click=sweeps.stop, args=(sweep,))
    elif more:
        if failure := sweep.failure:
            st.error(plain(said(failure)))
        st.button(_("Go on"), type="primary", on_click=trouble.doing(driver.start, sweep))
    trouble.told()


def _results(sweep: Sweep, trials: Sequence[Trial], best: Trial) -> None:
    """What has come of the trials that came to their end, and of those that a brush leaves."""
    complete = sorted(
        (trial for trial in trials if trial.accuracy is not None),
        key=lambda trial: -(trial.accuracy or 0.0),
    )
    key = f"trial of {sweep.name}"
    by_number = {trial.number: trial for trial in complete}
    chosen = by_number.get(st.session_state.get(key, best.number), best)
    axes = _axes(sweep, complete)
    best_place, chosen_place = st.columns(2, vertical_alignment="bottom")
    best_place.metric(_("Best validation"), number(best.accuracy, ".2%"))
    brushed = _coordinates(axes, complete, chosen, key)
    passing = [
        trial
        for trial, passes in zip(complete, parallel.passing(axes, brushed), strict=True)
        if passes
    ]
    with chosen_place:
        st.selectbox(
            _("Trial"),
            list(by_number),
            list(by_number).index(chosen.number),
            key=key,
            format_func=lambda number: _named(by_number[number]),
        )
        _open(chosen)
    _importance(sweep, len(complete))
    if brushed:
        st.markdown(
            _("{passing} of {all} trials pass.", passing=len(passing), all=len(complete)),
        )
    if passing:
        _curves(passing)
    others = [trial for trial in trials if trial.accuracy is None]
    _table([*passing] if brushed else [*others, *complete])


def _named(trial: Trial) -> str:
    return _("Trial {number}: {accuracy:.2%}", number=trial.number, accuracy=trial.accuracy)


def _name(field: str) -> str:
    """What the form calls a field of a recipe; the command line knows more of them."""
    return said(FIELDS[field][0]) if field in FIELDS else field


def _axes(sweep: Sweep, complete: Sequence[Trial]) -> list[Axis]:
    """An axis for each field that is tried out, and one for what came of it."""
    axes = []
    for field, listed, low, high, log in map(astuple, sweep.space):
        values = [trial.values[field] for trial in complete]
        form = "d" if field in WHOLE else ".2g"
        axes.append(Axis(_name(field), values, listed, low, high, log, form))
    accuracies = [trial.accuracy or 0.0 for trial in complete]
    ends = min(accuracies), max(accuracies)
    return [*axes, Axis(_("Validation accuracy"), accuracies, (), *ends, form=".1%")]


def _coordinates(
    axes: Sequence[Axis], complete: Sequence[Trial], chosen: Trial, key: str
) -> Brushed:
    *_rest, accuracy = axes
    lines = [
        Line(trial.number, _titled(axes, place, trial), shade)
        for place, (trial, shade) in enumerate(zip(complete, accuracy.places(), strict=True))
    ]
    numbers = [trial.number for trial in complete]

    def choose() -> None:
        number = parallel.taken(st.session_state[f"lines {key}"].get("chosen"), numbers)
        if number is not None:
            st.session_state[key] = number

    brushed = parallel.parallel(
        axes,
        lines,
        key=f"lines {key}",
        label=_("A line for each trial through its values; the table below has them"),
        chosen=chosen.number,
        on_choose=choose,
    )
    st.caption(
        _(
            "Drag along an axis, or one of its ends, to see only the trials that pass there. "
            "Click a line to choose its trial."
        )
    )
    return brushed


def _titled(axes: Sequence[Axis], place: int, trial: Trial) -> str:
    """What a trial tried and reached, in a line."""
    values = ", ".join(f"{axis.name} {axis.written(axis.values[place])}" for axis in axes[:-1])
    return f"{_named(trial)} · {values}"


def _open(trial: Trial) -> None:
    """A way to the run of a trial, where it is looked into, kept or gone on with."""
    if trial.run:
        st.page_link(
            "pages/train.py",
            label=_("Open the run of trial {number}", number=trial.number),
            icon=":material/open_in_new:",
            query_params={"run": trial.run},
        )


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


def _curves(best_first: Sequence[Trial]) -> None:
    progress = {}
    for trial in best_first[:BEST]:
        try:
            name = _("Trial {number}", number=trial.number)
            progress[name] = read_run(trial.run or "").progress
        except RunError:  # somebody deleted it
            continue
    if not progress:
        return
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
                Words("Run"): f"train?run={trial.run}" if trial.run else None,
                Words("State"): IN_WORDS[trial.state],
                Words("Best validation"): 100 * trial.accuracy if trial.accuracy else None,
                **{_name(field): value for field, value in trial.values.items()},
            }
            for trial in trials
        ],
        {"Best validation": "{:.2f} %"}
        | {_name(field): "{:.2g}" for field in RANGES if field not in WHOLE},
        columns={"Run": st.column_config.LinkColumn(display_text=_("Open"))},
    )
