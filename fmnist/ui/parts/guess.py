"""The parts of the guess page: one garment to name after another, and then who named how many."""

from functools import partial

import numpy as np
import streamlit as st
import torch

from fmnist.analysis import evaluation
from fmnist.classroom import guesses
from fmnist.classroom.guesses import A_SET, PEOPLE
from fmnist.classroom.room import Ticket
from fmnist.data.splits import CLASSES, Source
from fmnist.machine.errors import UserFacingError
from fmnist.pictures.encode import data_url
from fmnist.ui import matrices
from fmnist.ui.components.matrix import matrix as show_matrix
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.state import dataset, models
from fmnist.ui.widgets import choice, plain
from fmnist.weights.card import Card

EDGE = 224  # pixels, eight for each


def ask(ticket: Ticket, source: Source) -> bool:
    """The next garment with ten buttons; whether there is one before the set is through."""
    test, place = dataset.split("test", source), len(guesses.guessed(ticket, source))
    through = place > 0 and place % A_SET == 0 and st.session_state.get("next set") != place
    if through or place >= guesses.most(test):
        return False
    row = guesses.order(ticket, len(test))[place]
    if told := st.session_state.pop("told of guess", None):
        st.error(told)
    st.progress(place % A_SET / A_SET, f"Garment {place % A_SET + 1} of {A_SET}")
    picture, names = st.columns([2, 3], gap="medium")
    picture.image(data_url(test.images[row], EDGE), width=EDGE, alt="The garment to name")
    with names, st.container(horizontal=True):
        for label, name in enumerate(CLASSES):
            st.button(
                name,
                key=f"guess {label}",
                shortcut=str(label),
                on_click=partial(_guess, ticket, source, place, label),
            )
    return True


def _guess(ticket: Ticket, source: Source, place: int, label: int) -> None:
    try:
        guesses.guess(ticket, source, place, label)
    except UserFacingError as error:
        st.session_state["told of guess"] = str(error)


def compare(ticket: Ticket, card: Card, source: Source, device: torch.device) -> None:
    """The last set beside a model's answers and the labels, and everybody beside the model."""
    test = dataset.split("test", source)
    said = np.array(guesses.guessed(ticket, source)[: len(test)], np.uint8)
    answers = models.evaluate(card, "test", source, device)
    rows = guesses.order(ticket, len(test))[: len(said)]
    last, labels = rows[-A_SET:], test.labels[rows]
    right = said == labels
    everybody = guesses.matrix(ticket, source, test, everybody=True)
    name = plain(card.label)
    numbers = st.columns(4)
    numbers[0].metric("You, of these", f"{right[-A_SET:].sum()} of {A_SET}")
    theirs = int((answers.predictions[last] == test.labels[last]).sum())
    numbers[1].metric(f"{name}, of these", f"{theirs} of {A_SET}")
    share = everybody.trace() / max(everybody.sum(), 1)
    numbers[2].metric("The room so far", f"{share:.1%}", help=f"{everybody.sum():,} answers.")
    numbers[3].metric(
        "People elsewhere",
        f"{PEOPLE:.1%}",
        help="What people named right of Fashion-MNIST's test images, by the dataset's board.",
    )
    if len(said) < guesses.most(test):
        st.button("Twenty more", type="primary", on_click=partial(_go_on, len(said)))

    st.header("Your twenty")
    mine, of_model = said[-A_SET:], answers.predictions[last]
    garment_wall(
        test.images[last],
        [
            f"{CLASSES[test.labels[row]]}; you said {CLASSES[you]}, the model {CLASSES[model]}"
            for row, you, model in zip(last, mine, of_model, strict=True)
        ],
        captions=[CLASSES[you] for you in mine],
        right=right[-A_SET:].tolist(),
        key="twenty",
        label="Your twenty garments with your answers",
        name=f"twenty {len(said)}",
        tile=72,
    )
    st.dataframe(
        [
            {
                "Right": CLASSES[test.labels[row]],
                "You": _marked(int(you), int(test.labels[row])),
                card.label: _marked(int(model), int(test.labels[row])),
            }
            for row, you, model in zip(last, mine, of_model, strict=True)
        ],
        hide_index=True,
    )

    people, machine = st.columns(2, gap="large")
    with people:
        st.header("People")
        answered = {
            "The room": everybody,
            "You": guesses.matrix(ticket, source, test, everybody=False),
        }
        whose = choice("Whose answers", list(answered), key="whose")
        counts = answered[whose]
        st.caption(f"{counts.trace():,} of {counts.sum():,} answers are right.")
        show_matrix(
            matrices.confusion(counts, "Row %"), key="of people", label=f"What is said by: {whose}"
        )
    with machine:
        counts = evaluation.confusion(answers)
        st.header(name)
        st.caption(
            f"{evaluation.accuracy(answers):.1%} of {len(test):,} test images are right; people "
            f"elsewhere named {PEOPLE:.1%} of Fashion-MNIST's right."
        )
        show_matrix(
            matrices.confusion(counts, "Row %"), key="of model", label="What the model says"
        )


def _go_on(count: int) -> None:
    st.session_state["next set"] = count


def _marked(said: int, label: int) -> str:
    return f"{'✓' if said == label else '✗'} {CLASSES[said]}"
