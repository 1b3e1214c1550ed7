"""Edit a recipe, start it as a run, and watch runs learn."""

from dataclasses import replace

import streamlit as st

from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.runs import queue
from fmnist.runs.run import Plan, all_runs
from fmnist.ui import widgets
from fmnist.ui.page import page
from fmnist.ui.parts.train import choose_run, compare, edit_recipe, forecast, list_runs, show_run
from fmnist.ui.state import dataset
from fmnist.weights import shelf
from fmnist.words import Words, _, said

QUICK_EPOCHS, QUICK_IMAGES = 3, 10_000
QUICK, SHIPPED, AGAIN = Words("Quick"), Words("Shipped"), Words("Again")

source, device = page(
    _("Train"),
    _(
        "A training is a run of its own: it goes on when you close this tab, and its link shows "
        "the same curves in every browser."
    ),
)
queue.dispatch()
known = {run.id: run for run in all_runs()}

plan, watch = st.columns([1, 2], gap="large")
with plan:
    preset = st.segmented_control(
        _("Recipe"),
        [QUICK, SHIPPED, *([AGAIN] if known else [])],
        default=QUICK,
        format_func=said,
        required=True,
        help=_(
            "Quick is {epochs} epochs of {images:,} images. Again takes the shown run, to be "
            "changed and run anew.",
            epochs=QUICK_EPOCHS,
            images=QUICK_IMAGES,
        ),
    )
    available = len(dataset.split("train", source))
    if preset == AGAIN:
        newest = next(iter(known.values()))
        shown = known.get(st.session_state.get("run", ""), newest)
        model, proposal, limit = shown.plan.model, shown.plan.recipe, shown.plan.limit or available
        key, origin = shown.id, Words("run {run}", run=shown.id)
        st.markdown(f"**{said(MODELS[model].title)}**")
    else:
        model = st.selectbox(_("Model"), MODELS, format_func=lambda name: said(MODELS[name].title))
        proposal, limit, key = MODELS[model].recipe, available, f"{model} {preset}"
        origin = Words("the quick recipe") if preset == QUICK else Words("the shipped recipe")
    st.caption(said(MODELS[model].summary))
    if preset == QUICK:
        proposal, limit = replace(proposal, epochs=QUICK_EPOCHS, teacher=None), QUICK_IMAGES
    teachers = [card.name for card in shelf.cards() if card.may_know(source) and card.any_picture]
    recipe, limit = edit_recipe(proposal, limit, available, teachers, key)
    wanted = Plan(model, recipe, source, device.type, limit, origin=origin)
    how_long = st.container()
    if st.button(_("Start training"), type="primary", width="stretch"):
        try:
            run = queue.start(wanted)
        except (UserFacingError, OSError) as error:
            st.error(said(error))
        else:
            known = {run.id: run} | known
            st.session_state["run"] = run.id

with watch:
    if known:
        show_run(known[choose_run(list(known))])
    else:
        st.info(_("No runs yet. Start one, and its curves are drawn here as it learns."))

if known:
    st.header(_("All runs"))
    list_runs(list(known.values()))
    chosen = widgets.several(_("Compare the curves of"), list(known), key="compared")
    if chosen:
        compare([run for run in known.values() if run.id in chosen])

with how_long:  # last, as it may have to be measured first
    forecast(wanted, limit, list(known.values()))
