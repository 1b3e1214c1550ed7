"""The dataset as sprites by class, and one garment in detail."""

import numpy as np
import streamlit as st

from fmnist.data.splits import CLASSES, IN_WORDS, SPLITS
from fmnist.ui import figures, garments, widgets
from fmnist.ui.page import page
from fmnist.ui.state import dataset
from fmnist.ui.widgets import choice
from fmnist.words import _, said

PER_PAGE = 900

source, device = page(
    _("Dataset"), _("Every garment, by class. Choose one to see it large and what the models say.")
)

left, rest = st.columns([2, 3], vertical_alignment="bottom")
middle, right = rest.columns([2, 1], vertical_alignment="bottom", wrap=False)
with left:
    split_name = choice(_("Split"), SPLITS, key="split", shown=widgets.called)
with middle:
    label = widgets.choose_class()
split = dataset.split(split_name, source)
rows = np.arange(len(split)) if label is None else np.flatnonzero(split.labels == label)
with right:
    rows = rows[widgets.choose_page(len(rows), PER_PAGE, "page")]

wall, details = st.columns([5, 3], gap="large")
with wall:
    names = [CLASSES[number] for number in split.labels[rows]]
    picked = garments.gallery(
        split.images[rows],
        [f"{said(name)}, {row}" for name, row in zip(names, rows, strict=True)],
        [{"Garment": row, "Class": name} for name, row in zip(names, rows, strict=True)],
        key="wall",
        name=f"{source} {split_name} {label} {rows[0]}",
        what=_("garments"),
        filename=f"{split_name}-garments",
        caption=_(
            "{garments:,} garments from {first:,} to {last:,} of the {split} split.",
            garments=len(rows),
            first=rows[0],
            last=rows[-1],
            split=IN_WORDS[split_name],
        ),
        height=660,
        tile=30,
    )
with details:
    row = int(rows[picked or 0])
    number = split.labels[row]
    caption = _(
        "Garment {row:,} of the {split} split. Label {number}, {label}.",
        row=row,
        split=IN_WORDS[split_name],
        number=number,
        label=CLASSES[number],
    )
    garments.large(split, row, caption)
    widgets.draw_on(split_name, row)
    widgets.model_answers(split.images[row], split_name, device)

st.header(_("Classes"))
widgets.chart(figures.class_counts(split.labels), "counts", _("How many garments each class has"))
