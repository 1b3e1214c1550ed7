"""Every architecture and every weights file; load one of your own."""

import streamlit as st

from fmnist.analysis import comparison
from fmnist.models import FAMILIES, MODELS
from fmnist.models.layers import layers, parameter_count
from fmnist.ui import leaderboard
from fmnist.ui.leaderboard import SOURCE
from fmnist.ui.page import page
from fmnist.ui.parts import compare
from fmnist.ui.parts.models import load_weights
from fmnist.ui.state import models
from fmnist.weights import shelf

source, device = page(
    "Models", "Every model with what was measured, its layers and the recipe that made it."
)

board = st.container()

st.header("Load weights")
load_weights(source, device)

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
    st.markdown(
        comparison.in_words(
            comparison.mcnemar(*pair.predictions, pair.split.labels), *pair.names, len(pair.split)
        )
    )
    compare.by_class(pair)
    compare.flips(pair)
    st.page_link(
        "pages/compare.py", label="Cell by cell and move by move", icon=":material/compare_arrows:"
    )

st.header("One model")
name = st.selectbox(
    "Architecture",
    MODELS,
    format_func=lambda name: f"{MODELS[name].title} ({name})",
    key="architecture",
    bind="query-params",
)
spec = MODELS[name]
untrained = spec.build()
st.markdown(f"{spec.summary} {FAMILIES[spec.family]}, {parameter_count(untrained):,} parameters.")
structure, recipe = st.columns([3, 2], gap="large")
with structure:
    st.subheader("Layers")
    st.dataframe(
        layers(untrained),
        hide_index=True,
        column_config={"Parameters": st.column_config.NumberColumn(format="localized")},
    )
with recipe:
    st.subheader("Recipe")
    st.table(
        {
            key: ", ".join(value) if isinstance(value, list) else str(value)
            for key, value in spec.recipe.to_json().items()
        }
    )
