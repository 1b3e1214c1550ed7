"""Being in a room: what every page asks that needs one, and what stands against what is done."""

from collections.abc import Callable

import streamlit as st

from fmnist.classroom.room import Room, Ticket
from fmnist.machine.errors import UserFacingError
from fmnist.ui.markdown import plain
from fmnist.ui.state import classroom
from fmnist.ui.state.classroom import TOLD
from fmnist.words import _, said


def need_room() -> tuple[Ticket, Room]:
    """Who this browser is in which room; a page that needs one ends where there is none."""
    entered = classroom.entered()
    told()
    if entered is None:
        st.info(_("You are in no room. Open one, or join one, on the Room page."))
        st.page_link("pages/room.py", label=_("To the Room page"), icon=":material/groups:")
        st.stop()
    return entered


def told() -> None:
    """What stood against the last thing that was done, in a sentence."""
    if error := st.session_state.pop(TOLD, None):
        st.error(plain(said(error)))


def done(action: Callable[..., object], *arguments: object) -> bool:
    """Do something in a room; False where something stands against it, which `told` says next."""
    try:
        action(*arguments)
    except (UserFacingError, OSError) as error:
        st.session_state[TOLD] = error
        return False
    return True


def doing(action: Callable[..., object], *arguments: object) -> Callable[[], None]:
    """The same as what a button does when it is pressed."""

    def act() -> None:
        done(action, *arguments)

    return act
