"""Widgets that several pages share."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitAPIException

from fmnist import words
from fmnist.data.splits import CLASSES, HELD_OUT, IN_WORDS, SplitName
from fmnist.pictures.encode import data_url
from fmnist.ui import figures, links
from fmnist.ui.markdown import plain
from fmnist.ui.state import models
from fmnist.weights.card import Card
from fmnist.weights.shelf import DEFAULT
from fmnist.words import ENGLISH, Words, _, said, written

Option = TypeVar("Option")
CHART = {"displayModeBar": False}
ANY_CLASS = Words("Any class")
BAR = 96
"""Pixels, so that a model's answer fits the third of a laptop's screen."""


def choice(
    label: str,
    options: Sequence[Option],
    *,
    key: str,
    default: Option | None = None,
    help: str | None = None,
    shown: Callable[[Option], str] = said,
) -> Option:
    """A bar of options of which one is always chosen, at first the first; it is in the link."""
    links.look_into(label, key, options, shown)
    chosen: Option = st.segmented_control(
        label,
        options,
        default=options[0] if default is None else default,
        format_func=shown,
        required=True,
        key=key,
        bind="query-params",
        help=help,
    )
    return chosen


def select(
    label: str,
    options: Sequence[str],
    start: str,
    *,
    key: str,
    shown: Callable[[str], str] = said,
    on_change: Callable[[], None] | None = None,
) -> str:
    """A select box of which one option is always chosen, at first `start`; it is in the link."""
    links.look_into(label, key, options, shown)
    chosen: str = st.selectbox(
        label,
        options,
        options.index(start),
        format_func=shown,
        key=key,
        bind="query-params",
        on_change=on_change,
    )
    return chosen


def several(
    label: str,
    options: Sequence[str],
    start: Sequence[str] = (),
    *,
    key: str,
    shown: Callable[[str], str] = said,
    placeholder: str | None = None,
) -> list[str]:
    """A box of which any options are chosen, at first those of `start`; they are in the link."""
    links.look_into(label, key, options, shown)
    chosen: list[str] = st.multiselect(
        label,
        options,
        start,
        format_func=shown,
        key=key,
        bind="query-params",
        placeholder=placeholder,
    )
    return chosen


def labels(cards: Mapping[str, Card]) -> Callable[[str], str]:
    """How models are shown that are chosen by their names: as their owners call them.

    Of those that are called alike, of which one alone could be chosen, the names are said, too.
    """
    called = Counter(card.label for card in cards.values())

    def shown(name: str) -> str:
        label = cards[name].label
        return label if called[label] == 1 else f"{label} ({name})"

    return shown


def fresh(name: str, what: str) -> DeltaGenerator:
    """A place by a name, blank at once where `what` it was about before is another thing.

    Streamlit leaves what was there until something else is drawn over it, and whoever waits would
    take it for what was asked for. It also skips a message that another to the same place follows,
    so two places take turns: one is emptied and the other filled.
    """
    shown = f"shown in {name}"
    before, turn = st.session_state.get(shown, (what, 0))
    turn = turn if before == what else 1 - turn
    st.session_state[shown] = what, turn
    if turn:
        st.empty()
        return st.container()
    place = st.container()
    st.empty()
    return place


def choose_weights(able: Callable[[Card], bool] = lambda card: True) -> Card | None:
    """A select box over every model that is able; None, with a hint, where there is none."""
    choices = models.choices(able)
    if not choices:
        st.info(_("There are no trained models yet. Train one on the Train page."))
        return None
    names = list(choices)
    start = DEFAULT if DEFAULT in names else names[0]
    shown = labels(choices)
    _go_on_with("model", names, start, shown)
    chosen = select(_("Model"), names, start, key="model", shown=shown)
    st.session_state["last model"] = chosen
    return choices[chosen]


def _go_on_with(key: str, options: Sequence[str], start: str, shown: Callable[[str], str]) -> None:
    """Begin a page with what was chosen on the one before, if its own link says nothing else.

    Streamlit's way to do so forgets what no hand has chosen but a link.
    """
    gone_on_with: set[str] = st.session_state.get("gone on with", {key})
    if not st.session_state.get("has arrived") or key in gone_on_with:
        return
    gone_on_with.add(key)  # a fragment draws the box anew without having arrived
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    last: str | None = st.session_state.get(f"last {key}")
    if last and key not in st.query_params and last in options and last != start:
        st.session_state[key] = last
        with suppress(StreamlitAPIException):  # the box of the page before may hold it still
            st.query_params[key] = shown(last)


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
        st.info(_("There are no images that all of these models can be asked about."))
        st.stop()
    _go_on_with("on", known, known[0], called)
    chosen = choice(_("Split"), known, key="on", shown=called)
    st.session_state["last on"] = chosen
    return chosen


def called(name: str) -> str:
    """A split or a source as sentences name it."""
    return said(IN_WORDS[name])


def warn_of_classes_alone(*cards: Card) -> None:
    """Say of models that give classes and no probabilities what they count as."""
    for card in cards:
        if not card.sure:
            st.caption(
                _(
                    "{model} gives classes alone, each of which counts as 100 %.",
                    model=plain(card.label),
                )
            )


def choose_class() -> int | None:
    """A select box over the classes; None stands for any."""
    name = select(_("Class"), [ANY_CLASS, *CLASSES], ANY_CLASS, key="class")
    return None if name == ANY_CLASS else CLASSES.index(name)


def choose_page(count: int, size: int, key: str) -> slice:
    """A box for the number of a page, where each has `size` things; which of `count` are on it."""
    pages = -(-count // size)
    # With the number of pages in its key, it begins anew where there are more or fewer.
    page = st.number_input(_("Page of {pages}", pages=pages), 1, pages, key=f"{key} of {pages}")
    return slice((page - 1) * size, page * size)


def chart(figure: Any, key: str, alt: str) -> None:
    """A Plotly figure, what it shows in words, and once it is asked for as a table."""
    st.plotly_chart(figure, config=CHART, key=key, alt=alt)
    fold = st.popover(
        _("Figures"),
        type="tertiary",
        icon=":material/table:",
        key=f"{key} table",
        on_change="rerun",
    )
    if fold.open:
        fold.dataframe(figures.table(figure), hide_index=True, alt=alt)


def table(
    rows: Sequence[Mapping[Any, Any]],
    forms: Mapping[str, str] = MappingProxyType({}),
    *,
    columns: Mapping[str, Any] = MappingProxyType({}),
    **options: Any,
) -> Any:
    """Rows, their heads and cells in the reader's language where they are words; what it returns.

    `forms` say of a column how its numbers are written, as `written` does; `columns` hold what
    Streamlit is told of one besides.
    """
    # 90 MiB that a page without a table does without.
    import pandas as pd

    heads = {head: said(head) for row in rows for head in row}
    cells = [[_cell(row.get(head)) for head in heads] for row in rows]
    shown: Any = pd.DataFrame(cells, columns=list(heads.values()))
    config = {heads[head]: column for head, column in columns.items() if head in heads}
    forms = {heads[head]: form for head, form in forms.items() if head in heads}
    if words.language() == ENGLISH:  # the browser can write it so, and far faster
        config |= {head: _number_column(form, config.get(head, {})) for head, form in forms.items()}
    elif forms:
        as_written: Any = {head: partial(written, form=form) for head, form in forms.items()}
        shown = shown.style.format(as_written, na_rep="")
    return st.dataframe(shown, hide_index=True, column_config=config, placeholder="", **options)


def _number_column(form: str, column: Any) -> Any:
    """A column whose numbers have a form of Python's, with what else is known of it."""
    before, spec, after = re.split(r"{:(.*)}", form)
    written_so = f"{before}%{spec}{after.replace('%', '%%')}"
    return st.column_config.NumberColumn(format="localized" if "," in spec else written_so) | {
        name: value for name, value in column.items() if value is not None and name != "type_config"
    }


def _cell(value: Any) -> Any:
    return said(value) if isinstance(value, Words) else value


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
            label=_("Draw on it, and see what the models say then"),
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
    table(
        _said(asked, image, device),
        columns={
            "Probability": st.column_config.ProgressColumn(
                width=BAR, format="percent", min_value=0, max_value=1
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
        rows.append({Words("Model"): card.both_names, Words("Answer"): CLASSES[best]})
        if card.sure:
            rows[-1][Words("Probability")] = float(probabilities[best])
    return rows
