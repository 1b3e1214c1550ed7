"""Edit a recipe, start it as a run, and watch runs learn."""

from dataclasses import replace

import streamlit as st

from fmnist import runs
from fmnist.models import MODELS
from fmnist.ui import cache, widgets
from fmnist.ui.runs import edit_recipe, show_run

QUICK_EPOCHS, QUICK_IMAGES = 3, 10_000

source, device = widgets.page(
    "Train",
    "A training is a run of its own: it goes on when you close this tab, and its link shows the "
    "same curves in every browser.",
)
runs.dispatch()


plan, watch = st.columns([2, 5], gap="large")
with plan:
    model = st.selectbox("Model", MODELS, format_func=lambda name: MODELS[name].title)
    st.caption(MODELS[model].summary)
    preset = st.segmented_control(
        "Recipe", ["Quick look", "Shipped recipe"], default="Quick look", required=True
    )
    available = len(cache.split("train", source))
    shipped = MODELS[model].recipe
    if preset == "Quick look":
        proposal, limit = replace(shipped, epochs=QUICK_EPOCHS), QUICK_IMAGES
    else:
        proposal, limit = shipped, available
    recipe, limit = edit_recipe(proposal, limit, available, key=f"{model} {preset}")
    if st.button("Start training", type="primary", width="stretch"):
        run = runs.start(runs.Plan(model, recipe, source, device.type, limit))
        st.session_state["run"] = run.id

with watch:
    known = [run.id for run in runs.all_runs()]
    if known:
        show_run(st.selectbox("Run", known, key="run", bind="query-params"))
    else:
        st.info("No runs yet. The quick look takes under a minute.")
