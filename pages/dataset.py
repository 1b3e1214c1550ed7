"""The dataset as sprites by class, and one garment in detail."""

import numpy as np
import streamlit as st

from fmnist.data.splits import CLASSES, SPLITS
from fmnist.pictures.encode import data_url
from fmnist.ui import figures, widgets
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.downloads import csv_button, png_button
from fmnist.ui.page import page
from fmnist.ui.state import dataset, models
from fmnist.ui.widgets import CHART

PER_PAGE = 900

source, device = page(
    "Dataset", "Every garment, by class. Choose one to see it large and what the models say."
)

left, middle, right = st.columns([2, 2, 1], vertical_alignment="bottom")
split_name = left.segmented_control(
    "Split",
    SPLITS,
    default="train",
    required=True,
    key="split",
    bind="query-params",
)
class_name = middle.selectbox("Class", ["Any class", *CLASSES], key="class", bind="query-params")
split = dataset.split(split_name, source)
rows = np.arange(len(split))
if class_name in CLASSES:
    rows = np.flatnonzero(split.labels == CLASSES.index(class_name))
pages = -(-len(rows) // PER_PAGE)
number = right.number_input(f"Page of {pages}", 1, pages, key=f"page of {pages}")
rows = rows[(number - 1) * PER_PAGE : number * PER_PAGE]

wall, details = st.columns([5, 3], gap="large")
with wall.container(height=660, border=False):
    picked = garment_wall(
        split.images[rows],
        [f"{CLASSES[split.labels[row]]}, {row}" for row in rows],
        key="wall",
        label=f"{len(rows)} garments; arrow keys choose one",
        name=f"{source} {split_name} {class_name} {number}",
    )
with wall:
    st.caption(
        f"{len(rows):,} garments from {rows[0]:,} to {rows[-1]:,} of the {split_name} split."
    )
    with st.container(horizontal=True):
        table = [{"Garment": int(row), "Class": CLASSES[split.labels[row]]} for row in rows]
        csv_button("CSV", table, f"{split_name}-garments.csv", "csv")
        png_button("PNG", split.images[rows], f"{split_name}-garments.png", "png")

with details:
    row = int(rows[picked or 0])
    image, label = split.images[row], CLASSES[split.labels[row]]
    st.subheader(label)
    st.caption(f"Garment {row:,} of the {split_name} split. Label {split.labels[row]}, {label}.")
    st.image(data_url(image, 280), width="stretch", alt=f"Garment {row}, {label}")
    widgets.draw_on(split_name, row)
    widgets.model_answers(image, list(models.choices().values()), device)

st.header("Classes")
st.plotly_chart(figures.class_counts(split.labels), config=CHART, key="counts")
