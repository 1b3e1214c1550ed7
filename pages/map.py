"""The garments of a split placed by what a model makes of them."""

from functools import partial

import numpy as np
import streamlit as st

from fmnist.analysis import evaluation
from fmnist.data.splits import IN_WORDS
from fmnist.ui import garments, selections, widgets
from fmnist.ui.components.map import GROUPINGS
from fmnist.ui.page import page
from fmnist.ui.parts import map as parts
from fmnist.ui.state import dataset, models
from fmnist.words import _

source, device = page(
    _("Map"),
    _(
        "Garments that are alike to a model stand together. Drag, zoom, click one, or draw around "
        "some with Lasso or Box to see them below."
    ),
)

first, second, third, fourth = st.columns([3, 2, 2, 3], vertical_alignment="bottom")
with first:
    card = widgets.need_weights(lambda card: card.any_picture)
with second:
    split_name = widgets.choose_split(card)
with third:
    method = parts.choose_method()
with fourth:
    colour = widgets.choice(_("Coloured by"), GROUPINGS, key="colour")

split = dataset.split(split_name, source)
chosen = selections.chosen(split_name, len(split))
rows = np.array([], np.int64) if chosen is None else chosen
row = parts.picked(split_name, len(split))
with widgets.fresh("map page", f"{card.sha256} {split_name}"):
    answers = models.evaluate(card, split_name, source, device)
    ground, details = st.columns([2, 1], gap="large")
with details:
    if row is None:
        st.caption(_("Click a garment to see it large and what every model says of it."))
    else:
        of_split = _("Garment {row:,} of the {split} split", row=row, split=IN_WORDS[split_name])
        garments.large(split, row, of_split)
with ground:
    parts.ground(
        card,
        split_name,
        source,
        device,
        answers,
        method=method,
        colour=colour,
        chosen=rows,
        picked=row,
        on_choose=partial(parts.take_lasso, split_name, len(split)),
        on_pick=partial(parts.take_pick, split_name, len(split)),
    )
if row is not None:
    with details:
        widgets.model_answers(split.images[row], split_name, device)

st.header(_("{count:,} chosen", count=len(rows)))
if len(rows):
    name = _("{count:,} chosen on the map of {model}", count=len(rows), model=card.label)
    selections.menu(split_name, rows, len(split), name, card.name)
    confidence = evaluation.probabilities(answers.logits, card.temperature).max(1)
    parts.gallery(split, split_name, answers, confidence, rows)
else:
    st.caption(_("Choose Lasso or Box above the map, and draw around garments."))
