"""Widgets that several pages share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist import devices, weights
from fmnist.data import CLASSES, Source
from fmnist.models import FAMILIES
from fmnist.ui import cache, navigation
from fmnist.ui.sprite import sprite

MOST_SHOWN = 300
CHART = {"displayModeBar": False}


def page(title: str, sentence: str) -> tuple[Source, torch.device]:
    """A page's head: title, what it is for, the dataset's banner and the sidebar's device.

    Returns the data in use and the device to compute on.
    """
    navigation.require()
    device = _choose_device()
    st.title(title)
    st.markdown(sentence)
    dataset = cache.dataset()
    if dataset.source == "drawn":
        reason = dataset.problem or (
            "The Fashion-MNIST files are not here. To get them, run `python -m fmnist data` with "
            "a network, or set FMNIST_DATA to a folder that holds them, and reload."
        )
        st.info(f"**You are looking at drawn garments, not at Fashion-MNIST.** {reason}")
    return dataset.source, device


def _choose_device() -> torch.device:
    options = ["auto", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    with st.sidebar:
        preference = st.selectbox(
            "Device",
            options,
            format_func={"auto": "Automatic", "cpu": "CPU", "cuda": "GPU (CUDA)"}.__getitem__,
            key="device",
            persist_state="session",
            help="Where models compute. Automatic takes a GPU when there is one.",
        )
        try:
            device = devices.choose(preference)
        except ValueError as error:
            st.warning(f"FMNIST_DEVICE is set wrongly: {error}")
            device = torch.device("cpu")
        st.caption(devices.describe(device))
    return device


def choose_weights(label: str = "Model") -> weights.Card | None:
    """A select box over every model that can be asked; None, with a hint, where there is none."""
    choices = cache.choices()
    if not choices:
        st.info("There are no trained models yet. Train one on the Train page.")
        return None
    names = list(choices)
    name = st.selectbox(
        label,
        names,
        index=names.index(weights.DEFAULT) if weights.DEFAULT in names else 0,
        format_func=lambda name: title(choices[name]),
        key="model",
        bind="query-params",
        persist_state="session",
    )
    return choices[name]


def title(card: weights.Card) -> str:
    """A model's name with its test accuracy, where that was measured."""
    return f"{card.name} ({card.test.accuracy:.2%})" if card.test else card.name


def leaderboard(**options: Any) -> Any:
    """Every model with its measured figures, the most accurate first."""
    rows = [
        {
            "Model": card.name,
            "Family": FAMILIES[card.family],
            "Test accuracy": card.test.accuracy * 100 if card.test else None,
            "Validation": card.validation.accuracy * 100 if card.validation else None,
            "Parameters": card.parameters,
            "Size": card.bytes / 1e6,
        }
        for card in cache.choices().values()
    ]
    return st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Test accuracy": st.column_config.NumberColumn(format="%.2f %%"),
            "Validation": st.column_config.NumberColumn(format="%.2f %%"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "Size": st.column_config.NumberColumn(format="%.1f MB"),
        },
        **options,
    )


def gallery(
    images: NDArray[np.uint8], rows: NDArray[np.int64], shares: NDArray[np.float32], wall: str
) -> None:
    """The images at `rows`, in that order, each over its probability (N,)."""
    shown, shares = rows[:MOST_SHOWN], shares[:MOST_SHOWN]
    with st.container(height=520, border=False):
        sprite(
            images[shown],
            [f"Image {row}: {share:.1%}" for row, share in zip(shown, shares, strict=True)],
            captions=[f"{share:.0%}" for share in shares],
            key="gallery",
            label=f"{len(shown)} images, most confident first; arrow keys choose one",
            wall=wall,
            tile=56,
        )
    first = f"The first {MOST_SHOWN}, most" if len(rows) > MOST_SHOWN else "Most"
    st.caption(f"{first} confident first. Below each is how sure the model was.")


def model_answers(
    images: NDArray[np.uint8], cards: Sequence[weights.Card], device: torch.device
) -> None:
    """What each model says of one image uint8 (28, 28), as a table."""
    rows = []
    for card in cards:
        shares, _ = cache.answer(card, images[None], device)
        best = int(shares[0].argmax())
        rows.append({"Model": card.name, "Answer": CLASSES[best], "Probability": shares[0][best]})
    st.dataframe(
        rows,
        hide_index=True,
        column_config={
            "Probability": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1
            )
        },
    )
