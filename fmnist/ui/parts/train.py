"""The train page's two parts: a recipe to edit and a run to watch."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.classroom import runs
from fmnist.classroom.room import Ticket, note_presence
from fmnist.classroom.runs import LONGEST_TITLE, owner_name
from fmnist.data.splits import CLASSES
from fmnist.export import code
from fmnist.machine import devices
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.recipe import AUGMENTATIONS, OPTIMIZERS, PRECISIONS, RANGES, SCHEDULES, Recipe
from fmnist.runs import pace, queue
from fmnist.runs.pace import Work
from fmnist.runs.run import Plan, Run, RunError, all_runs, read_run
from fmnist.ui import figures, matrices, take_home, widgets
from fmnist.ui.components.matrix import matrix as show_matrix
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.state import dataset, models, uploads
from fmnist.ui.state.jobs import in_words
from fmnist.ui.state.pace import measured, turns
from fmnist.ui.widgets import plain
from fmnist.weights import shelf
from fmnist.weights.shelf import Weights

REFRESH_SECONDS = 1.0
LOOK_SECONDS = 3.0
LOG_CHARACTERS = 3000
LABELS = "the labels"
STRIP, FLIPS = 20, 60
CURVES = {"loss": "Loss", "validation_accuracy": "Validation accuracy", "lr": "Learning rate"}
COMPARED = {"loss": "Loss", "validation_accuracy": "Validation accuracy"}
WAYS_ON = (
    ("Try it on a drawing", "draw", "classify"),
    ("See its errors", "query_stats", "errors"),
)
WORDS = {
    "queued": "Waiting for another training on this device to end.",
    "running": "Training.",
    "stopping": "Stopping at the next point of its curves.",
    "stopped": "Stopped. It can go on from its last checkpoint.",
    "interrupted": "Its process is gone. It can go on from its last checkpoint.",
    "failed": "It failed.",
    "finished": "Finished.",
}


def edit_recipe(
    recipe: Recipe, limit: int, available: int, teachers: Sequence[str], key: str
) -> tuple[Recipe, int]:
    """Boxes over a recipe and the number of training images; returns both as edited."""

    def number(label: str, name: str, **options: Any) -> Any:
        value = getattr(recipe, name)
        low, high = (type(value)(bound) for bound in RANGES[name])
        return st.number_input(label, low, high, value, key=f"{name} {key}", **options)

    def choice(label: str, name: str, options: Sequence[str]) -> Any:
        place = options.index(getattr(recipe, name))
        return st.selectbox(label, options, place, key=f"{name} {key}")

    epochs = number("Epochs", "epochs")
    images = st.number_input(
        "Training images", 1, available, min(limit, available), step=1000, key=f"images {key}"
    )
    with st.expander("More of the recipe"):
        edited = replace(
            recipe,
            epochs=epochs,
            batch_size=number("Batch size", "batch_size"),
            lr=number("Peak learning rate", "lr", step=1e-4, format="%.5f"),
            weight_decay=number("Weight decay", "weight_decay", step=0.01),
            label_smoothing=number("Label smoothing", "label_smoothing", step=0.01),
            averaging=number(
                "Averaging of the weights",
                "averaging",
                step=0.001,
                format="%.4f",
                help="How much of the mean of the weights so far stays at each step, such as "
                "0.999. The mean is kept in place of the weights; at 0 there is none.",
            ),
            augment=tuple(
                st.multiselect(
                    "Augmentation", list(AUGMENTATIONS), recipe.augment, key=f"augment {key}"
                )
            ),
            everyday=number(
                "Everyday pictures for each image",
                "everyday",
                step=0.25,
                help="Garments as people draw and photograph them, made from the training images.",
            ),
            people=number(
                "Pictures by people for each image",
                "people",
                step=0.25,
                help="At most so many of those in the folder that FMNIST_PICTURES names.",
            ),
            teacher=_choose_teacher(recipe.teacher, teachers, key),
            optimizer=choice("Optimizer", "optimizer", OPTIMIZERS),
            schedule=choice("Schedule", "schedule", SCHEDULES),
            precision=choice("Precision", "precision", PRECISIONS),
            seed=number("Seed", "seed"),
        )
    return edited, images


def _choose_teacher(proposal: str | None, teachers: Sequence[str], key: str) -> str | None:
    chosen = st.selectbox(
        "Learn from",
        [LABELS, *teachers],
        1 + teachers.index(proposal) if proposal in teachers else 0,
        key=f"teacher {key}",
        help="The labels of the training images, or what other weights answer (distillation).",
    )
    return None if chosen == LABELS else chosen


def forecast(plan: Plan, images: int) -> None:
    """How long a plan on so many images is going to take here, before it is begun."""
    known = all_runs()
    speed = pace.seen(Work.of(plan), known)
    if speed is None and any(run.active for run in known):
        st.caption("How long it takes is measured when no training is running.")
        return
    if speed is None:
        speed = measured(Work.of(plan)).result("Measuring how fast this machine trains …")
    held_out = len(dataset.split("validation", plan.data))
    left = in_words(pace.seconds(plan, images, held_out, speed))
    st.caption(
        f"Trains for about **{left}** on this machine, at {speed:,.0f} images a second; to start "
        "and to measure the result take some seconds more."
    )


def name_run(ticket: Ticket | None) -> str:
    """A box for the name of the run that is to be started; in a classroom it has to have one."""
    return st.text_input(
        "Name of the run",
        max_chars=LONGEST_TITLE,
        key="run name",
        placeholder="my first net",
        help="Everybody in the room sees it, with your nickname."
        if ticket
        else "Without one it is called by the time of its start.",
    )


def choose_run(known: Sequence[Run]) -> str:
    """A select box over runs; the link always names the chosen one, as the newest changes."""
    labels = runs.labels(known)
    if "run" not in st.session_state and st.query_params.get("run") in labels:
        st.session_state["run"] = st.query_params["run"]
    chosen: str = st.selectbox("Run", list(labels), key="run", format_func=labels.__getitem__)
    st.query_params["run"] = chosen
    return chosen


def show_run(run: Run, ticket: Ticket | None) -> None:
    """A run's state, figures, curves and buttons, which follow it by themselves.

    The buttons that steer it are there for who may do so.

    Streamlit sets a fragment's clock only when the whole page runs. So where a run ends or is
    taken up again, from here or from anywhere, its view has the page run anew.
    """
    if run.active:
        st.fragment(_run, run_every=REFRESH_SECONDS)(run, ticket)
        return
    st.fragment(_run)(run, ticket)
    if run.state != "finished":  # which it is for good
        st.fragment(_rerun_if_changed, run_every=LOOK_SECONDS)(run)


def compare_chosen(known: Sequence[Run]) -> None:
    """A box to choose several runs, and their curves over one another."""
    labels = runs.labels(known)
    chosen = st.multiselect(
        "Compare the curves of",
        list(labels),
        key="compared",
        bind="query-params",
        format_func=labels.__getitem__,
    )
    if not chosen:
        return
    progress = {labels[run.id]: run.progress for run in known if run.id in chosen}
    for column, (quantity, title) in zip(st.columns(2), COMPARED.items(), strict=True):
        figure = figures.training_curves(progress, quantity, title)
        with column:
            widgets.chart(figure, f"compared {quantity}", f"{title} of the runs, epoch by epoch")


def list_runs(known: Sequence[Run]) -> None:
    """Every run with its state and what it takes on the disk, the queue among them."""
    labels = runs.labels(known)
    st.dataframe(
        [
            {
                "Run": labels[row["id"]],
                "State": row["state"],
                "Model": row["model"],
                "Epoch": f"{row['epoch']} of {row['epochs']}",
                "Best validation": 100 * row["validation_accuracy"]
                if row["validation_accuracy"]
                else None,
                "Size": row["bytes"] / 1e6,
            }
            for row in (run.summary() for run in known)
        ],
        hide_index=True,
        column_config={
            "Best validation": st.column_config.NumberColumn(format="%.2f %%"),
            "Size": st.column_config.NumberColumn(format="%.1f MB"),
        },
    )


def _rerun_if_changed(shown: Run) -> None:
    """What an idle view does from time to time; it draws nothing, so that nothing flickers."""
    if _read_again(shown).state != shown.state:
        st.rerun()


def _run(shown: Run, ticket: Ticket | None) -> None:
    queue.dispatch()
    if ticket:
        note_presence(ticket)
    run = _read_again(shown)
    if run.active != shown.active:
        st.rerun()  # the page as a whole changes: another clock, the list, a new model
    st.markdown(f"**{WORDS[run.state]}** {run.failure or ''}")
    owner = f"{plain(owner_name(run))}: " if run.plan.classroom else ""
    st.caption(f"{owner}{MODELS[run.plan.model].title}, begun from {plain(run.plan.origin)}.")
    if run.notice:
        st.warning(run.notice)
    if told := st.session_state.pop("told", None):
        st.error(plain(told))
    if kept := st.session_state.pop("kept", None):
        st.success(kept)
    if run.state == "finished":
        _ways_on(run)
    if run.progress:
        _figures(run)
    elif run.active:
        st.progress(0.0, _place(run) if run.state == "queued" else "Getting ready …")
    _buttons(run, ticket)
    if run.state == "failed":
        st.expander("Log").code(run.log()[-LOG_CHARACTERS:], language=None)
    predictions = run.predictions()
    if len(predictions):
        _answers(run, predictions)


def _read_again(shown: Run) -> Run:
    """The run as it is now; where it was deleted, the page lists what is left."""
    try:
        return read_run(shown.id)
    except RunError:
        st.rerun()


def _place(run: Run) -> str:
    """Where a run stands in the queue, and about when it begins."""
    turn = turns().get(run.id)
    if turn is None:  # it has come or gone a moment ago
        return "In the queue"
    when = "" if turn.seconds is None else f"; begins in about {in_words(turn.seconds)}"
    return f"Number {turn.place} of {turn.of} in the queue{when}"


def _figures(run: Run) -> None:
    last = run.progress[-1]
    st.progress(last["step"] / last["steps"], f"Epoch {last['epoch']} of {last['epochs']}")
    numbers = st.columns(4)
    numbers[0].metric("Loss", f"{last['loss']:.3f}")
    numbers[1].metric("Best validation", "-" if run.best is None else f"{run.best:.2%}")
    numbers[2].metric("Images a second", f"{last['images_per_second']:,.0f}")
    card = run.card and runs.seal(run.card)
    if card and card.test:
        numbers[3].metric("Test accuracy", f"{card.test.accuracy:.2%}")
    elif card and card.sealed:
        numbers[3].metric("Test accuracy", "sealed", help="Until the teacher reveals it.")
    else:
        numbers[3].metric("Time left", f"{last['eta_seconds']:,.0f} s")
    for column, (quantity, title) in zip(st.columns(3), CURVES.items(), strict=True):
        figure = figures.training_curves({run.id: run.progress}, quantity, title)
        with column:
            widgets.chart(figure, quantity, f"{title}, epoch by epoch")


def _answers(run: Run, predictions: NDArray[np.uint8]) -> None:
    """The same garments' answers epoch by epoch, and what each epoch taught and untaught."""
    validation = dataset.split("validation", run.plan.data)
    st.header("What it says of the validation garments")
    epoch = len(predictions)
    if not run.active and epoch > 1:
        epoch = st.slider("After epoch", 1, epoch, epoch, key=f"epoch {run.id}")
    said = predictions[epoch - 1]
    shown = np.arange(STRIP) * (len(said) // STRIP)
    right = said[shown] == validation.labels[shown]
    st.caption(f"✓ is named right, ✗ is named wrong: {right.sum()} of these {STRIP} are right.")
    garment_wall(
        validation.images[shown],
        [f"{CLASSES[validation.labels[row]]}, named {CLASSES[said[row]]}" for row in shown],
        captions=[CLASSES[said[row]] for row in shown],
        right=right.tolist(),
        key="strip",
        label=f"{STRIP} validation garments with the model's answer after epoch {epoch}",
        name=f"{run.id} {epoch}",
        tile=64,
    )
    if run.active:
        return
    matrix = evaluation.count_cells(validation.labels, said)
    show_matrix(matrices.confusion(matrix), key="by epoch", label=f"After epoch {epoch}")
    if epoch == 1:
        return
    changed = evaluation.flips(predictions[epoch - 2], said, validation.labels)
    for column, word, rows in zip(st.columns(2), ("Learned", "Forgotten"), changed, strict=True):
        with column:
            st.markdown(f"**{word} in epoch {epoch}: {len(rows)}**")
            if len(rows):
                rows = rows[:FLIPS]
                garment_wall(
                    validation.images[rows],
                    [f"{CLASSES[validation.labels[r]]}, named {CLASSES[said[r]]}" for r in rows],
                    key=word,
                    label=f"Garments {word.lower()} in epoch {epoch}",
                    name=f"{run.id} {epoch} {word}",
                    tile=40,
                )


def _buttons(run: Run, ticket: Ticket | None) -> None:
    if runs.may_steer(run, ticket):
        _steer(run, ticket)
    name = shelf.as_name(run.label)
    if run.state == "finished":
        take_home.model(lambda: _result(run), name, run.id)
    text = code.script(
        run.plan.model, run.plan.recipe, run.plan.limit, name, drawn=run.plan.data == "drawn"
    )
    take_home.script(text, name, run.id)


def _steer(run: Run, ticket: Ticket | None) -> None:
    def told(action: Callable[[str], object]) -> Callable[[], None]:
        return _told(runs.steer, action, run.id, ticket)

    with st.container(horizontal=True):
        if run.state in ("queued", "running"):
            st.button("Stop", on_click=told(queue.stop))
        if run.state in ("stopped", "interrupted", "failed"):
            st.button("Resume", type="primary", on_click=told(queue.resume))
        if not run.active:
            with st.popover("Delete"):
                st.caption("The run, its curves and its weights. What was kept stays.")
                st.button("Delete for good", on_click=told(queue.delete))
    if run.state == "finished":
        with (
            st.form("keep", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            name = st.text_input("Name", _proposal(run))
            if st.form_submit_button("Keep among the models"):
                _told(_keep, run, name, ticket)()
                st.rerun()


def _proposal(run: Run) -> str:
    """What its result may be called among the models."""
    return run.plan.name or run.plan.title or f"my-{run.plan.model}"


def _result(run: Run) -> Weights:
    """A finished run's model, with the card that everybody may see."""
    model, card = shelf.load(run.weights)
    return Weights(model, runs.seal(card))


def _ways_on(run: Run) -> None:
    """Where a finished run's model can be asked, with it chosen there."""
    with st.container(horizontal=True):
        for label, icon, page in WAYS_ON:
            if st.button(label, icon=f":material/{icon}:", type="primary"):
                st.switch_page(f"pages/{page}.py", query_params={"model": _chosen(run)})


def _chosen(run: Run) -> str:
    """The name under which the run's result can be asked: as kept, else in this session."""
    weights = shelf.load(run.weights)
    for name, card in models.choices().items():
        if card.sha256 == weights.card.sha256:
            return name
    name = shelf.as_name(_proposal(run))
    device = devices.choose(run.plan.device)
    return uploads.remember(weights, name, run.plan.data, device).card.name


def _keep(run: Run, name: str, ticket: Ticket | None) -> None:
    card = runs.keep(run.id, name, ticket)
    st.session_state["kept"] = f"It is among everybody's models as {plain(card.both_names)}."


def _told(action: Callable[..., object], *arguments: object) -> Callable[[], None]:
    """The action on its arguments, with what stands against it said in a sentence."""

    def act() -> None:
        try:
            action(*arguments)
        except (UserFacingError, OSError) as error:
            st.session_state["told"] = str(error)

    return act
