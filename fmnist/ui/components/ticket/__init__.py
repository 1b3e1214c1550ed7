"""The browser keeps the ticket of a room in a cookie, so that every page knows it at once."""

import streamlit as st

from fmnist.ui import components

COOKIE = "fmnist_ticket"

_component = components.component("ticket")


def kept() -> str:
    """What the browser had when it came; a stranger may have written it himself."""
    return str(st.context.cookies.get(COOKIE) or "")


def keep(ticket: str | None) -> None:
    """Have the browser keep a ticket, nothing in its place where it is blank, or what it has."""
    _component(key="ticket cookie", data={"name": COOKIE, "ticket": ticket})
