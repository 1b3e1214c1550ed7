"""What this is, what it runs on, and where to start."""

import streamlit as st

from fmnist.runs.run import all_runs
from fmnist.ui import leaderboard
from fmnist.ui.leaderboard import SOURCE
from fmnist.ui.page import page
from fmnist.ui.parts import home
from fmnist.ui.state import models

source, device = page(
    "Fashion-MNIST Studio",
    "Train, browse, question and try classifiers for ten kinds of clothing.",
)

home.strip()

columns = st.columns(4)
columns[0].metric("Device", "GPU" if device.type == "cuda" else "CPU", border=True)
columns[1].metric("Dataset", "Fashion-MNIST" if source == "real" else "Drawn", border=True)
columns[2].metric("Models", len(models.choices()), border=True)
columns[3].metric("Training now", sum(run.active for run in all_runs()), border=True)

st.header("Where to start")
for row in (
    (
        ("classify", "Classify", "Draw a garment, or bring a picture, and see what models say."),
        ("dataset", "Dataset", "See every garment, class by class."),
        ("errors", "Errors", "Open the confusion matrix into the images behind it."),
        ("train", "Train", "Choose a recipe and watch a model learn."),
        ("models", "Models", "See architectures, or load weights of your own."),
    ),
    (
        ("map", "Map", "See the garments as a model does: the alike stand together."),
        ("scores", "Scores", "Weigh figures by class, and what confidence is worth."),
        ("compare", "Compare", "Find what changes from one model to another."),
        ("hardest", "Hardest", "Meet the garments that models doubt or disagree on."),
        ("suspects", "Suspects", "Judge doubtful labels and near-duplicates."),
    ),
):
    for column, (name, label, text) in zip(st.columns(5), row, strict=True):
        with column.container(border=True, height="stretch"):
            st.page_link(f"pages/{name}.py", label=f"**{label}**")
            st.caption(text)

st.header("Leaderboard")
leaderboard.brief()
st.caption(SOURCE)
