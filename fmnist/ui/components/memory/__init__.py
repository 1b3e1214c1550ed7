"""What a browser remembers when its tab is closed or loaded anew: values by name."""

import secrets
from collections.abc import Callable
from typing import Any

import streamlit as st

from fmnist.ui import components

_component = components.component("memory")


def remember(name: str, value: Callable[[], Any], merge: Callable[[Any], None]) -> None:
    """Have the browser keep a value, of JSON, by a name; what it kept there before is merged first.

    That comes a moment after the page is opened, by running the page again, and until then nothing
    is written; nor is anything over what another tab has written meanwhile. Whoever sent it may
    have written it himself: it has to be read as a stranger's.
    """
    key = f"memory {name}"
    # A browser brings along what it found for the session before, which may long be out of date.
    mine: dict[str, Any] = st.session_state.setdefault(
        f"remembered {name}", {"session": secrets.token_hex(4), "merged": 0}
    )
    found = (st.session_state.get(key) or {}).get("found")
    following = {"session": mine["session"], "number": mine["merged"] + 1}
    if isinstance(found, dict) and found.items() >= following.items():
        mine["merged"] += 1
        merge(found.get("value"))
    _component(
        key=key,
        data={"name": name, **mine, "value": value() if mine["merged"] else None},
        default={"found": None},
        on_found_change=lambda: None,
    )
