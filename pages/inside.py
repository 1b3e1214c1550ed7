"""What every layer of a network makes of a garment, as it is drawn."""

import streamlit as st

from fmnist.pictures.intake import Intake
from fmnist.ui import answers, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import classify
from fmnist.ui.parts import inside as parts
from fmnist.weights.card import Card
from fmnist.words import _

source, device = page(
    _("Inside"),
    _(
        "What every layer makes of a garment, as you draw on it: maps, filters, and how each unit "
        "comes about."
    ),
)

card = widgets.need_weights(lambda card: card.any_picture)
if not parts.may_be_seen(card):
    st.stop()


@st.fragment
def inside(card: Card) -> None:
    """From the picture to its maps; a stroke runs this again and nothing else."""
    bring, see = st.columns([1, 3], gap="large")
    best = bring.container()
    with bring:
        taken = classify.draw("auto", source, first=classify.TEST_IMAGE)
        answer = answers.ask(card, taken, device)[0]
        probabilities = answer.probabilities[0] if taken else answers.NOTHING
        answers.show([probabilities], [""])
    with best:
        answers.best(probabilities)
    pictures = [picture for name, picture in taken if isinstance(picture, Intake)]
    if not pictures:
        see.caption(_("Draw a garment, and its maps stand here."))
        return
    pixels = pictures[0].pixels
    seen = parts.look(card, pixels, device)
    with see:
        rows = st.container()
        parts.layers(card, seen)  # first, as the rows take longer
    with rows:
        parts.steps(card, seen, pixels, device)


inside(card)
