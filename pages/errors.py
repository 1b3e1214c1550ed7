"""The confusion matrix, the images behind each of its cells, and one of them with the reasons."""

import streamlit as st

from fmnist.analysis import evaluation
from fmnist.data.splits import SPLITS
from fmnist.ui import figures, widgets
from fmnist.ui.page import page
from fmnist.ui.parts.errors import (
    Selection,
    choose_cell,
    garment,
    matrix,
    means,
    take_along,
    walk,
    wall,
)
from fmnist.ui.state import dataset, models

source, device = page(
    "Errors", "What a model confuses with what. Choose a cell to see the images behind it."
)

left, right = st.columns([3, 4], vertical_alignment="bottom")
with left:
    card = widgets.choose_weights()
if card is None:
    st.stop()
split_name = right.segmented_control(
    "Split", SPLITS[::-1], default="test", required=True, key="on", bind="query-params"
)

split = dataset.split(split_name, source)
answers = models.evaluate(card, split_name, source, device)
counts = evaluation.confusion(answers)
st.markdown(
    f"**{card.name}** names {evaluation.accuracy(answers):.2%} of {len(split):,} {split_name} "
    f"images right and {len(split) - counts.trace():,} wrong."
)

chart, gallery = st.columns([3, 2], gap="medium")
large = st.container()
with gallery:
    cell = choose_cell()
    rows = evaluation.errors(answers, *cell, card.temperature)
    st.subheader(f"{figures.cell_name(*cell)}: {len(rows):,}")
with chart:
    matrix(counts, cell)
if len(rows):
    name = f"{card.name}, {split_name}: {figures.cell_name(*cell)}"
    selection = Selection(name, split, rows, answers, card.temperature)
    with large:
        st.header("One garment")
        row = walk(selection)
        garment(card, split_name, row, source, device)
    with gallery:
        wall(selection, row)
        means(selection, *cell)
        take_along(selection)
else:
    gallery.caption("No image is in this cell. Choose another one in the matrix.")
