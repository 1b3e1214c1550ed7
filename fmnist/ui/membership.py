"""Being in a room: what every page asks that needs one."""

import streamlit as st

from fmnist.classroom.room import Room, Ticket
from fmnist.ui.state import classroom, trouble
from fmnist.words import _


def need_room() -> tuple[Ticket, Room]:
    """Who this browser is in which room; a page that needs one ends where there is none."""
    entered = classroom.entered()
    trouble.told()
    if entered is None:
        st.info(_("You are in no room. Open one, or join one, on the Room page."))
        st.page_link("pages/room.py", label=_("To the Room page"), icon=":material/groups:")
        st.stop()
    return entered
