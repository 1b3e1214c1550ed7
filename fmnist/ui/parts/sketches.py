"""The parts of the sketches page: all of them, one of them large, a model's answers to them."""

from collections.abc import Sequence
from typing import Any

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
from fmnist.ui import garments, matrices
from fmnist.ui.components.matrix import matrix as show_matrix
from fmnist.ui.markdown import plain
from fmnist.ui.state import models, trouble
from fmnist.weights.card import Card
from fmnist.words import Words, _, said

EDGE = 224  # pixels, eight for each
FEW = 60  # sketches, for which a wall needs no height of its own


def pooled(given: Sequence[Sketch], room: Room) -> Sketch:
    """All sketches, to choose one and to download; returns the chosen one, at first the latest."""
    table: list[dict[str, Any]] = [
        {
            Words("Sketch"): sketch.id,
            Words("Drawn"): CLASSES[sketch.drawn],
            Words("Answer"): CLASSES[sketch.answer],
            Words("Model"): sketch.model,
            Words("Round"): sketch.round,
            Words("Nickname"): room.name(sketch.person),
        }
        for sketch in given
    ]
    picked = garments.gallery(
        sketches.images(given),
        [
            _(
                "{drawn}, named {answer}, by {name}",
                drawn=row["Drawn"],
                answer=row["Answer"],
                name=row["Nickname"],
            )
            for row in table
        ],
        table,
        key="sketches",
        name=f"{room.code} {given[0].id} {len(given)}",
        what=_("sketches, the latest first"),
        filename=f"sketches-{room.code}",
        height="content" if len(given) <= FEW else 320,
        tile=48,
    )
    st.download_button(
        _("Data set (.npz)"),
        lambda: sketches.packed(given, room),
        f"sketches-{room.code}.npz",
        "application/octet-stream",
        on_click="ignore",
        icon=":material/download:",
        help=_("For NumPy: images, labels, answers, rounds, models, nicknames and classes."),
    )
    return given[picked or 0]


def large(ticket: Ticket, room: Room, sketch: Sketch) -> None:
    """One sketch large, and a button to delete it for who may."""
    drawn = CLASSES[sketch.drawn]
    st.header(said(drawn))
    alt = _("A sketch of {drawn}", drawn=drawn)
    st.image(data_url(sketch.pixels, EDGE), width=EDGE, alt=alt)
    st.caption(
        _(
            "By {name}. {model} said {answer} ({probability:.0%}).",
            name=plain(said(room.name(sketch.person))),
            model=plain(sketch.model),
            answer=CLASSES[sketch.answer],
            probability=sketch.probability,
        )
    )
    if ticket.teaches or sketch.person == ticket.person:
        st.button(
            _("Delete it"),
            icon=":material/delete:",
            key=f"delete {sketch.id}",
            on_click=trouble.doing(sketches.delete, ticket, sketch.id),
        )


def confusion(given: Sequence[Sketch], card: Card, device: torch.device) -> None:
    """What a model says of all sketches, against what their owners say they are."""
    ids, labels = [sketch.id for sketch in given], sketches.labels(given)
    answers = _said(card, ids, sketches.images(given), device)
    st.markdown(
        _(
            "{model} names **{right} of {all}** as who drew them does.",
            model=plain(card.label),
            right=int((answers == labels).sum()),
            all=len(given),
        )
    )
    show_matrix(
        matrices.confusion(evaluation.count_cells(labels, answers)),
        key="of sketches",
        label=_("What was drawn, down, and what the model says, across"),
    )


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=models.ANSWERS)
def _said(
    card: Card, ids: Sequence[str], _images: NDArray[np.uint8], device: torch.device
) -> NDArray[np.uint8]:
    """What a model says of sketches, uint8 (N,); their ids tell them from others."""
    probabilities = models.answer(card, _images, device, ["sketch"] * len(ids))[0].probabilities
    answers: NDArray[np.uint8] = probabilities.argmax(1).astype(np.uint8)
    return answers
