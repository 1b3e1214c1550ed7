"""The parts of the home page: the ways on from it, and the drawn garments as the app's face."""

from collections.abc import Iterable
from itertools import chain

import numpy as np
import streamlit as st
from PIL import Image

from fmnist.data import garments
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES
from fmnist.pictures.encode import png
from fmnist.ui.navigation import PLACES, Place
from fmnist.words import Words, _, said

SIZE, SEED = 118, 0
"""Ten garments are as wide as Streamlit sends a picture without making it smaller every time."""
WAYS_ON = (
    Place(
        "classify",
        Words("Draw, or bring a picture"),
        "draw",
        Words("Ask several models, and ask why."),
    ),
    Place(
        "errors",
        Words("Look at its errors"),
        "query_stats",
        Words("Which garments it takes for which."),
    ),
    Place(
        "train",
        Words("Train your own"),
        "model_training",
        Words("Choose a recipe and watch it learn."),
    ),
)


@st.cache_data(show_spinner=False)
def _strip() -> bytes:
    rng = np.random.default_rng(SEED)
    drawn = [drawing.render(garments.garment(label, rng), SIZE) for label in range(len(CLASSES))]
    return png(np.concatenate([np.pad(image, 14) for image in drawn], axis=1))


@st.cache_data(show_spinner=False)
def icon() -> Image.Image:
    """A drawn garment for the browser's tab."""
    shirt = garments.garment(0, np.random.default_rng(SEED))
    return Image.fromarray(drawing.render(shirt, 64))


def strip() -> None:
    """One drawn garment of each class, side by side."""
    st.image(_strip(), width="stretch", alt=_("One drawn garment of each of the ten classes"))


def ways_on() -> None:
    """Three ways on from the first drawing."""
    _links("ways", WAYS_ON)


def places() -> None:
    """Every page with what it is for, in the order of the sidebar."""
    _links("places", chain.from_iterable(PLACES.values()))


def _links(key: str, places: Iterable[Place]) -> None:
    """Cards that are links, each with what it leads to; see studio.css.

    One element each: all whom a lesson begins for open this page at the same moment.
    """
    with st.container(key=f"links-{key}"):
        for place in places:
            st.page_link(
                f"pages/{place.name}.py",
                label=f"**{said(place.title)}** :small[{said(place.purpose)}]",
                icon=f":material/{place.icon}:",
                width="stretch",
            )
