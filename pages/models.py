"""Every architecture and every weights file; load one of your own."""

import streamlit as st

from fmnist.ui import leaderboard
from fmnist.ui.leaderboard import SOURCE
from fmnist.ui.page import page
from fmnist.ui.parts import compare
from fmnist.ui.parts import models as parts
from fmnist.ui.state import models
from fmnist.weights import shelf
from fmnist.words import _

source, device = page(
    _("Models"), _("Every model with what was measured, its layers and the recipe that made it.")
)

board = st.container()

st.header(_("Load weights"))
parts.load_weights(source, device)

with board:
    st.header(_("Leaderboard"))
    leaderboard.full(device)
    for card in shelf.cards():
        if problem := models.problem(card):
            st.warning(_("Left out: {problem}", problem=problem))
    st.caption(_("{source} A click on a column's head sorts by it.", source=SOURCE))
    leaderboard.chart()

st.header(_("Two models side by side"))
pair = compare.choose_models(source, device)
if pair:
    compare.verdict(pair)
    compare.by_class(pair)
    compare.flips(pair)
    st.page_link(
        "pages/compare.py",
        label=_("Cell by cell and move by move"),
        icon=":material/compare_arrows:",
    )

st.header(_("Several as one"))
parts.several_as_one(source, device)

st.header(_("One model"))
parts.one_model(device)

st.header(_("One architecture"))
parts.architecture()
