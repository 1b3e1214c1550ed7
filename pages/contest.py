"""The contest of a room: hand in a run, a model file or predictions, and see who is best."""

import streamlit as st

from fmnist.ui import membership
from fmnist.ui.page import page
from fmnist.ui.parts import contest as parts
from fmnist.words import _

source, device = page(
    _("Contest"),
    _("Hand in your best model. It counts on images that nobody looks at before the end."),
)
ticket, room = membership.need_room()
parts.standing(ticket, room)
if not room.revealed:
    st.header(_("Hand in"))
    by_run, by_file = st.columns(2, gap="large")
    with by_run:
        parts.hand_in_run(ticket, source)
    with by_file:
        parts.hand_in_file(ticket, source, device)
