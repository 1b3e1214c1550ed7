"""The images that models find hardest, or easiest."""

import numpy as np
import streamlit as st

from fmnist.analysis import difficulty
from fmnist.analysis.difficulty import MEASURES
from fmnist.data.splits import CLASSES
from fmnist.pictures.encode import data_url
from fmnist.ui import figures, widgets
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.downloads import csv_button, png_button
from fmnist.ui.page import page
from fmnist.ui.state import dataset, models
from fmnist.ui.widgets import CHART, MOST_SHOWN

ENDS = ("Hardest", "Easiest")
ASKED = 5  # of all models, the most accurate, until others are chosen

source, device = page(
    "Hardest",
    "The images that are hardest for one model or for many, and the easiest; class by class.",
)

choices = models.choices()
left, right = st.columns([5, 3])
names = list(choices)
asked = left.multiselect("Models", names, names[:ASKED], key="models", bind="query-params")
class_name = right.selectbox("Class", ["Any class", *CLASSES], key="class", bind="query-params")
if not asked:
    st.info("Choose a model; where there is none, train one on the Train page.")
    st.stop()
left, middle, right = st.columns([6, 3, 3], vertical_alignment="bottom")
measure = left.segmented_control(
    "Hard by", MEASURES, default="Doubt", required=True, key="by", bind="query-params"
)
with middle:
    split_name = widgets.choose_split()
end = right.segmented_control(
    "First", ENDS, default=ENDS[0], required=True, key="end", bind="query-params"
)
score, form, meaning = MEASURES[measure]
st.caption(meaning)

split = dataset.split(split_name, source)
cards = [choices[name] for name in asked]
answers = np.stack([models.probabilities(card, split_name, source, device) for card in cards])
scores = score(answers, split.labels)
rows = difficulty.hardest_first(scores, difficulty.doubt(answers, split.labels))
if end == "Easiest":
    rows = rows[::-1]
if class_name in CLASSES:
    rows = rows[split.labels[rows] == CLASSES.index(class_name)]
shown = rows[:MOST_SHOWN]
written = [form.format(scores[row]) for row in shown]

wall, details = st.columns([5, 3], gap="large")
with wall:
    with st.container(height=520, border=False):
        picked = garment_wall(
            split.images[shown],
            [f"Image {row}, {CLASSES[split.labels[row]]}" for row in shown],
            captions=written,
            key="hardest",
            label=f"{len(shown)} images, the {end.lower()} first; arrow keys choose one",
            name=f"{source} {split_name} {class_name} {measure} {end} {asked}",
            tile=64,
        )
    st.caption(f"{len(shown):,} of {len(rows):,} images, the {end.lower()} first.")
    said = np.array(CLASSES)[answers.argmax(2)]
    table = [
        {
            "Image": int(row),
            "True": CLASSES[split.labels[row]],
            measure: scores[row],
            **{f"{name} says": said[model, row] for model, name in enumerate(asked)},
        }
        for row in shown
    ]
    with st.container(horizontal=True):
        csv_button("CSV", table, f"{end.lower()}-{split_name}.csv", "csv")
        png_button("PNG", split.images[shown], f"{end.lower()}-{split_name}.png", "png")
with details:
    row = int(shown[picked or 0])
    label = CLASSES[split.labels[row]]
    st.subheader(label)
    st.image(data_url(split.images[row], 280), width=280, alt=f"Image {row}, {label}")
    st.caption(f"Image {row:,} of the {split_name} split. {measure}: {written[picked or 0]}.")
    widgets.model_answers(split.images[row], cards, device)

st.header("By class")
means = [float(scores[split.labels == label].mean()) for label in range(len(CLASSES))]
st.plotly_chart(
    figures.class_means(means, [form.format(round(mean, 3)) for mean in means]),
    config=CHART,
    key="by class",
)
st.caption(f"Mean over all {len(split):,} images of the {split_name} split.")
