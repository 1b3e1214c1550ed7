"""The train page's two parts: a recipe to edit and a run to watch."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.classroom import runs
from fmnist.classroom.room import Ticket, note_presence
from fmnist.classroom.runs import LONGEST_TITLE, owner_name
from fmnist.data.fashion import DataError
from fmnist.data.splits import CLASSES
from fmnist.export import code
from fmnist.machine import devices
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.models.recipe import AUGMENTATIONS, OPTIMIZERS, PRECISIONS, RANGES, SCHEDULES, Recipe
from fmnist.runs import launchers, pace, queue
from fmnist.runs.pace import Work
from fmnist.runs.run import IN_WORDS, Plan, Run, RunError, all_runs, read_run
from fmnist.ui import figures, links, matrices, take_home, widgets
from fmnist.ui.components.matrix import matrix as show_matrix
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.markdown import plain
from fmnist.ui.parts.watch import watch
from fmnist.ui.state import dataset, models, trouble, uploads
from fmnist.ui.state.jobs import in_words
from fmnist.ui.state.pace import kept, measured, turns
from fmnist.weights import shelf
from fmnist.weights.shelf import Weights
from fmnist.words import Words, _, number, said

REFRESH_SECONDS = 1.0
LOOK_SECONDS = 3.0
LOG_CHARACTERS = 3000
LABELS = Words("the labels")
STRIP, FLIPS = 20, 60
MOST_ASKED = 10_000
"""Training images where a link doesn't say how many."""
CURVES = {
    "loss": Words("Loss"),
    "validation_accuracy": Words("Validation accuracy"),
    "lr": Words("Learning rate"),
}
COMPARED = ("loss", "validation_accuracy")
WAYS_ON = (
    (Words("Try it on a drawing"), "draw", "classify"),
    (Words("See its errors"), "query_stats", "errors"),
)
STATES = {
    "queued": Words("Waiting for another training on this device to end."),
    "running": Words("Training."),
    "stopping": Words("Stopping at the next point of its curves."),
    "stopped": Words("Stopped. It can go on from its last checkpoint."),
    "interrupted": Words("Its process is gone. It can go on from its last checkpoint."),
    "failed": Words("It failed."),
    "finished": Words("Finished."),
}


def asked_for() -> tuple[str, Recipe, int] | None:
    """The architecture, recipe and number of images that a link proposes; None where it doesn't.

    Such as ?learn=fcnn&epochs=30&images=500: what isn't said is as in the shipped recipe.
    """
    model = st.query_params.get("learn")
    if model is None:
        return None
    try:
        recipe = replace(MODELS[model].recipe, teacher=None)
        for name in RANGES.keys() & set(st.query_params):
            number = type(getattr(recipe, name))(st.query_params[name])
            recipe = replace(recipe, **{name: number})
        if "augment" in st.query_params:
            names = filter(None, st.query_params["augment"].split(","))
            recipe = replace(recipe, augment=tuple(names))
        return model, recipe, max(1, int(st.query_params.get("images", MOST_ASKED)))
    except (KeyError, ValueError, UserFacingError):
        links.say_unknown(_("a recipe"), model)
        return None


def choose_architecture(key: str) -> str:
    """A select box over the architectures, whose choice stays while other pages are looked at."""
    chosen: str = st.selectbox(
        _("Model"),
        MODELS,
        format_func=lambda name: said(MODELS[name].title),
        key=key,
        persist_state="session",
    )
    return chosen


def edit_recipe(
    recipe: Recipe, limit: int, available: int, teachers: Sequence[str], key: str
) -> tuple[Recipe, int]:
    """Boxes over a recipe and the number of training images; returns both as edited.

    What is edited stays while other pages are looked at.
    """

    def value(label: str, name: str, **options: Any) -> Any:
        proposed = getattr(recipe, name)
        low, high = (type(proposed)(bound) for bound in RANGES[name])
        return st.number_input(
            label, low, high, proposed, key=f"{name} {key}", persist_state="session", **options
        )

    def choice(label: str, name: str, options: Sequence[str]) -> Any:
        place = options.index(getattr(recipe, name))
        return st.selectbox(label, options, place, key=f"{name} {key}", persist_state="session")

    left, right = st.columns(2)
    with left:
        epochs = value(_("Epochs"), "epochs")
    with right:
        images = st.number_input(
            _("Training images"),
            1,
            available,
            min(limit, available),
            step=1000,
            key=f"images {key} of {available}",
            persist_state="session",
        )
    with st.expander(_("More of the recipe")):
        edited = replace(
            recipe,
            epochs=epochs,
            batch_size=value(_("Batch size"), "batch_size"),
            lr=value(_("Peak learning rate"), "lr", step=1e-4, format="%.5f"),
            weight_decay=value(_("Weight decay"), "weight_decay", step=0.01),
            label_smoothing=value(_("Label smoothing"), "label_smoothing", step=0.01),
            averaging=value(
                _("Averaging of the weights"),
                "averaging",
                step=0.001,
                format="%.4f",
                help=_(
                    "How much of the mean of the weights so far stays at each step, such as "
                    "0.999. The mean is kept in place of the weights; at 0 there is none."
                ),
            ),
            augment=tuple(
                st.multiselect(
                    _("Augmentation"),
                    list(AUGMENTATIONS),
                    recipe.augment,
                    key=f"augment {key}",
                    persist_state="session",
                )
            ),
            mixing=value(
                _("Mixing"),
                "mixing",
                step=0.1,
                help=_(
                    "This share of the images get a rectangle of another one, and as much of its "
                    "label (CutMix), as in long trainings; at 0 there is none."
                ),
            ),
            adversarial=value(
                _("Adversarial: how far pixels move"),
                "adversarial",
                step=0.01,
                help=_(
                    "Each image is moved against the model before it learns it, no pixel by more "
                    "than this share of black to white. The model gets harder to fool and a "
                    "little less accurate; at 0 it learns the images as they are."
                ),
            ),
            everyday=value(
                _("Everyday pictures for each image"),
                "everyday",
                step=0.25,
                help=_(
                    "Garments as people draw and photograph them, made from the training images."
                ),
            ),
            people=value(
                _("Pictures by people for each image"),
                "people",
                step=0.25,
                help=_("At most so many of those in the folder that FMNIST_PICTURES names."),
            ),
            teacher=_choose_teacher(recipe.teacher, teachers, key),
            optimizer=choice(_("Optimizer"), "optimizer", OPTIMIZERS),
            schedule=choice(_("Schedule"), "schedule", SCHEDULES),
            precision=choice(_("Precision"), "precision", PRECISIONS),
            seed=value(_("Seed"), "seed"),
        )
    return edited, images


def _choose_teacher(proposal: str | None, teachers: Sequence[str], key: str) -> str | None:
    chosen = st.selectbox(
        _("Learn from"),
        [LABELS, *teachers],
        1 + teachers.index(proposal) if proposal in teachers else 0,
        format_func=said,
        key=f"teacher {key}",
        persist_state="session",
        help=_("The labels of the training images, or what other weights answer (distillation)."),
    )
    return None if chosen == LABELS else chosen


def forecast(plan: Plan, images: int) -> None:
    """How long a plan on so many images is going to take here, before it is begun."""
    known = all_runs()
    speed = pace.seen(Work.of(plan), known) or kept(Work.of(plan))
    if speed is None and any(run.active for run in known):
        st.caption(_("How long it takes is measured when no training is running."))
        return
    if speed is None:
        speed = measured(Work.of(plan)).result(_("Measuring how fast this machine trains …"))
    held_out = len(dataset.split("validation", plan.data))
    left = in_words(pace.seconds(plan, images, held_out, speed))
    st.caption(
        _(
            "Trains for about **{time}** on this machine, at {speed:,.0f} images a second; to "
            "start and to measure the result take some seconds more.",
            time=left,
            speed=speed,
        )
    )


def name_run(ticket: Ticket | None) -> str:
    """A box for the name of the run that is to be started; in a classroom it has to have one."""
    return st.text_input(
        _("Name of the run"),
        max_chars=LONGEST_TITLE,
        key="run name",
        persist_state="session",
        placeholder=_("my first net"),
        help=_("Everybody in the room sees it, with your nickname.")
        if ticket
        else _("Without one it is called by the time of its start."),
    )


def known_runs(ticket: Ticket | None) -> dict[str, Run]:
    """The runs that somebody sees here, and the one of the link where it is everybody's, by id."""
    known = {run.id: run for run in runs.seen_by(ticket)}
    with suppress(RunError):
        asked = read_run(st.query_params.get("run", ""))
        if runs.is_everybodys(asked):
            known.setdefault(asked.id, asked)
    return known


def choose_run(known: Sequence[Run]) -> str:
    """A select box over runs; the link always names the chosen one, as the newest changes."""
    labels = runs.labels(known)
    asked, shown = st.query_params.get("run"), st.session_state.get("run shown")
    if asked in labels and ("run" not in st.session_state or asked != shown):
        st.session_state["run"] = asked  # by a link, or by a step back
    elif asked and asked not in labels and asked != shown:
        links.say_unknown(_("run"), asked)
    chosen: str = st.selectbox(_("Run"), list(labels), key="run", format_func=labels.__getitem__)
    st.query_params["run"] = st.session_state["run shown"] = chosen
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
    chosen = widgets.several(
        _("Compare the curves of"), list(labels), key="compared", shown=labels.__getitem__
    )
    if not chosen:
        return
    progress = {labels[run.id]: run.progress for run in known if run.id in chosen}
    for column, quantity in zip(st.columns(2), COMPARED, strict=True):
        title = said(CURVES[quantity])
        figure = figures.training_curves(progress, quantity, title)
        alt = _("{quantity} of the runs, epoch by epoch", quantity=title)
        with column:
            widgets.chart(figure, f"compared {quantity}", alt)


def list_runs(known: Sequence[Run]) -> None:
    """Every run with its state and what it takes on the disk, the queue among them."""
    labels = runs.labels(known)
    widgets.table(
        [
            {
                Words("Run"): labels[row["id"]],
                Words("State"): IN_WORDS[row["state"]],
                Words("Where"): row["where"],
                Words("Model"): row["model"],
                Words("Epoch"): Words(
                    "{epoch} of {epochs}", epoch=row["epoch"], epochs=row["epochs"]
                ),
                Words("Best validation"): 100 * row["validation_accuracy"]
                if row["validation_accuracy"]
                else None,
                Words("Size"): row["bytes"] / 1e6,
            }
            for row in (run.summary() for run in known)
        ],
        {"Best validation": "{:.2f} %", "Size": "{:.1f} MB"},
    )


def _rerun_if_changed(shown: Run) -> None:
    """What an idle view does from time to time; it draws nothing, so that nothing flickers."""
    if _read_again(shown).state != shown.state:
        st.rerun()


def dispatch() -> None:
    """Start the runs whose turn it is; what stands against that is said."""
    if refusal := queue.dispatch():
        st.warning(plain(said(refusal)))


def _run(shown: Run, ticket: Ticket | None) -> None:
    queue.dispatch()
    if ticket:
        note_presence(ticket)
    run = _read_again(shown)
    if run.active != shown.active:
        st.rerun()  # the page as a whole changes: another clock, the list, a new model
    st.markdown(f"**{said(STATES[run.state])}** {said(run.failure or '')}")
    begun = Words(
        "{model}, begun from {origin}.",
        model=run.plan.spec.title,
        origin=plain(said(run.plan.origin)),
    )
    owner = f"{plain(said(owner_name(run)))}: " if run.plan.classroom else ""
    st.caption(owner + said(begun))
    if run.job and run.where:
        st.caption(plain(said(run.where)))
    if run.notice:
        st.warning(said(run.notice))
    trouble.told()
    if kept := st.session_state.pop("told of kept run", None):
        st.success(said(kept))
    if run.state == "finished":
        _ways_on(run)
    if run.progress:
        _figures(run)
    elif run.active:
        st.progress(0.0, _place(run) if run.state == "queued" else _("Getting ready …"))
    _buttons(run, ticket)
    if run.state == "failed":
        st.expander(_("Log")).code(run.log()[-LOG_CHARACTERS:], language=None)
    try:
        dataset.split("validation", run.plan.data)
    except DataError as error:  # of a run on the real one, which isn't here
        st.info(plain(said(error)))
        return
    if run.state == "finished":
        watch(run)
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
    if run.job:  # it is the cluster that says when
        return _("In the queue: {where}", where=said(run.where))
    turn = turns().get(run.id)
    if turn is None:  # it has come or gone a moment ago
        return _("In the queue")
    place = Words("Number {place} of {of} in the queue", place=turn.place, of=turn.of)
    if turn.seconds is None or launchers.on_cluster():
        return said(place)
    return _("{place}; begins in about {left}", place=place, left=in_words(turn.seconds))


def _figures(run: Run) -> None:
    last = run.progress[-1]
    st.progress(
        last["step"] / last["steps"],
        _("Epoch {epoch} of {epochs}", epoch=last["epoch"], epochs=last["epochs"]),
    )
    numbers = st.columns(4)
    numbers[0].metric(_("Loss"), number(last["loss"], ".3f"))
    best = "-" if run.best is None else number(run.best, ".2%")
    numbers[1].metric(_("Best validation"), best)
    numbers[2].metric(_("Images a second"), number(last["images_per_second"], ",.0f"))
    card = run.card and runs.seal(run.card)
    if card and card.test:
        numbers[3].metric(_("Test accuracy"), number(card.test.accuracy, ".2%"))
    elif card and card.sealed:
        help = _("Until the teacher reveals it.")
        numbers[3].metric(_("Test accuracy"), _("sealed"), help=help)
    else:
        left = _("{seconds:,.0f} s", seconds=last["eta_seconds"])
        numbers[3].metric(_("Time left"), left)
    for column, (quantity, words) in zip(st.columns(3), CURVES.items(), strict=True):
        title = said(words)
        figure = figures.training_curves({run.id: run.progress}, quantity, title)
        with column:
            widgets.chart(figure, quantity, _("{quantity}, epoch by epoch", quantity=title))


def _answers(run: Run, predictions: NDArray[np.uint8]) -> None:
    """The same garments' answers epoch by epoch, and what each epoch taught and untaught."""
    validation = dataset.split("validation", run.plan.data)
    st.header(_("What it says of the validation garments"))
    epoch = len(predictions)
    if not run.active and epoch > 1:
        epoch = st.slider(_("After epoch"), 1, epoch, epoch, key=f"epoch {run.id}")
    answers = predictions[epoch - 1]
    shown = np.arange(STRIP) * (len(answers) // STRIP)
    right = answers[shown] == validation.labels[shown]
    st.caption(
        _(
            "✓ is named right, ✗ is named wrong: {right} of these {all} are right.",
            right=right.sum(),
            all=STRIP,
        )
    )
    garment_wall(
        validation.images[shown],
        _both(validation.labels[shown], answers[shown]),
        captions=[said(CLASSES[answers[row]]) for row in shown],
        right=right.tolist(),
        key="strip",
        label=_(
            "{garments} validation garments with the model's answer after epoch {epoch}",
            garments=STRIP,
            epoch=epoch,
        ),
        name=f"{run.id} {epoch}",
        tile=64,
    )
    if run.active:
        return
    matrix = evaluation.count_cells(validation.labels, answers)
    label = _("After epoch {epoch}", epoch=epoch)
    show_matrix(matrices.confusion(matrix), key="by epoch", label=label)
    if epoch == 1:
        return
    learned, forgotten = evaluation.flips(predictions[epoch - 2], answers, validation.labels)
    heads = (
        _("Learned in epoch {epoch}: {count}", epoch=epoch, count=len(learned)),
        _("Forgotten in epoch {epoch}: {count}", epoch=epoch, count=len(forgotten)),
    )
    labels = (
        _("Garments learned in epoch {epoch}", epoch=epoch),
        _("Garments forgotten in epoch {epoch}", epoch=epoch),
    )
    for column, key, head, label, rows in zip(
        st.columns(2), ("Learned", "Forgotten"), heads, labels, (learned, forgotten), strict=True
    ):
        with column:
            st.markdown(f"**{head}**")
            if len(rows):
                rows = rows[:FLIPS]
                garment_wall(
                    validation.images[rows],
                    _both(validation.labels[rows], answers[rows]),
                    key=key,
                    label=label,
                    name=f"{run.id} {epoch} {key}",
                    tile=40,
                )


def _both(labels: NDArray[np.uint8], answers: NDArray[np.uint8]) -> list[str]:
    """Of each garment what it is and what it is named."""
    return [
        _("{label}, named {answer}", label=CLASSES[label], answer=CLASSES[answer])
        for label, answer in zip(labels, answers, strict=True)
    ]


def _buttons(run: Run, ticket: Ticket | None) -> None:
    if runs.may_steer(run, ticket):
        _steer(run, ticket)
    name = shelf.as_name(run.label)
    if run.state == "finished":
        take_home.model(lambda: _result(run), name, run.id)
    if run.plan.layers is None:
        plan, drawn = run.plan, run.plan.data == "drawn"
        asked = plan.model, plan.recipe, plan.limit
        repeats = plan.repeats.name if plan.repeats else None
        text = code.script(*asked, name, drawn=drawn, repeats=repeats)
        take_home.script(text, name, run.id)


def _steer(run: Run, ticket: Ticket | None) -> None:
    def told(action: Callable[[str], object]) -> Callable[[], None]:
        return trouble.doing(runs.steer, action, run.id, ticket)

    with st.container(horizontal=True):
        if run.state in ("queued", "running"):
            st.button(_("Stop"), on_click=told(queue.stop))
        if run.state in ("stopped", "interrupted", "failed"):
            st.button(_("Resume"), type="primary", on_click=told(queue.resume))
        if not run.active:
            with st.popover(_("Delete")):
                st.caption(_("The run, its curves and its weights. What was kept stays."))
                st.button(_("Delete for good"), on_click=told(queue.delete))
    if run.state == "finished":
        with (
            st.form("keep", border=False),
            st.container(horizontal=True, vertical_alignment="bottom"),
        ):
            name = st.text_input(_("Name"), _proposal(run))
            if st.form_submit_button(_("Keep among the models")):
                trouble.doing(_keep, run, name, ticket)()
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
            if st.button(said(label), icon=f":material/{icon}:", type="primary"):
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
    st.session_state["told of kept run"] = Words(
        "It is among everybody's models as {name}.", name=plain(card.both_names)
    )
