"""A selection: rows of a split that a visitor chose; in the link, kept by name, on other pages."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from fmnist.analysis import selection
from fmnist.data.splits import SplitName
from fmnist.machine.errors import UserFacingError
from fmnist.ui import widgets
from fmnist.ui.components import memory
from fmnist.ui.widgets import ANY_CLASS

KEY = "rows"
PAGES = {
    "Errors": ":material/query_stats:",
    "Map": ":material/scatter_plot:",
    "Scores": ":material/analytics:",
    "Hardest": ":material/fitness_center:",
}
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
    of_split, _, text = st.query_params.get(KEY, "").partition(".")
    # Always there: one element more would have the browser build anew all that stands below.
    place = st.container(horizontal=True, vertical_alignment="center")
    if not text:
        return None
    try:
        if of_split != split_name:
            raise UserFacingError(
                f"The chosen images are of the {of_split} split, and this is {split_name}: "
                f"all of {split_name} are shown."
            )
        rows = selection.from_text(text, count)
    except UserFacingError as error:
        place.warning(str(error))
        return None
    with place:
        st.markdown(f"Only **{len(rows):,} chosen images** of {count:,} count.", width="content")
        st.button("Show all", key="show all", type="tertiary", on_click=forget)
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
    with st.popover("Selection", icon=":material/bookmark:", width="content"):
        st.markdown(f"**{widgets.plain(words)}**, {len(rows):,} images of the {split_name} split.")
        if len(rows):
            here = link(split_name, rows, count) | {"model": model, **cell}
            _links("now", here)
            st.caption("A link to it:")
            st.code(f"{st.context.url}?{urlencode(here)}", language=None)
            with st.form("keep", border=False, clear_on_submit=True):
                name = st.text_input("Keep it as", words, max_chars=80, key="keep as")
                if st.form_submit_button("Keep"):
                    _kept()[name.strip() or words] = here
        kept = _recall()
        for number, name in enumerate(list(kept)):
            st.markdown(f"**{widgets.plain(name)}**")
            _links(f"kept {number}", kept[name])
            st.button("Forget", key=f"forget {number}", on_click=_forget_kept, args=(name,))
        if kept:
            st.caption("They stay in this browser.")


def _links(key: str, to: Mapping[str, str]) -> None:
    with st.container(horizontal=True, gap="small", key=f"links {key}"):
        for page, icon in PAGES.items():
            of_page = to if page == "Errors" else {key: to[key] for key in ON_EVERY_PAGE}
            st.page_link(f"pages/{page.lower()}.py", label=page, icon=icon, query_params=of_page)


def _kept() -> dict[str, dict[str, str]]:
    """The kept selections of this browser: links by name."""
    kept: dict[str, dict[str, str]] = st.session_state.setdefault("kept selections", {})
    return kept


def _forget_kept(name: str) -> None:
    _kept().pop(name, None)


def _recall() -> dict[str, dict[str, str]]:
    kept = _kept()
    before = memory.remember("selections", kept)
    if isinstance(before, dict):
        for name, to in list(before.items())[:MOST_KEPT]:
            if _is_link(to):
                kept.setdefault(str(name), to)
    return kept


def _is_link(to: Any) -> bool:
    keys = {*ON_EVERY_PAGE, *ALL_ERRORS}
    return (
        isinstance(to, dict) and to.keys() == keys and all(isinstance(to[key], str) for key in keys)
    )
