"""The parts of the errors page: the matrix, the garments chosen in it, one of them large."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.analysis.selection import EVERY, STEP, Filter, by_confidence
from fmnist.data.splits import CLASSES, IN_WORDS, Source, Split, SplitName
from fmnist.pictures.encode import data_url, overlay
from fmnist.ui import answers, garments, links, matrices, selections, widgets
from fmnist.ui.components import confidence
from fmnist.ui.components import matrix as component
from fmnist.ui.components.map import CLASS
from fmnist.ui.components.matrix import Place
from fmnist.ui.markdown import plain
from fmnist.ui.matrices import UNITS, cell_name
from fmnist.ui.parts import map as map_parts
from fmnist.ui.state import dataset, models
from fmnist.ui.why import why
from fmnist.ui.widgets import ANY_CLASS, choice
from fmnist.weights.card import Card
from fmnist.words import Words, _, number, said

STYLE = Path(__file__).with_name("errors.css")
MOST_CONFUSED = (CLASSES[6], CLASSES[0])
"""The cell to begin with, which is among the fullest of most models."""
ORDERS = (Words("Dataset"), Words("Similarity"))
NO_OTHER = Words("no other model")
TILE, PICTURE = 52, 112


# What is asked for


@dataclass(frozen=True)
class Asked:
    """A cell, by its true and predicted class or None for any, and what its images must be.

    unlike: another model, which must say otherwise; None where none must
    """

    cell: Place
    sure: tuple[int, int]
    unlike: Card | None

    @property
    def words(self) -> Words:
        """What the images are."""
        words = cell_name(*self.cell)
        if self.sure != EVERY:
            low, high = self.sure
            words = Words("{words}, {low} to {high} % sure", words=words, low=low, high=high)
        if self.unlike:
            other = self.unlike.name
            words = Words("{words}, not so named by {model}", words=words, model=other)
        return words


def ask(card: Card, split_name: SplitName) -> Asked:
    """A menu of the true and the predicted class and the filters."""
    others = models.choices(lambda other: other.name != card.name and split_name in other.knows)
    asked = sum(key in st.query_params for key in ("sure", "unlike"))
    with st.popover(
        _("Filter ({count})", count=asked) if asked else _("Filter"),
        icon=":material/filter_alt:",
        width="content",
    ):
        names = [
            widgets.select(label, [ANY_CLASS, *CLASSES], start, key=key)
            for label, key, start in zip(
                (_("True class"), _("Predicted class")),
                ("true", "predicted"),
                MOST_CONFUSED,
                strict=True,
            )
        ]
        sure = st.slider(
            _("How sure the model is"),
            *EVERY,
            EVERY,
            STEP,
            format="%d %%",
            key="sure",
            bind="query-params",
        )
        unlike = widgets.select(
            _("Only what this model names otherwise"),
            [NO_OTHER, *others],
            NO_OTHER,
            key="unlike",
            shown=lambda name: others[name].label if name in others else said(name),
        )
    true, predicted = (None if name == ANY_CLASS else CLASSES.index(name) for name in names)
    return Asked((true, predicted), sure, others.get(unlike))


def show_as() -> tuple[str, str]:
    """A menu of what the matrix shows, and in which order."""
    with st.popover(_("View"), icon=":material/tune:", width="content"):
        unit = choice(_("Cells show"), UNITS, key="cells")
        order = choice(_("Order"), ORDERS, key="order")
    return unit, order


@dataclass(frozen=True)
class Selection:
    """Rows int64 (N,) of a split, in the order in which they are shown, with a model's answers.

    `name` says what they are, in words that hold for no other selection.
    """

    name: str
    split: Split
    rows: NDArray[np.int64]
    answers: Evaluation
    temperature: float

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """The model's probabilities float32 (N, 10)."""
        return evaluation.probabilities(self.answers.logits[self.rows], self.temperature)

    @property
    def filename(self) -> str:
        """A name for a file about them."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def ground(
    asked: Asked,
    card: Card,
    answers: Evaluation,
    split_name: SplitName,
    source: Source,
    device: torch.device,
    rows: NDArray[np.int64] | None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which images of the split (N,) pass all filters, and which pass all but how sure it is."""
    otherwise = None
    if asked.unlike:
        otherwise = models.evaluate(asked.unlike, split_name, source, device).predictions
    but_sure = Filter(otherwise=otherwise, rows=rows).passes(answers, card.temperature)
    return but_sure & Filter(asked.sure).passes(answers, card.temperature), but_sure


# The matrix


def matrix(counts: NDArray[np.int64], cell: Place, unit: str, order: str) -> None:
    """The matrix (10, 10); a click or Enter in it chooses a cell."""
    classes = range(len(CLASSES)) if order == ORDERS[0] else evaluation.by_similarity(counts)
    component.matrix(
        matrices.confusion(counts, unit, classes),
        key="matrix",
        label=_("Confusion matrix; arrow keys move in it, Enter chooses a cell"),
        chosen=cell,
        on_choose=_take_cell,
    )


def _take_cell() -> None:
    """Let a choice in the matrix set the two select boxes."""
    cell = component.taken(st.session_state["matrix"].get("chosen"))
    if cell:
        _go_to_cell(cell)


def link(cell: Place) -> dict[str, str]:
    """What leads to a cell."""
    names = (ANY_CLASS if label is None else CLASSES[label] for label in cell)
    return dict(zip(("true", "predicted"), names, strict=True))


def _go_to_cell(cell: Place) -> None:
    st.session_state.update(link(cell))


# The garments


def current(selection: Selection) -> int:
    """The row of the garment that is large: what the link says, else the first."""
    asked = st.query_params.get("garment", "")
    rows, row = selection.rows.tolist(), links.number(asked)
    if row is not None and row in rows:
        st.session_state["garment shown"] = asked
        return row
    if asked:
        if asked != st.session_state.get("garment shown"):  # it comes from a link
            links.say_unknown(_("garment"), asked)
        st.query_params.pop("garment")
    return int(rows[0])


def _go_to(row: int) -> None:
    st.query_params["garment"] = str(row)


def wall(selection: Selection, row: int) -> None:
    """The garments, each over how sure the model was; the chosen one becomes the current one."""
    rows, confidence = selection.rows.tolist(), selection.probabilities.max(1)
    garments.wall(
        selection.split.images[selection.rows],
        [
            _("Image {row:,}: {sure:.1%}", row=row, sure=sure)
            for row, sure in zip(rows, confidence, strict=True)
        ],
        key="gallery",
        name=selection.name,
        what=_("images, most confident first"),
        captions=[number(sure, ".0%") for sure in confidence],
        height="content",
        tile=TILE,
        picked=rows.index(row),
        on_pick=partial(_take_pick, selection.rows),
    )


def _take_pick(rows: NDArray[np.int64]) -> None:
    choice = st.session_state["gallery"].get("picked")
    index = choice.get("index") if isinstance(choice, dict) else None
    if isinstance(index, int) and 0 <= index < len(rows):
        _go_to(int(rows[index]))


def garment(selection: Selection, row: int, split_name: SplitName) -> None:
    """One of the garments, with what the model says and steps to the one before and after."""
    rows = selection.rows.tolist()
    position = rows.index(row)
    label = CLASSES[selection.split.labels[row]]
    with st.container(horizontal=True, vertical_alignment="center", key="garment"):
        st.image(
            data_url(selection.split.images[row], 2 * PICTURE),
            width=PICTURE,
            alt=_("Garment {row:,}, {label}", row=row, label=label),
        )
        with st.container(gap="xsmall", width="stretch"):
            labelled = _(
                "Garment {row:,} of the {split} split, labelled {label}.",
                row=row,
                split=IN_WORDS[split_name],
                label=label,
            )
            st.markdown(f"**{_in_words(selection.probabilities[position])}**  \n{labelled}")
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                for name, icon, step in (
                    (_("Previous"), "chevron_left", -1),
                    (_("Next"), "chevron_right", 1),
                ):
                    there = position + step
                    st.button(
                        name,
                        icon=f":material/{icon}:",
                        disabled=not 0 <= there < len(rows),
                        on_click=_go_to,
                        args=(rows[there % len(rows)],),
                    )
                st.caption(
                    _("{place:,} of {all:,}", place=position + 1, all=len(rows)), width="content"
                )


def _in_words(probabilities: NDArray[np.float32]) -> str:
    """The likeliest class with its probability, and the ones after it that count."""
    first, second, third = (
        f"{said(CLASSES[label])} {number(probabilities[label], '.1%')}"
        for label in np.argsort(-probabilities)[:3]
    )
    return _("{first}, then {second} and {third}", first=first, second=second, third=third)


def sureness(answers: Evaluation, rows: NDArray[np.int64], asked: Asked, card: Card) -> None:
    """How sure the model is of images, as bars to filter by."""
    st.markdown(_("**How sure {model} is of them**, in per cent", model=plain(card.label)))
    confidence.confidence(
        by_confidence(answers, rows, card.temperature),
        key="confidence",
        chosen=asked.sure,
        on_choose=_take_sure,
    )


def _take_sure() -> None:
    interval = confidence.taken(st.session_state["confidence"].get("chosen"))
    if interval:
        st.session_state["sure"] = interval


@st.fragment(parallel=True)
def on_map(
    card: Card,
    split_name: SplitName,
    source: Source,
    device: torch.device,
    selection: Selection,
    row: int,
    counted: NDArray[np.bool_],
) -> None:
    """Where the model sees the garments among all of the split, to choose from there as well."""
    if not card.any_picture:
        st.caption(_("Predictions have no features to place garments by."))
        return
    if st.session_state.pop("chosen on the map", False):
        st.rerun()
    method = map_parts.choose_method()
    map_parts.ground(
        card,
        split_name,
        source,
        device,
        selection.answers,
        method=method,
        colour=CLASS,
        chosen=selection.rows,
        picked=row,
        on_pick=partial(_take_from_map, selection.answers, counted),
        on_choose=partial(_take_lasso, split_name, len(counted)),
    )


def _take_from_map(answers: Evaluation, counted: NDArray[np.bool_]) -> None:
    """Go to the garment and its cell; filters that leave it out end."""
    row = map_parts.taken_row(len(counted))
    if row is None:
        return
    st.session_state["chosen on the map"] = True
    _go_to(row)
    _go_to_cell((int(answers.labels[row]), int(answers.predictions[row])))
    if not counted[row]:
        st.session_state["sure"], st.session_state["unlike"] = EVERY, NO_OTHER
        selections.forget()


def _take_lasso(split_name: SplitName, count: int) -> None:
    """Only what is in the lasso counts from now on, and its errors are shown."""
    rows = map_parts.taken_rows(count)
    st.session_state["chosen on the map"] = True
    selections.choose(split_name, rows, count)
    if len(rows):
        _go_to_cell((None, None))


# The reasons, and what to take along


MEAN_EDGE = 70
GREY = np.full((28, 28), 128, np.uint8)


def means(selection: Selection, true: int | None, predicted: int | None) -> None:
    """The mean garment of a cell, and how it differs from the mean of its class."""
    images, labels = selection.split.images, selection.split.labels
    here = images[selection.rows].mean(0)
    pictures = [(_("Mean of these {count:,}", count=len(selection.rows)), here.astype(np.uint8))]
    classes = [label for label in (true, predicted) if label is not None]
    of_classes = [images[labels == label].mean(0) for label in dict.fromkeys(classes)]
    if classes:
        difference = overlay(GREY, (here - of_classes[0]).astype(np.float32))
        pictures.append((_("less the mean {label}", label=CLASSES[classes[0]]), difference))
    pictures += [
        (_("Mean {label}", label=CLASSES[label]), mean.astype(np.uint8))
        for label, mean in zip(dict.fromkeys(classes), of_classes, strict=True)
    ]
    widgets.side_by_side(pictures, MEAN_EDGE)


def table(selection: Selection) -> Sequence[dict[str, Any]]:
    """A line for each garment: its row in the split, its class, the answer, all probabilities."""
    return [
        {
            "row": row,
            "true": CLASSES[selection.split.labels[row]],
            "predicted": CLASSES[probabilities.argmax()],
            "confidence": probabilities.max(),
            **dict(zip(CLASSES, probabilities, strict=True)),
        }
        for row, probabilities in zip(selection.rows.tolist(), selection.probabilities, strict=True)
    ]


@st.fragment(parallel=True)
def reasons(
    card: Card, split_name: SplitName, row: int, source: Source, device: torch.device
) -> None:
    """What the model says of a garment at length, what all say in short, and why."""
    image = dataset.split(split_name, source).images[row]
    one, others = st.columns(2, gap="large")
    with one:
        answer, _used = models.answer(card, image[None], device)
        st.caption(_("{model} says", model=plain(card.label)))
        answers.best(answer.probabilities[0])
        answers.show(list(answer.probabilities), [card.label])
        widgets.draw_on(split_name, row)
    with others:
        st.caption(_("Every model says"))
        widgets.model_answers(image, split_name, device)
    if not card.any_picture:
        st.caption(
            _("Predictions don't say why: nobody can ask their model about another picture.")
        )
        return
    training_row = row if split_name == "train" else None
    why(card, image, device, source, training_row=training_row)
