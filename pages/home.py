"""One thing to do at once, three ways on from it, and all there is."""

import streamlit as st

from fmnist.runs.run import all_runs
from fmnist.ui import answers, leaderboard
from fmnist.ui.leaderboard import SOURCE
from fmnist.ui.page import STUDIO, page
from fmnist.ui.parts import classify, home
from fmnist.ui.state import models
from fmnist.words import _, said

source, device = page(
    STUDIO,
    _(
        "Draw a garment, and a classifier names it with every stroke. Then find out why, where it "
        "errs and how it learns."
    ),
)


@st.fragment
def try_it() -> None:
    """An empty canvas, and what a model makes of it; a stroke runs this again and nothing else."""
    bring, hear = st.columns(2, gap="medium")
    best = bring.container()
    with bring:
        taken = classify.draw_freely()
    probabilities = answers.NOTHING
    if taken and (card := models.default()):  # loaded at the first stroke
        probabilities = answers.ask(card, taken, device)[0].probabilities[0]
    with best:
        answers.best(probabilities)
    with hear:
        answers.show([probabilities], [""])


left, right = st.columns([2, 1], gap="medium")
with left:
    try_it()
with right:
    home.ways_on()

st.header(_("All there is"))
home.strip()
home.places()

columns = st.columns(4)
columns[0].metric(_("Device"), "GPU" if device.type == "cuda" else "CPU", border=True)
columns[1].metric(_("Dataset"), "Fashion-MNIST" if source == "real" else _("Drawn"), border=True)
columns[2].metric(_("Models"), len(models.choices()), border=True)
columns[3].metric(_("Training now"), sum(run.active for run in all_runs()), border=True)

st.header(_("Leaderboard"))
leaderboard.brief()
st.caption(said(SOURCE))
