"""Widgets that several pages share."""

import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from fmnist.data.splits import CLASSES, HELD_OUT, SplitName
from fmnist.pictures.encode import data_url
from fmnist.ui import figures
from fmnist.ui.state import models
from fmnist.weights.card import Card
from fmnist.weights.shelf import DEFAULT

Option = TypeVar("Option")
CHART = {"displayModeBar": False}
ANY_CLASS = "Any class"
SENT = 0.05
"""Seconds after which a message has left; until then what follows it to the same place would do."""


def choice(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Option | None = None,
    help: str | None = None,
) -> Option:
    """A bar of options of which one is always chosen, at first the first; it is in the link."""
    say_if_unknown(label, key, options)
    chosen: Option = st.segmented_control(
        label,
        options,
        default=options[0] if default is None else default,
        required=True,
        key=key,
        bind="query-params",
        help=help,
    )
    return chosen


def select(label: str, options: Sequence[str], start: str, *, key: str) -> str:
    """A select box of which one option is always chosen, at first `start`; it is in the link."""
    say_if_unknown(label, key, options)
    chosen: str = st.selectbox(label, options, options.index(start), key=key, bind="query-params")
    return chosen


def say_if_unknown(label: str, key: str, options: Sequence[Any]) -> None:
    """A sentence about what a link asks for that isn't there; the page shows its usual choice."""
    known = {str(option) for option in options}
    for asked in st.query_params.get_all(key):
        if asked not in known:
            say_unknown(label.lower(), asked)


def say_unknown(what: str, asked: str) -> None:
    """Say in a sentence that a link asks for what isn't there."""
    st.toast(
        f"The link asks for {what} \u201c{plain(asked)}\u201d, which is not here. "
        "The usual choice is shown.",
        icon=":material/link_off:",
        duration="infinite",
    )


def fresh(name: str, what: str) -> DeltaGenerator:
    """A place by a name, blank at once where `what` it was about before is another thing.

    Streamlit leaves what was there until something else is drawn over it, and whoever waits would
    take it for what was asked for.
    """
    shown = f"shown in {name}"
    if st.session_state.get(shown) == what:
        return st.container()
    st.session_state[shown] = what
    blank = st.empty()
    time.sleep(SENT)
    return blank.container()


def choose_weights(able: Callable[[Card], bool] = lambda card: True) -> Card | None:
    """A select box over every model that is able; None, with a hint, where there is none."""
    choices = models.choices(able)
    if not choices:
        st.info("There are no trained models yet. Train one on the Train page.")
        return None
    names = list(choices)
    start = DEFAULT if DEFAULT in names else names[0]
    _go_on_with("model", names, start)
    chosen = select("Model", names, start, key="model")
    st.session_state["last model"] = chosen
    return choices[chosen]


def _go_on_with(key: str, options: Sequence[str], start: str) -> None:
    """Begin a page with what was chosen on the one before, if its own link says nothing else.

    Streamlit's way to do so forgets what no hand has chosen but a link.
    """
    if not st.session_state.get("arrived"):
        return
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    last: str | None = st.session_state.get(f"last {key}")
    if last and key not in st.query_params and last in options and last != start:
        st.session_state[key] = last
        with suppress(StreamlitAPIException):  # the box of the page before may hold it still
            st.query_params[key] = last


def need_weights(able: Callable[[Card], bool] = lambda card: True) -> Card:
    """As `choose_weights`, for a page that ends where there is no model."""
    card = choose_weights(able)
    if card is None:
        st.stop()
    return card


def choose_split(*cards: Card, offered: Sequence[SplitName] = HELD_OUT) -> SplitName:
    """A bar of the splits that all of the models know, one of them chosen.

    It is kept on the next page that offers it. At first they are the two that no model was trained
    on.
    """
    known = [name for name in offered if all(name in card.knows for card in cards)]
    if not known:
        st.info("There are no images that all of these models can be asked about.")
        st.stop()
    _go_on_with("on", known, known[0])
    chosen = choice("Split", known, key="on")
    st.session_state["last on"] = chosen
    return chosen


def warn_of_classes_alone(*cards: Card) -> None:
    """Say of models that give classes and no probabilities what they count as."""
    for card in cards:
        if not card.sure:
            st.caption(f"{plain(card.label)} gives classes alone, each of which counts as 100 %.")


def choose_class() -> int | None:
    """A select box over the classes; None stands for any."""
    name = select("Class", [ANY_CLASS, *CLASSES], ANY_CLASS, key="class")
    return None if name == ANY_CLASS else CLASSES.index(name)


def choose_page(count: int, size: int, key: str) -> slice:
    """A box for the number of a page, where each has `size` things; which of `count` are on it."""
    pages = -(-count // size)
    # With the number of pages in its key, it begins anew where there are more or fewer.
    number = st.number_input(f"Page of {pages}", 1, pages, key=f"{key} of {pages}")
    return slice((number - 1) * size, number * size)


def chart(figure: Any, key: str, alt: str) -> None:
    """A Plotly figure, what it shows in words, and once it is asked for as a table."""
    st.plotly_chart(figure, config=CHART, key=key, alt=alt)
    fold = st.popover(
        "Figures", type="tertiary", icon=":material/table:", key=f"{key} table", on_change="rerun"
    )
    if fold.open:
        fold.dataframe(figures.table(figure), hide_index=True, alt=alt)


def plain(text: str) -> str:
    """Text as Markdown that shows it as it is."""
    return re.sub(r"([\\`*_\[\]<>#~:$|])", r"\\\1", text)


def side_by_side(pictures: Iterable[tuple[str, NDArray[np.uint8]]], edge: int) -> None:
    """Small pictures, each over its caption, in as many lines as the screen needs."""
    with st.container(horizontal=True, gap="xsmall"):
        for caption, picture in pictures:
            with st.container(width=edge, gap="xsmall"):
                st.image(data_url(picture, edge), width=edge, alt=caption)
                st.caption(caption)


def draw_on(split_name: SplitName, row: int) -> None:
    """A link to the canvas with a garment of the test split on it."""
    if split_name == "test":
        st.page_link(
            "pages/classify.py",
            label="Draw on it, and see what the models say then",
            icon=":material/draw:",
            query_params={"start": "Test image", "image": str(row)},
        )


def model_answers(
    image: NDArray[np.uint8],
    split_name: SplitName,
    device: torch.device,
    cards: Sequence[Card] | None = None,
) -> None:
    """What each model, of all or of some, says of an image uint8 (28, 28) of a split: a table."""
    everyone = models.choices().values() if cards is None else cards
    asked = [card for card in everyone if split_name in card.knows]
    st.dataframe(
        _said(asked, image, device),
        hide_index=True,
        column_config={
            "Probability": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            )
        },
    )


@st.cache_data(show_spinner=False, max_entries=1000, hash_funcs=models.NAMED_ANSWERS)
def _said(
    cards: Sequence[Card], image: NDArray[np.uint8], device: torch.device
) -> list[dict[str, str | float]]:
    """A row for each model: a room looks at the same few images again and again."""
    rows: list[dict[str, str | float]] = []
    for card in cards:
        answer, _ = models.answer(card, image[None], device)
        (probabilities,) = answer.probabilities
        best = int(probabilities.argmax())
        rows.append({"Model": card.both_names, "Answer": CLASSES[best]})
        if card.sure:
            rows[-1]["Probability"] = float(probabilities[best])
    return rows
