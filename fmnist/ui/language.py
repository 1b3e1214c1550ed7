"""The language of a browser: as it is set, or chosen by hand, which is then in the link."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fmnist import words
from fmnist.ui import history
from fmnist.ui.components.lang import declare
from fmnist.words import ENGLISH, LANGUAGES, Words, _, own_name, said

Option = TypeVar("Option")
KEY = "lang"
CHOSEN, BOX = "chosen language", "language box"


def settle() -> None:
    """Called by app.py before all else: take the language that the link asks for."""
    asked = st.query_params.get(KEY)
    if asked in LANGUAGES:
        st.session_state[CHOSEN] = asked
    elif chosen := st.session_state.get(CHOSEN):
        st.query_params[KEY] = chosen
    _asked()  # anew, whatever was asked for before
    declare(words.language())


def choose() -> None:
    """A select box at the head of the sidebar; see studio.css."""
    st.session_state[BOX] = words.language()
    st.sidebar.selectbox(
        _("Language"),
        LANGUAGES,
        format_func=own_name,
        key=BOX,
        on_change=_take,
        label_visibility="collapsed",
        icon=":material/translate:",  # for whoever can't read the word
    )


def _take() -> None:
    st.session_state[CHOSEN] = st.query_params[KEY] = st.session_state[BOX]


def _asked() -> str:
    """What words are said in: as chosen, else as the browser is set."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return ENGLISH
    chosen: str | None = st.session_state.get(CHOSEN)
    if chosen is None:
        browsers = (st.context.locale or "").partition("-")[0].lower()
        chosen = browsers if browsers in LANGUAGES else ENGLISH
    words.settle(chosen)  # until this run ends: a session's state is slow to ask for every word
    return chosen


words.follow(_asked)


class Spinner(Words):
    """Words that Streamlit shows while a cache is being filled, in the language of then."""

    def __str__(self) -> str:
        return said(self)


def understand(key: str, options: Sequence[Option], shown: Callable[[Option], str] = said) -> None:
    """Have a link that says an option in another language, or by its name, say it as it is shown.

    Streamlit writes options into the link as they are shown.
    """
    asked = st.query_params.get_all(key)
    labels = [shown(option) for option in options]
    if {*asked} <= {*labels}:
        return
    meant = dict(zip(map(str, options), labels, strict=True))
    for each in LANGUAGES:
        with words.reading(each):
            meant |= zip(map(shown, options), labels, strict=True)
    link = {name: st.query_params.get_all(name) for name in st.query_params}
    link[key] = [meant.get(value, value) for value in asked]
    if link[key] != asked:
        history.rewrite(urlencode(link, doseq=True))
