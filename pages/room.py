"""A room for a class: open it or join it, lead it, draw and give; the way there for phones."""

import streamlit as st

from fmnist.ui.page import page
from fmnist.ui.parts import room as parts
from fmnist.ui.state import classroom
from fmnist.words import _

source, device = page(_("Room"), _("A class draws, trains and competes together."))
entered = classroom.entered()
classroom.keep()
if entered is None:
    parts.enter()
    parts.invitation()
    st.stop()

ticket, room = entered
parts.elsewhere(ticket, room)
parts.head(ticket, room)
if ticket.teaches:
    parts.lead(ticket, room)
    parts.invitation(parts.way_in(room))
else:
    parts.draw_and_give(ticket, device)
