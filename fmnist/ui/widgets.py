"""Widgets that several pages share."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.data.splits import CLASSES, HELD_OUT, SplitName
from fmnist.pictures.encode import data_url
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.state import models
from fmnist.weights.card import Card
from fmnist.weights.shelf import DEFAULT

MOST_SHOWN = 1000
CHART = {"displayModeBar": False}


def choose_weights(label: str = "Model") -> Card | None:
    """A select box over every model that can be asked; None, with a hint, where there is none."""
    choices = models.choices()
    if not choices:
        st.info("There are no trained models yet. Train one on the Train page.")
        return None
    names = list(choices)
    name = st.selectbox(
        label,
        names,
        index=names.index(DEFAULT) if DEFAULT in names else 0,
        key="model",
        bind="query-params",
        persist_state="session",
    )
    return choices[name]


def choose_split() -> SplitName:
    """The two splits that no model was trained on, to choose one."""
    chosen: SplitName = st.segmented_control(
        "Split", HELD_OUT, default="test", required=True, key="on", bind="query-params"
    )
    return chosen


def gallery(
    images: NDArray[np.uint8],
    rows: NDArray[np.int64],
    shares: NDArray[np.float32],
    name: str,
    picked: int | None = None,
    on_pick: Callable[[], None] | None = None,
) -> None:
    """The images at `rows`, in that order, each over its probability (N,); see `garment_wall`."""
    shown, shares = rows[:MOST_SHOWN], shares[:MOST_SHOWN]
    with st.container(height=430, border=False):
        garment_wall(
            images[shown],
            [f"Image {row}: {share:.1%}" for row, share in zip(shown, shares, strict=True)],
            captions=[f"{share:.0%}" for share in shares],
            key="gallery",
            label=f"{len(shown)} images, most confident first; arrow keys choose one",
            name=name,
            tile=56,
            picked=picked,
            on_pick=on_pick,
        )
    first = f"The first {MOST_SHOWN:,}, most" if len(rows) > MOST_SHOWN else "Most"
    st.caption(f"{first} confident first. Below each is how sure the model was.")


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


def model_answers(images: NDArray[np.uint8], cards: Sequence[Card], device: torch.device) -> None:
    """What each model says of one image uint8 (28, 28), as a table."""
    rows = []
    for card in cards:
        answer, _ = models.answer(card, images[None], device)
        (shares,) = answer.probabilities
        best = int(shares.argmax())
        rows.append({"Model": card.name, "Answer": CLASSES[best], "Probability": shares[best]})
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Probability": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            )
        },
    )
