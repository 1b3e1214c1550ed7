"""The parts of the sketches page: all of them, one of them large, a model's answers to them."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.classroom import sketches
from fmnist.classroom.room import Room, Ticket
from fmnist.classroom.sketches import Sketch
from fmnist.data.splits import CLASSES
from fmnist.pictures.encode import data_url
from fmnist.ui import garments, matrices, membership
from fmnist.ui.components.matrix import matrix as show_matrix
from fmnist.ui.state import models
from fmnist.ui.widgets import plain
from fmnist.weights.card import Card

EDGE = 224  # pixels, eight for each
FEW = 60  # sketches, for which a wall needs no height of its own


def pooled(given: Sequence[Sketch], room: Room) -> Sketch:
    """All sketches, to choose one and to download; returns the chosen one, at first the latest."""
    table = [
        {
            "Sketch": sketch.id,
            "Drawn": CLASSES[sketch.drawn],
            "Answer": CLASSES[sketch.answer],
            "Model": sketch.model,
            "Round": sketch.round,
            "Nickname": room.name(sketch.person),
        }
        for sketch in given
    ]
    picked = garments.gallery(
        sketches.images(given),
        [f"{row['Drawn']}, named {row['Answer']}, by {row['Nickname']}" for row in table],
        table,
        key="sketches",
        name=f"{room.code} {given[0].id} {len(given)}",
        what="sketches, the latest first",
        filename=f"sketches-{room.code}",
        height="content" if len(given) <= FEW else 320,
        tile=48,
    )
    st.download_button(
        "Data set (.npz)",
        lambda: sketches.packed(given, room),
        f"sketches-{room.code}.npz",
        "application/octet-stream",
        on_click="ignore",
        icon=":material/download:",
        help="For NumPy: images, labels, answers, rounds, models, nicknames and classes.",
    )
    return given[picked or 0]


def large(ticket: Ticket, room: Room, sketch: Sketch) -> None:
    """One sketch large, and a button to delete it for who may."""
    drawn = CLASSES[sketch.drawn]
    st.header(drawn)
    st.image(data_url(sketch.pixels, EDGE), width=EDGE, alt=f"A sketch of {drawn}")
    st.caption(
        f"By {plain(room.name(sketch.person))}. {plain(sketch.model)} said "
        f"{CLASSES[sketch.answer]} ({sketch.probability:.0%})."
    )
    if ticket.teaches or sketch.person == ticket.person:
        st.button(
            "Delete it",
            icon=":material/delete:",
            key=f"delete {sketch.id}",
            on_click=membership.doing(sketches.delete, ticket, sketch.id),
        )


def confusion(given: Sequence[Sketch], card: Card, device: torch.device) -> None:
    """What a model says of all sketches, against what their owners say they are."""
    ids, labels = [sketch.id for sketch in given], sketches.labels(given)
    said = _said(card, ids, sketches.images(given), device)
    right = int((said == labels).sum())
    st.markdown(f"{plain(card.label)} names **{right} of {len(given)}** as who drew them does.")
    show_matrix(
        matrices.confusion(evaluation.count_cells(labels, said)),
        key="of sketches",
        label="What was drawn, down, and what the model says, across",
    )


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=models.ANSWERS)
def _said(
    card: Card, ids: Sequence[str], _images: NDArray[np.uint8], device: torch.device
) -> NDArray[np.uint8]:
    """What a model says of sketches, uint8 (N,); their ids tell them from others."""
    answer, _ = models.answer(card, _images, device, ["sketch"] * len(ids))
    said: NDArray[np.uint8] = answer.probabilities.argmax(1).astype(np.uint8)
    return said
