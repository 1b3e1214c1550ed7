"""The parts of the guess page: one garment to name after another, and then who named how many."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.classroom import guesses
from fmnist.classroom.guesses import A_SET, PEOPLE
from fmnist.classroom.room import Ticket
from fmnist.data.splits import CLASSES, Source, Split
from fmnist.pictures.encode import data_url
from fmnist.ui import matrices, widgets
from fmnist.ui.components.matrix import matrix as show_matrix
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.markdown import plain
from fmnist.ui.state import dataset, models, trouble
from fmnist.ui.widgets import choice
from fmnist.weights.card import Card
from fmnist.words import Words, _, number, said

EDGE = 224  # pixels, eight for each


def ask(ticket: Ticket, source: Source) -> bool:
    """The next garment with ten buttons; whether there is one before the set is through."""
    test, place = dataset.split("test", source), len(guesses.guessed(ticket, source))
    through = place > 0 and place % A_SET == 0 and st.session_state.get("next set") != place
    if through or place >= guesses.most(test):
        return False
    row = guesses.order(ticket, len(test))[place]
    st.progress(
        place % A_SET / A_SET,
        _("Garment {number} of {all}", number=place % A_SET + 1, all=A_SET),
    )
    picture, names = st.columns([2, 3], gap="medium")
    picture.image(data_url(test.images[row], EDGE), width=EDGE, alt=_("The garment to name"))
    with names, st.container(horizontal=True):
        for label, name in enumerate(CLASSES):
            st.button(
                said(name),
                key=f"guess {label}",
                shortcut=str(label),
                on_click=trouble.doing(guesses.guess, ticket, source, place, label),
            )
    return True


def shows_the_room(ticket: Ticket) -> bool:
    """Whether the teacher, who need not guess, wants to see what the others said."""
    return ticket.teaches and st.toggle(_("Show what the room says"), key="shows the room")


def compare(ticket: Ticket, card: Card, source: Source, device: torch.device) -> None:
    """The last set beside a model's answers and the labels, and everybody beside the model."""
    test = dataset.split("test", source)
    named = np.array(guesses.guessed(ticket, source)[: len(test)], np.uint8)
    answers = models.evaluate(card, "test", source, device)
    everybody = guesses.matrix(ticket, source, test, everybody=True)
    figures = st.columns(4)
    share = everybody.trace() / max(everybody.sum(), 1)
    figures[2].metric(
        _("The room so far"),
        number(share, ".1%"),
        help=_("{count:,} answers.", count=everybody.sum()),
    )
    figures[3].metric(
        _("People elsewhere"),
        number(PEOPLE, ".1%"),
        help=_("What people named right of Fashion-MNIST's test images, by the dataset's board."),
    )
    if len(named):  # else a teacher's, who looks on
        _last_set(ticket, named, card, answers, test, figures)
    _everybody(ticket, card, answers, source, everybody)


def _last_set(
    ticket: Ticket,
    named: NDArray[np.uint8],
    card: Card,
    answers: Evaluation,
    test: Split,
    figures: Sequence[DeltaGenerator],
) -> None:
    """What somebody named last, garment by garment, beside a model's answers and the labels."""
    rows = guesses.order(ticket, len(test))[: len(named)]
    last, labels = rows[-A_SET:], test.labels[rows]
    right = named == labels
    name = plain(card.label)
    figures[0].metric(_("You, of these"), _of_a_set(int(right[-A_SET:].sum())))
    theirs = int((answers.predictions[last] == test.labels[last]).sum())
    figures[1].metric(_("{model}, of these", model=name), _of_a_set(theirs))
    if len(named) < guesses.most(test):
        st.button(_("Twenty more"), type="primary", on_click=partial(_go_on, len(named)))

    st.header(_("Your twenty"))
    mine, of_model = named[-A_SET:], answers.predictions[last]
    garment_wall(
        test.images[last],
        [
            _(
                "{label}; you said {you}, the model {model}",
                label=CLASSES[test.labels[row]],
                you=CLASSES[you],
                model=CLASSES[model],
            )
            for row, you, model in zip(last, mine, of_model, strict=True)
        ],
        captions=[said(CLASSES[you]) for you in mine],
        right=right[-A_SET:].tolist(),
        key="twenty",
        label=_("Your twenty garments with your answers"),
        name=f"twenty {len(named)}",
        tile=72,
    )
    widgets.table(
        [
            {
                Words("Right"): CLASSES[test.labels[row]],
                Words("You"): _marked(int(you), int(test.labels[row])),
                card.label: _marked(int(model), int(test.labels[row])),
            }
            for row, you, model in zip(last, mine, of_model, strict=True)
        ]
    )


def _everybody(
    ticket: Ticket,
    card: Card,
    answers: Evaluation,
    source: Source,
    everybody: NDArray[np.int64],
) -> None:
    """The confusion matrix of the room, or of one alone, beside the model's."""
    test = dataset.split("test", source)
    people, machine = st.columns(2, gap="large")
    with people:
        st.header(_("People"))
        answered = {
            Words("The room"): everybody,
            Words("You"): guesses.matrix(ticket, source, test, everybody=False),
        }
        whose = choice(_("Whose answers"), list(answered), key="whose")
        counts = answered[whose]
        right_ones = counts.trace()
        st.caption(_("{right:,} of {all:,} answers are right.", right=right_ones, all=counts.sum()))
    with machine:
        st.header(plain(card.label))
        st.caption(
            _(
                "{share:.1%} of {images:,} test images are right; people elsewhere named "
                "{people:.1%} of Fashion-MNIST's right.",
                share=evaluation.accuracy(answers),
                images=len(test),
                people=PEOPLE,
            )
        )
    # In columns of their own they begin at one height.
    people, machine = st.columns(2, gap="large")
    with people:
        show_matrix(
            matrices.confusion(counts, matrices.ROW),
            key="of people",
            label=_("What is said by: {whose}", whose=whose),
        )
    with machine:
        show_matrix(
            matrices.confusion(evaluation.confusion(answers), matrices.ROW),
            key="of model",
            label=_("What the model says"),
        )


def _go_on(count: int) -> None:
    st.session_state["next set"] = count


def _of_a_set(right: int) -> str:
    return _("{right} of {all}", right=right, all=A_SET)


def _marked(answer: int, label: int) -> str:
    return f"{'✓' if answer == label else '✗'} {said(CLASSES[answer])}"
