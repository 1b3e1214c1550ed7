"""The garments of a split placed by what a model makes of them."""

import streamlit as st

from fmnist.analysis import embedding, evaluation
from fmnist.ui import garments, widgets
from fmnist.ui.components.map import garment_map
from fmnist.ui.page import page
from fmnist.ui.parts.map import gallery, thumbnails
from fmnist.ui.state import analysis, dataset, models

source, device = page(
    "Map",
    "Garments that are alike to a model stand together. Drag, zoom, click one, or draw around "
    "some with Lasso or Box to see them below.",
)

first, second, third, fourth = st.columns([3, 2, 2, 3], vertical_alignment="bottom")
with first:
    card = widgets.need_weights(lambda card: card.any_picture)
with second:
    split_name = widgets.choose_split()
with third:
    method = widgets.choice(
        "Placed by",
        list(embedding.METHODS),
        key="method",
        help="PCA is there at once. t-SNE keeps neighbours together, and takes about a minute "
        "once.",
    )
with fourth:
    colour = widgets.choice("Coloured by", ["Class", "Answer", "Error"], key="colour")

split = dataset.split(split_name, source)
answers = models.evaluate(card, split_name, source, device)
confidence = evaluation.probabilities(answers.logits, card.temperature).max(1)
job = analysis.positions(card, split_name, source, method, device)
positions = job.result(f"Computing {method} of {card.label}'s features …")

ground, details = st.columns([2, 1], gap="large")
with ground:
    chosen = garment_map(
        thumbnails(split_name, source),
        positions,
        split.labels,
        answers.predictions,
        confidence,
        colour,
        key="map",
        name=f"{source} {split_name} {card.sha256} {method}",
    )
with details:
    if chosen.picked is None:
        st.caption("Click a garment to see it large and what every model says of it.")
    else:
        row = chosen.picked
        garments.large(split, row, f"Garment {row:,} of the {split_name} split")
        widgets.model_answers(split.images[row], split_name, device)

st.header(f"{len(chosen.rows):,} chosen")
if len(chosen.rows):
    gallery(split, split_name, answers, confidence, chosen.rows)
else:
    st.caption("Choose Lasso or Box above the map, and draw around garments.")
