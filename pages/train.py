"""Edit a recipe, start it as a run, and watch runs learn."""

from dataclasses import replace

import streamlit as st

from fmnist.classroom import runs
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.runs import queue
from fmnist.runs.run import Plan
from fmnist.ui.page import page
from fmnist.ui.parts.train import (
    choose_run,
    compare_chosen,
    edit_recipe,
    forecast,
    list_runs,
    name_run,
    show_run,
)
from fmnist.ui.state import classroom, dataset
from fmnist.weights import shelf

QUICK_EPOCHS, QUICK_IMAGES = 3, 10_000

source, device = page(
    "Train",
    "A training is a run of its own: it goes on when you close this tab, and its link shows the "
    "same curves in every browser.",
)
queue.dispatch()
ticket = classroom.ticket()
known = {run.id: run for run in runs.seen_by(ticket)}

plan, watch = st.columns([1, 2], gap="large")
with plan:
    preset = st.segmented_control(
        "Recipe",
        ["Quick", "Shipped", *(["Again"] if known else [])],
        default="Quick",
        required=True,
        help=f"Quick is {QUICK_EPOCHS} epochs of {QUICK_IMAGES:,} images. Again takes the shown "
        "run, to be changed and run anew.",
    )
    available = len(dataset.split("train", source))
    if preset == "Again":
        newest = next(iter(known.values()))
        shown = known.get(st.session_state.get("run", ""), newest)
        model, proposal, limit = shown.plan.model, shown.plan.recipe, shown.plan.limit or available
        key, origin = shown.id, f"run {shown.label}"
        st.markdown(f"**{MODELS[model].title}**")
    else:
        model = st.selectbox("Model", MODELS, format_func=lambda name: MODELS[name].title)
        proposal, limit, key = MODELS[model].recipe, available, f"{model} {preset}"
        origin = f"the {preset.lower()} recipe"
    st.caption(MODELS[model].summary)
    if preset == "Quick":
        proposal, limit = replace(proposal, epochs=QUICK_EPOCHS, teacher=None), QUICK_IMAGES
    teachers = [card.name for card in shelf.cards() if card.may_know(source) and card.any_picture]
    recipe, limit = edit_recipe(proposal, limit, available, teachers, key)
    wanted = Plan(model, recipe, source, device.type, limit, origin=origin)
    title = name_run(ticket)
    how_long = st.container()
    if st.button("Start training", type="primary", width="stretch"):
        try:
            run = runs.start(wanted, title, ticket)
        except (UserFacingError, OSError) as error:
            st.error(str(error))
        else:
            known = {run.id: run} | known
            st.session_state["run"] = run.id

with watch:
    if known:
        show_run(known[choose_run(list(known.values()))], ticket)
    else:
        st.info("No runs yet. Start one, and its curves are drawn here as it learns.")

if known:
    st.header("All runs")
    list_runs(list(known.values()))
    compare_chosen(list(known.values()))

with how_long:  # last, as it may have to be measured first
    forecast(wanted, limit)
