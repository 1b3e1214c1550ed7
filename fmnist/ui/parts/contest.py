"""The parts of the contest page: what was handed in, and the two ways to do so."""

from datetime import datetime

import streamlit as st
import torch

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.classroom import contest, runs
from fmnist.classroom.contest import LONGEST, Entry
from fmnist.classroom.room import Room, Ticket
from fmnist.data.splits import Source
from fmnist.machine import devices
from fmnist.models import inference
from fmnist.runs.run import Run
from fmnist.ui import widgets
from fmnist.ui.markdown import plain
from fmnist.ui.parts.room import FOLLOWED, as_now
from fmnist.ui.state import dataset, models, trouble, uploads
from fmnist.weights.card import WeightsError
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers import formats
from fmnist.weights.strangers.formats import SUFFIXES
from fmnist.weights.strangers.graphs import GraphError
from fmnist.words import Words, _, said

PERCENT = "{:.2f} %"
DOUBTED = Words(
    "These predictions may stand in another order: their rows than the published test images, as "
    "a loader that shuffles gives them, or their classes than those of Fashion-MNIST. How many "
    "are right is sealed."
)
"""What is said of predictions in the place of their card's doubt, which has it from the test."""


def standing(ticket: Ticket, room: Room) -> None:
    """What was handed in by now; once the teacher reveals it, for good, the best on test first."""
    clock = None if room.revealed else FOLLOWED
    st.fragment(_standing, run_every=clock)(ticket, room.revealed)


def _standing(ticket: Ticket, revealed: bool) -> None:
    room = as_now(ticket)
    if room.revealed != revealed:  # so that nothing is offered to be handed in any more
        st.rerun()
    handed = contest.entries(ticket)
    own = next((entry for entry in handed if entry.person == ticket.person), None)
    if own:
        st.success(
            _(
                "You handed in **{title}** at {time}. What you hand in last counts.",
                title=plain(own.title),
                time=_time(own),
            )
        )
    if room.revealed:
        st.info(_("The contest is over: the test accuracies are revealed."))
    else:
        st.info(
            _(
                "{count} handed in. The teacher reveals who is best in the end.",
                count=len(handed),
            )
        )
    if handed:
        widgets.table(
            [
                {
                    Words("Nickname"): room.name(entry.person),
                    Words("Name"): entry.title,
                    Words("What"): _capital(said(entry.what)),
                    Words("Validation"): None
                    if entry.validation is None
                    else 100 * entry.validation,
                    Words("Handed in"): _time(entry),
                }
                | ({} if entry.test is None else {Words("Test"): 100 * entry.test})
                for entry in handed
            ],
            {"Validation": PERCENT, "Test": PERCENT},
        )


def _time(entry: Entry) -> str:
    return f"{datetime.fromtimestamp(entry.handed):%H:%M}"


def hand_in_run(ticket: Ticket, source: Source) -> None:
    """A select box over one's own finished runs on these data, and a button."""
    st.subheader(_("A run of yours"))
    own = {
        run.id: run
        for run in runs.seen_by(ticket)
        if run.plan.person == ticket.person and run.plan.data == source and run.card
    }
    if not own:
        st.caption(_("You have no finished run yet. Start one on the Train page."))
        st.page_link("pages/train.py", label=_("Train"), icon=":material/model_training:")
        return
    labels = runs.labels(list(own.values()))
    chosen = st.selectbox(_("Run"), list(own), format_func=labels.__getitem__, key="handed run")
    act = trouble.doing(_hand_in, ticket, own[chosen])
    st.button(_("Hand in the run"), type="primary", on_click=act)


def _hand_in(ticket: Ticket, run: Run) -> None:
    if run.card and run.card.test and run.card.validation:
        validation, test = run.card.validation.accuracy, run.card.test.accuracy
        contest.hand_in(ticket, run.label, Words("Run"), validation, test)


def hand_in_file(ticket: Ticket, source: Source, device: torch.device) -> None:
    """An uploader of a model, or of predictions for the test images, and a button."""
    st.subheader(_("From anywhere"))
    file = st.file_uploader(
        _("A model, or predictions for the test images: .csv, .npz or .npy"),
        [suffix.lstrip(".") for suffix in SUFFIXES],
        max_upload_size=formats.largest() // 2**20,
        key="handed file",
    )
    if not file:
        return
    weights = uploads.opened(file)
    if isinstance(weights, WeightsError):
        st.error(said(weights))
        return
    card = weights.card
    st.markdown(f"{plain(file.name)}: {plain(said(card.title))}.")
    if card.doubt:
        st.warning(said(card.doubt if card.any_picture else DOUBTED))
    key = f"handed title {file.file_id}"
    title = st.text_input(_("Its name"), card.name[:LONGEST], max_chars=LONGEST, key=key)
    if st.button(_("Hand in the file"), type="primary"):
        try:
            test = _accuracy(weights, source, device)
        except GraphError as error:
            st.error(_("{file} {failure}", file=plain(file.name), failure=error))
            return
        if trouble.done(contest.hand_in, ticket, title, Words(card.title), None, test):
            st.rerun()
        trouble.told()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _accuracy(weights: Weights, source: Source, device: torch.device) -> float:
    """The share of the test images that a model names right, which is shown to nobody yet."""
    test = dataset.split("test", source)
    with st.spinner(_("Asking it about the test images; what it says is sealed …")):
        logits = devices.or_cpu(
            lambda device: models.whole(inference.infer, weights.model, test.images, device),
            device,
            notify=lambda notice: st.toast(said(notice)),
        )[0]
    return evaluation.accuracy(Evaluation(weights.card.name, logits, test.labels))
