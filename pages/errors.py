"""The confusion matrix, the images behind each of its cells, and one of them with the reasons."""

import streamlit as st

from fmnist.analysis import evaluation
from fmnist.data.splits import SPLITS
from fmnist.ui import figures, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import errors as parts
from fmnist.ui.parts.errors import Selection
from fmnist.ui.state import dataset, models

source, device = page(
    "Errors", "What a model confuses with what. Choose a cell to see the images behind it."
)

left, right = st.columns([3, 4], vertical_alignment="bottom")
with left:
    card = widgets.need_weights()
with right:
    split_name = widgets.choice("Split", SPLITS[::-1], key="on")

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
    cell = parts.choose_cell()
    rows = evaluation.errors(answers, *cell, card.temperature)
    st.header(f"{figures.cell_name(*cell)}: {len(rows):,}")
with chart:
    parts.matrix(counts, cell)
if len(rows):
    name = f"{card.name}, {split_name}: {figures.cell_name(*cell)}"
    selection = Selection(name, split, rows, answers, card.temperature)
    with large:
        st.header("One garment")
        row = parts.walk(selection)
        parts.garment(card, split_name, row, source, device)
    with gallery:
        parts.gallery(selection, row)
        parts.means(selection, *cell)
else:
    gallery.caption("No image is in this cell. Choose another one in the matrix.")
