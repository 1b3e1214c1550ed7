"""Which pages this browser has seen, and in which state: what lessons check their steps by."""

from collections.abc import Mapping

import streamlit as st

from fmnist.ui.navigation import PLACES

MOST = 500
NAMES = {place.title: place.name for places in PLACES.values() for place in places}

Visit = tuple[str, frozenset[tuple[str, str]]]


def note(title: str) -> None:
    """Called by every page: it is seen now, in the state that its link says."""
    if title in NAMES:
        state = frozenset((key, st.query_params[key]) for key in st.query_params)
        visits = _visits()
        visits[NAMES[title], state] = None
        while len(visits) > MOST:
            del visits[next(iter(visits))]


def been(page: str, state: Mapping[str, str]) -> bool:
    """Whether a page was seen in a state, whatever else its link said."""
    wanted = set(state.items())
    return any(name == page and wanted <= seen for name, seen in _visits())


def _visits() -> dict[Visit, None]:
    """In the order in which they were made."""
    visits: dict[Visit, None] = st.session_state.setdefault("visits", {})
    return visits
