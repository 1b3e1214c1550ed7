"""Which pages this browser has seen, and in which state: what lessons check their steps by."""

from collections.abc import Mapping

import streamlit as st

from fmnist.ui.navigation import PLACES
from fmnist.words import Words, said

MOST = 500
EVERY = [place for places in PLACES.values() for place in places]

Visit = tuple[str, frozenset[tuple[str, str]]]


def note(title: str) -> None:
    """Called by every page: it is seen now, in the state that its link says."""
    name = next((place.name for place in EVERY if said(place.title) == title), None)
    if name:
        state = frozenset((key, st.query_params[key]) for key in st.query_params)
        visits = _visits()
        visits[name, state] = None
        while len(visits) > MOST:
            del visits[next(iter(visits))]


def been(page: str, state: Mapping[str, str]) -> bool:
    """Whether a page was seen in a state, whatever else its link said, in whichever language."""
    wanted = [{(key, value), (key, said(Words(value)))} for key, value in state.items()]
    return any(name == page and all(map(seen.intersection, wanted)) for name, seen in _visits())


def _visits() -> dict[Visit, None]:
    """In the order in which they were made."""
    visits: dict[Visit, None] = st.session_state.setdefault("noted visits", {})
    return visits
