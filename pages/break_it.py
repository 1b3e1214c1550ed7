"""What makes models err: garments spoiled by sliders or by attacks, one by one and a thousand."""

import streamlit as st

from fmnist.pictures.intake import Intake
from fmnist.ui import answers, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import break_it as parts
from fmnist.ui.parts import classify
from fmnist.weights.card import Card
from fmnist.words import _

source, device = page(
    _("Break it"),
    _("Spoil a garment until the answer changes, by sliders or by an attack; then a thousand."),
)

left, right = st.columns(2, vertical_alignment="bottom")
with left:
    card = widgets.need_weights(lambda card: card.any_picture)
with right:
    other = parts.choose_other(card)


@st.fragment
def one_garment(card: Card, other: Card | None) -> None:
    """From the picture to its end; a stroke or a slider runs this again and nothing else."""
    bring, spoil, see = st.columns([3, 4, 6], gap="medium")
    with bring:
        taken = classify.draw("auto", source, first=classify.TEST_IMAGE)
    pictures = [picture for name, picture in taken if isinstance(picture, Intake)]
    if not pictures:
        spoil.caption(_("Draw a garment to break."))
        return
    answer = answers.ask(card, taken[:1], device)[0]
    label = int(answer.probabilities[0].argmax())
    with spoil:
        broken = parts.break_one(card, pictures[0], label, device)
    with see:
        parts.outcome(card, other, pictures[0], broken, device)


one_garment(card, other)
both = [card, *([other] if other else [])]

st.header(_("A thousand garments"))
if st.toggle(_("Measure how accuracy falls"), key="curves", bind="query-params"):
    parts.curves(both, source, device)

st.header(_("How often attacks succeed"))
if st.toggle(_("Attack a thousand garments"), key="success", bind="query-params"):
    parts.success(both, source, device)
