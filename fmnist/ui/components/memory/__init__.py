"""What a browser remembers when its tab is closed or loaded anew: values by name."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import streamlit as st

from fmnist.ui import components

Key = TypeVar("Key")
Value = TypeVar("Value")

_component = components.component("memory")


def remember(
    name: str,
    kept: dict[Key, Value],
    written: Callable[[], Any],
    read: Callable[[Any], Mapping[Key, Value]],
) -> None:
    """Have the browser remember what is `kept`, `written` as JSON, by a name.

    What it remembered comes a moment after the page is opened, by running the page again, and until
    then nothing is written; nor is anything over what another tab has written meanwhile. What has
    changed there since this one saw it, what was taken back too, is changed here, unless it was
    changed here as well. Whoever sends it may have written it himself: `read` takes it as a
    stranger's.
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
        merge(kept, read(found.get("before")), read(found.get("value")))
    _component(
        key=key,
        data={"name": name, **mine, "value": written() if mine["merged"] else None},
        default={"found": None},
        on_found_change=lambda: None,
    )


def merge(kept: dict[Key, Value], before: Mapping[Key, Value], now: Mapping[Key, Value]) -> None:
    """Change what is kept as somebody else did from `before` to `now`, but for one's own changes.

    New things come last.
    """
    for thing in [*before, *now]:
        if kept.get(thing) != before.get(thing):
            continue
        if thing in now:
            kept[thing] = now[thing]
        else:
            kept.pop(thing, None)
