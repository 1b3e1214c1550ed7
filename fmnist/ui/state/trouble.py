"""What stands against something that was done, said in a sentence when the page is drawn next."""

from collections.abc import Callable

import streamlit as st

from fmnist.machine.errors import UserFacingError
from fmnist.ui.markdown import plain
from fmnist.words import said

KEY = "trouble to tell"
"""Of the session: what stood against what was done last, an error."""


def told() -> None:
    """What stood against the last thing that was done."""
    if error := st.session_state.pop(KEY, None):
        st.error(plain(said(error)))


def note(error: Exception) -> None:
    """Have `told` say this next."""
    st.session_state[KEY] = error


def done(action: Callable[..., object], *arguments: object) -> bool:
    """Do something; False where something stands against it."""
    try:
        action(*arguments)
    except (UserFacingError, OSError) as error:
        note(error)
        return False
    return True


def doing(action: Callable[..., object], *arguments: object) -> Callable[[], None]:
    """The same as what a button does when it is pressed."""

    def act() -> None:
        done(action, *arguments)

    return act
