"""Who this browser is in a classroom, and what it may see there."""

import streamlit as st

from fmnist.classroom import room
from fmnist.classroom.folder import RoomError, rooms_folder
from fmnist.classroom.room import Room, Ticket
from fmnist.ui.components import ticket as component
from fmnist.ui.state import trouble

KEY = "ticket of the room"
"""Of the session: the ticket, None for who is in no room, nothing while nobody has looked."""
TO_KEEP = "ticket to keep"
"""Of the session: the ticket that was taken last, None where it was given up."""


def ticket() -> Ticket | None:
    """The ticket of this browser where it holds; None for who is in no room."""
    if KEY not in st.session_state:
        st.session_state[KEY] = Ticket.from_text(component.kept())
    kept: Ticket | None = st.session_state[KEY]
    if kept is None:
        return None
    try:
        room.admit(kept)
    except RoomError as error:
        st.session_state[KEY], stands_against = None, error
        if rooms_folder().is_dir() and not room.is_open(kept.code):  # else it may be away
            st.session_state[TO_KEEP] = None
            stands_against = RoomError("Room {code}, in which you were, is closed.", code=kept.code)
        trouble.note(stands_against)
        return None
    room.note_presence(kept)
    return kept


def entered() -> tuple[Ticket, Room] | None:
    """The ticket with its room as it is now; None for who is in none."""
    kept = ticket()
    return (kept, room.read_room(kept.code)) if kept else None


def take(kept: Ticket) -> None:
    """Be in a room from now on, in this session and, once `keep` has run, in this browser."""
    st.session_state[KEY] = st.session_state[TO_KEEP] = kept


def leave() -> None:
    """Be in no room any more; who has the ticket elsewhere still is."""
    st.session_state[KEY] = st.session_state[TO_KEEP] = None


def keep() -> None:
    """Have the browser keep the ticket that was taken last, or forget it."""
    if TO_KEEP in st.session_state:
        component.keep(str(st.session_state[TO_KEEP] or ""))
    else:
        component.keep(None)


def address() -> str:
    """Where this browser comes from, as far as can be told."""
    if direct := st.context.ip_address:
        return direct
    # Who comes from this machine itself may be a proxy on it, which says for whom it asks.
    forwarded = st.context.headers.get("X-Forwarded-For") or ""
    return forwarded.rpartition(",")[2].strip()[:45] or "this machine"
