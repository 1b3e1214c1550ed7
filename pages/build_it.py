"""A network of one's own, layer by layer: what fits, how much it takes, and its training."""

import streamlit as st

from fmnist.ui.page import page
from fmnist.ui.parts import build_it as parts
from fmnist.words import _

source, device = page(
    _("Build it"),
    _("Put a network together from layers. Each says what it hands on, or what does not fit."),
)

parts.recall()
parts.add()
bricks, whole = st.columns([3, 2], gap="large")
with bricks:
    laid = parts.edit()
with whole:
    made = parts.layers(laid)
    if made:
        parts.train(made, source, device)
        parts.show_code(made)
