"""What changes between two models, or between two epochs of a run, and whether it is chance."""

import streamlit as st

from fmnist.ui.page import page
from fmnist.ui.parts import compare as parts
from fmnist.ui.widgets import choice

source, device = page(
    "Compare",
    "What changes between two models, or between two epochs of a run: cell by cell, move by move, "
    "down to the images.",
)

what = choice("Compare", ["Two models", "Two epochs"], key="what")
pair = parts.choose_models(source, device) if what == "Two models" else parts.choose_epochs(source)
if pair is None:
    st.stop()

parts.verdict(pair)
parts.numbers(pair)
chart, panel = st.columns([5, 4], gap="large")
with panel:
    show = choice("Show", ["A cell", "A move", "Flips"], key="show")
    cell = parts.choose_cell()
    if show == "A cell":
        parts.changes(pair, cell)
    elif show == "A move":
        parts.moves(pair)
    else:
        parts.flips(pair)
with chart:
    parts.matrix(pair, cell if show == "A cell" else None)

st.header("By class")
parts.by_class(pair)
