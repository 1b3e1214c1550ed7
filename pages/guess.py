"""Guess against a model: twenty garments, what you say beside what it says and what is right."""

import streamlit as st

from fmnist.ui import membership, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import guess as parts
from fmnist.words import _

source, device = page(_("Guess"), _("Twenty garments, ten kinds. Are you better than a model?"))
ticket, room = membership.need_room()
if parts.ask(ticket, source) and not parts.shows_the_room(ticket):
    st.stop()
card = widgets.need_weights(lambda card: "test" in card.knows)
parts.compare(ticket, card, source, device)
