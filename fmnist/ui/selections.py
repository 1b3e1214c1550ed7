"""A selection: rows of a split that a visitor chose; in the link, kept by name, on other pages."""

from collections.abc import Mapping
from itertools import chain, count
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.analysis import selection
from fmnist.data.splits import IN_WORDS, SplitName
from fmnist.machine.errors import UserFacingError
from fmnist.ui import navigation
from fmnist.ui.components import memory
from fmnist.ui.markdown import plain
from fmnist.ui.widgets import ANY_CLASS
from fmnist.words import _, said

KEY = "rows"
PAGES = [navigation.place(name) for name in ("errors", "map", "scores", "hardest")]
ALL_ERRORS = {"true": ANY_CLASS, "predicted": ANY_CLASS}
ON_EVERY_PAGE = ("model", "on", KEY)
MOST_KEPT = 50


def link(split_name: SplitName, rows: NDArray[np.int64], count: int) -> dict[str, str]:
    """What leads to rows of a split of `count` images, on every page that knows selections."""
    return {"on": split_name, KEY: f"{split_name}.{selection.to_text(rows, count)}"}


def choose(split_name: SplitName, rows: NDArray[np.int64], count: int) -> None:
    """Put rows into the link; none clear it."""
    if len(rows):
        st.query_params[KEY] = link(split_name, rows, count)[KEY]
    else:
        forget()


def forget() -> None:
    """Every image counts again."""
    st.query_params.pop(KEY, None)


def chosen(split_name: SplitName, count: int) -> NDArray[np.int64] | None:
    """The rows that the link names, with a button to forget them; None where it names none."""
    of_split, _dot, text = st.query_params.get(KEY, "").partition(".")
    # Always there: one element more would have the browser build anew all that stands below.
    place = st.container(horizontal=True, vertical_alignment="center")
    if not text:
        return None
    try:
        if of_split != split_name:
            raise UserFacingError(
                "The chosen images are of the {theirs} split, and this is {split}: "
                "all of {split} are shown.",
                theirs=IN_WORDS.get(of_split, of_split),
                split=IN_WORDS[split_name],
            )
        rows = selection.from_text(text, count)
    except UserFacingError as error:
        place.warning(said(error))
        return None
    with place:
        st.markdown(
            _(
                "Only **{n:,} chosen image** of {all:,} counts.",
                "Only **{n:,} chosen images** of {all:,} count.",
                n=len(rows),
                all=count,
            ),
            width="content",
        )
        st.button(_("Show all"), key="show all", type="tertiary", on_click=forget)
    return rows


@st.fragment
def menu(
    split_name: SplitName,
    rows: NDArray[np.int64],
    count: int,
    words: str,
    model: str,
    cell: Mapping[str, str] = ALL_ERRORS,
) -> None:
    """A menu to take rows to another page, to keep them by a name, and to find those kept.

    `words` say what they are, `cell` where the errors page opens. It is a fragment, so that nothing
    else is drawn anew for it.
    """
    with st.popover(_("Selection"), icon=":material/bookmark:", width="content"):
        st.markdown(
            _(
                "**{words}**, {images:,} images of the {split} split.",
                words=plain(words),
                images=len(rows),
                split=IN_WORDS[split_name],
            )
        )
        if len(rows):
            here = link(split_name, rows, count) | {"model": model, **cell}
            _links("now", here)
            st.caption(_("A link to it:"))
            st.code(f"{st.context.url}?{urlencode(here)}", language=None)
            with st.form("keep", border=False, clear_on_submit=True):
                name = st.text_input(_("Keep it as"), words, max_chars=80, key=f"keep as {words}")
                if st.form_submit_button(_("Keep")):
                    _keep(name.strip() or words, here)
        kept = _recall()
        for number, name in enumerate(list(kept)):
            st.markdown(f"**{plain(name)}**")
            _links(f"kept {number}", kept[name])
            st.button(_("Forget"), key=f"forget {number}", on_click=_forget_kept, args=(name,))
        if kept:
            st.caption(_("They stay in this browser."))


def _links(key: str, to: Mapping[str, str]) -> None:
    with st.container(horizontal=True, gap="small", key=f"links {key}"):
        for page in PAGES:
            of_page = to if page.name == "errors" else {key: to[key] for key in ON_EVERY_PAGE}
            st.page_link(
                f"pages/{page.name}.py",
                label=said(page.title),
                icon=f":material/{page.icon}:",
                query_params=of_page,
            )


def _kept() -> dict[str, dict[str, str]]:
    """The kept selections of this browser: links by name."""
    kept: dict[str, dict[str, str]] = st.session_state.setdefault("kept selections", {})
    return kept


def _keep(name: str, here: dict[str, str]) -> None:
    """Keep a selection, beside one of the same name."""
    names = chain([name], (f"{name} ({number})" for number in count(2)))
    free = next(name for name in names if _kept().get(name, here) == here)
    _kept()[free] = here
    for eldest in list(_kept())[:-MOST_KEPT]:
        _forget_kept(eldest)


def _forget_kept(name: str) -> None:
    _kept().pop(name, None)


def _recall() -> dict[str, dict[str, str]]:
    kept = _kept()

    def read(before: Any) -> dict[str, dict[str, str]]:
        if not isinstance(before, dict):
            return {}
        return {str(name): to for name, to in list(before.items())[-MOST_KEPT:] if _is_link(to)}

    memory.remember("selections", kept, lambda: kept, read)
    return kept


def _is_link(to: Any) -> bool:
    keys = {*ON_EVERY_PAGE, *ALL_ERRORS}
    return (
        isinstance(to, dict) and to.keys() == keys and all(isinstance(to[key], str) for key in keys)
    )
