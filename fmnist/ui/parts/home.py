"""The drawn garments as the app's face."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from fmnist.data import garments
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES

SIZE, SEED = 160, 0


@st.cache_data(show_spinner=False)
def _strip() -> NDArray[np.uint8]:
    rng = np.random.default_rng(SEED)
    drawn = [drawing.render(garments.garment(label, rng), SIZE) for label in range(len(CLASSES))]
    return np.concatenate([np.pad(image, 14) for image in drawn], axis=1)


@st.cache_data(show_spinner=False)
def icon() -> Image.Image:
    """A drawn garment for the browser's tab."""
    shirt = garments.garment(0, np.random.default_rng(SEED))
    return Image.fromarray(drawing.render(shirt, 64))


def strip() -> None:
    """One drawn garment of each class, side by side."""
    st.image(_strip(), width="stretch", alt="One drawn garment of each of the ten classes")
