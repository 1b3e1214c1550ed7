"""What a link asks for: taken in any language, and said in one notice where it isn't here."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fmnist import words
from fmnist.ui import language
from fmnist.ui.markdown import plain
from fmnist.words import ENGLISH, _, said

Option = TypeVar("Option")
UNKNOWN = "unknown in the link"
MOST_DIGITS = 9


def begin() -> None:
    """Called at a page's head: nothing was unknown so far."""
    st.session_state[UNKNOWN] = []


def look_into(
    label: str, key: str, options: Sequence[Option], shown: Callable[[Option], str] = said
) -> None:
    """Take what a link asks for, in whichever language; say so where it isn't there.

    The page then shows its usual choice.
    """
    language.understand(key, options, shown)
    known = {shown(option) for option in options}
    for asked in st.query_params.get_all(key):
        if asked not in known:
            # English writes within a sentence small what German doesn't.
            say_unknown(label.lower() if words.language() == ENGLISH else label, asked)


def number(asked: str) -> int | None:
    """The whole number that a link asks for; None for what is none, or larger than any here."""
    return int(asked) if asked.isdecimal() and len(asked) <= MOST_DIGITS else None


def say_unknown(what: str, asked: str) -> None:
    """Say that a link asks for what isn't there, beside what else it asked for."""
    told: list[tuple[str, DeltaGenerator]] = st.session_state[UNKNOWN]
    here = _("{what} \u201c{asked}\u201d", what=what, asked=plain(asked))
    missed = [*(earlier for earlier, _notice in told), here]
    notice = (told[-1][1] if told else st).toast(
        _(
            "The link asks for what is not here: {missed}. The usual is shown.",
            missed=", ".join(missed),
        ),
        icon=":material/link_off:",
        duration="infinite",
    )
    told.append((here, notice))
