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
from fmnist.ui import membership
from fmnist.ui.state import dataset, models, uploads
from fmnist.ui.widgets import plain
from fmnist.weights.card import WeightsError
from fmnist.weights.shelf import Weights
from fmnist.weights.strangers import formats
from fmnist.weights.strangers.formats import SUFFIXES
from fmnist.weights.strangers.graphs import GraphError

PERCENT = st.column_config.NumberColumn(format="%.2f %%")


def standing(ticket: Ticket, room: Room) -> None:
    """What was handed in; once the teacher reveals it, in the order of the test accuracies."""
    handed = contest.entries(ticket)
    own = next((entry for entry in handed if entry.person == ticket.person), None)
    if own:
        st.success(
            f"You handed in **{plain(own.title)}** at {_time(own)}. What you hand in last counts."
        )
    if not room.revealed:
        st.info(f"{len(handed)} handed in. The teacher reveals who is best in the end.")
    if handed:
        st.dataframe(
            [
                {
                    "Nickname": room.name(entry.person),
                    "Name": entry.title,
                    "What": entry.what,
                    "Validation": None if entry.validation is None else 100 * entry.validation,
                    "Handed in": _time(entry),
                }
                | ({} if entry.test is None else {"Test": 100 * entry.test})
                for entry in handed
            ],
            hide_index=True,
            column_config={"Validation": PERCENT, "Test": PERCENT},
        )


def _time(entry: Entry) -> str:
    return f"{datetime.fromtimestamp(entry.handed):%H:%M}"


def hand_in_run(ticket: Ticket, source: Source) -> None:
    """A select box over one's own finished runs on these data, and a button."""
    st.subheader("A run of yours")
    own = {
        run.id: run
        for run in runs.seen_by(ticket)
        if run.plan.person == ticket.person and run.plan.data == source and run.card
    }
    if not own:
        st.caption("You have no finished run yet. Start one on the Train page.")
        st.page_link("pages/train.py", label="Train", icon=":material/model_training:")
        return
    labels = runs.labels(list(own.values()))
    chosen = st.selectbox("Run", list(own), format_func=labels.__getitem__, key="handed run")
    st.button(
        "Hand in the run", type="primary", on_click=membership.doing(_hand_in, ticket, own[chosen])
    )


def _hand_in(ticket: Ticket, run: Run) -> None:
    if run.card and run.card.test and run.card.validation:
        contest.hand_in(
            ticket, run.label, "Run", run.card.validation.accuracy, run.card.test.accuracy
        )


def hand_in_file(ticket: Ticket, source: Source, device: torch.device) -> None:
    """An uploader of a model, or of predictions for the test images, and a button."""
    st.subheader("From anywhere")
    file = st.file_uploader(
        "A model, or predictions for the test images: .csv, .npz or .npy",
        [suffix.lstrip(".") for suffix in SUFFIXES],
        max_upload_size=formats.largest() // 2**20,
        key="handed file",
    )
    if not file:
        return
    weights = uploads.opened(file)
    if isinstance(weights, WeightsError):
        st.error(str(weights))
        return
    card = weights.card
    st.markdown(f"{plain(file.name)}: {plain(card.title)}.")
    if card.doubt:
        st.warning(card.doubt)
    title = st.text_input("Its name", card.name[:LONGEST], max_chars=LONGEST, key="handed title")
    if st.button("Hand in the file", type="primary"):
        try:
            test = _accuracy(weights, source, device)
        except GraphError as error:
            st.error(f"{plain(file.name)} {error}")
            return
        if membership.done(contest.hand_in, ticket, title, _capital(card.title), None, test):
            st.rerun()
        membership.told()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _accuracy(weights: Weights, source: Source, device: torch.device) -> float:
    """The share of the test images that a model names right, which is shown to nobody yet."""
    test = dataset.split("test", source)
    with st.spinner("Asking it about the test images; what it says is sealed …"):
        logits, _ = devices.or_cpu(
            lambda device: models.whole(inference.infer, weights.model, test.images, device),
            device,
            notify=st.toast,
        )
    return evaluation.accuracy(Evaluation(weights.card.name, logits, test.labels))
