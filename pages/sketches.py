"""The sketches that people gave to the room, as a data set of its own."""

import streamlit as st

from fmnist.classroom import sketches
from fmnist.ui import membership, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import sketches as parts
from fmnist.words import _

source, device = page(
    _("Sketches"), _("What the room drew and gave, and what a model makes of it.")
)
ticket, room = membership.need_room()
given = sketches.of_room(ticket)
if not given:
    st.info(_("No sketches yet. What somebody draws is here once it is given to the room."))
    st.stop()

wall, one = st.columns([5, 3], gap="large")
with wall:
    chosen = parts.pooled(given, room)
with one:
    parts.large(ticket, room, chosen)

st.header(_("A model on all of them"))
card = widgets.need_weights(lambda card: card.any_picture)
parts.confusion(given, card, device)
