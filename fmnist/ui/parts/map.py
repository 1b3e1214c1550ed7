"""The parts of the map page, of which the errors page shows one, too."""

import io
from collections.abc import Callable

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from PIL import Image

from fmnist.analysis import embedding, evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import CLASSES, Source, Split, SplitName
from fmnist.machine import files
from fmnist.pictures.encode import atlas
from fmnist.ui import garments, links, selections, widgets
from fmnist.ui.components import map as component
from fmnist.ui.components.map import SHEET_COLUMNS
from fmnist.ui.matrices import cell_name
from fmnist.ui.state import analysis, dataset
from fmnist.weights.card import Card
from fmnist.words import _, number, said

KEY, PICKED = "map", "garment"


@st.cache_resource(show_spinner=False, max_entries=8)
def thumbnails(split_name: SplitName, source: Source) -> bytes:
    """A split's garments on one sheet, SHEET_COLUMNS a row.

    WebP at this quality is half the size of a PNG, and 30 browsers may ask for it at once. Its
    usual method takes five times as long for the training split, and saves a tenth.
    """
    content = io.BytesIO()
    sheet = atlas(dataset.split(split_name, source).images, SHEET_COLUMNS)
    Image.fromarray(sheet).save(content, "WEBP", quality=80, method=2)
    return content.getvalue()


def choose_method() -> str:
    """A bar of the ways to place garments."""
    return widgets.choice(
        _("Placed by"),
        list(embedding.METHODS),
        key="method",
        help=_(
            "PCA is there at once. t-SNE keeps neighbours together, and takes about a minute once."
        ),
    )


def ground(
    card: Card,
    split_name: SplitName,
    source: Source,
    device: torch.device,
    answers: Evaluation,
    *,
    method: str,
    colour: str,
    chosen: NDArray[np.int64],
    picked: int | None,
    on_choose: Callable[[], None],
    on_pick: Callable[[], None],
) -> None:
    """The map of a split as a model sees it, with progress until it is there.

    The callbacks learn by `taken_rows` and `taken_row` what was chosen on it.
    """
    split = dataset.split(split_name, source)
    with widgets.fresh("map", f"{card.sha256} {split_name} {source} {method}"):
        positions = analysis.positions(card, split_name, source, method, device)
        component.garment_map(
            thumbnails(split_name, source),
            positions,
            split.labels,
            answers.predictions,
            evaluation.probabilities(answers.logits, card.temperature).max(1),
            colour,
            key=KEY,
            name=f"{source} {split_name} {card.sha256} {method}",
            chosen=chosen,
            picked=picked,
            on_choose=on_choose,
            on_pick=on_pick,
        )


def taken_rows(count: int) -> NDArray[np.int64]:
    """The rows (N,) that a lasso or a box has just chosen."""
    return component.taken_rows(st.session_state[KEY].get("chosen"), count)


def taken_row(count: int) -> int | None:
    """The row that has just been picked."""
    return component.taken_row(st.session_state[KEY].get("picked"), count)


def take_lasso(split_name: SplitName, count: int) -> None:
    """Put what was chosen into the link."""
    selections.choose(split_name, taken_rows(count), count)


def take_pick(split_name: SplitName, count: int) -> None:
    """Put the garment that was picked into the link."""
    row = taken_row(count)
    if row is not None:
        st.query_params[PICKED] = str(row)
        st.session_state["garment shown of"] = str(row), split_name


def picked(split_name: SplitName, count: int) -> int | None:
    """The garment of the link, of a split of `count`; one of the split before is forgotten."""
    asked = st.query_params.get(PICKED, "")
    if not asked:
        return None
    last, of_split = st.session_state.get("garment shown of", (asked, split_name))
    if last != asked or of_split == split_name:
        row = links.number(asked)
        if row is not None and row < count:
            st.session_state["garment shown of"] = asked, split_name
            return row
        links.say_unknown(_("garment"), asked)
    st.query_params.pop(PICKED)
    return None


def gallery(
    split: Split,
    split_name: SplitName,
    answers: Evaluation,
    confidence: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> None:
    """The chosen rows of a split: how many of which class, their images, and both to download."""
    predictions = answers.predictions
    counts = np.bincount(split.labels[rows], minlength=len(CLASSES))
    of_classes = [
        f"**{number(counts[label])}** {said(CLASSES[label])}"
        for label in np.argsort(-counts, kind="stable")
        if counts[label]
    ]
    right = (predictions == split.labels)[rows].mean()
    st.markdown(
        _(
            "{of_classes}. {model} names {right:.1%} of them right.",
            of_classes=", ".join(of_classes),
            model=answers.model,
            right=right,
        )
    )
    garments.gallery(
        split.images[rows],
        [f"{said(cell_name(split.labels[row], predictions[row]))}, {row}" for row in rows],
        [
            {
                "split": split_name,
                "row": row,
                "label": CLASSES[split.labels[row]],
                "answer": CLASSES[predictions[row]],
                "confidence": confidence[row],
            }
            for row in rows
        ],
        key="chosen",
        name=f"{split_name} {files.digest(rows)}",
        what=_("chosen garments"),
        filename="garments",
        height=420,
        tile=48,
    )
