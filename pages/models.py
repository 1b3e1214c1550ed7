"""Every architecture and every weights file; load one of your own."""

import streamlit as st

from fmnist.ui import leaderboard
from fmnist.ui.leaderboard import SOURCE
from fmnist.ui.page import page
from fmnist.ui.parts import compare
from fmnist.ui.parts import models as parts
from fmnist.ui.state import models
from fmnist.weights import shelf

source, device = page(
    "Models", "Every model with what was measured, its layers and the recipe that made it."
)

board = st.container()

st.header("Load weights")
parts.load_weights(source, device)

with board:
    st.header("Leaderboard")
    leaderboard.full(device)
    for card in shelf.cards():
        if problem := models.problem(card):
            st.warning(f"Left out: {problem}")
    st.caption(f"{SOURCE} A click on a column's head sorts by it.")
    leaderboard.chart()

st.header("Two models side by side")
pair = compare.choose_models(source, device)
if pair:
    compare.verdict(pair)
    compare.by_class(pair)
    compare.flips(pair)
    st.page_link(
        "pages/compare.py", label="Cell by cell and move by move", icon=":material/compare_arrows:"
    )

st.header("One model")
parts.one_model(device)

st.header("One architecture")
parts.architecture()
