"""What a browser remembers when its tab is closed or loaded anew: values by name."""

from typing import Any

import streamlit as st

from fmnist.ui import components

_component = components.component("memory")


def remember(name: str, value: Any) -> Any:
    """Have the browser keep a value, of JSON, by a name; returns what it kept there before, once.

    That comes a moment after the page is opened, by running the page again, and until then nothing
    is written. Whoever sent it may have written it himself: it has to be read as a stranger's.
    """
    recalled = f"recalled {name}"
    result = _component(
        key=f"memory {name}",
        data={"name": name, "value": value if recalled in st.session_state else None},
        default={"found": None},
        on_found_change=lambda: None,
    )
    found = result.get("found")
    if not isinstance(found, dict) or recalled in st.session_state:
        return None
    st.session_state[recalled] = True
    return found.get("value")
