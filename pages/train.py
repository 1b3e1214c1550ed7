"""Edit a recipe, start it as a run, and watch runs learn."""

from dataclasses import replace

import streamlit as st

from fmnist.classroom import runs
from fmnist.machine.errors import UserFacingError
from fmnist.models import MODELS
from fmnist.runs.run import Plan, spec
from fmnist.ui.page import page
from fmnist.ui.parts import train as parts
from fmnist.ui.state import classroom, dataset
from fmnist.weights import shelf
from fmnist.words import Words, _, said

QUICK_EPOCHS, QUICK_IMAGES = 3, 10_000
LINK, QUICK, SHIPPED, AGAIN = Words("Link"), Words("Quick"), Words("Shipped"), Words("Again")

source, device = page(
    _("Train"),
    _("A run goes on when you close this tab, and its link shows it in every browser."),
)
parts.dispatch()
ticket = classroom.ticket()
known = parts.known_runs(ticket)
asked = parts.asked_for()

plan, watch = st.columns([1, 2], gap="large")
with plan:
    preset = st.segmented_control(
        _("Recipe"),
        [*([LINK] if asked else []), QUICK, SHIPPED, *([AGAIN] if known else [])],
        default=LINK if asked else QUICK,
        format_func=said,
        required=True,
        key=f"preset {asked}",
        persist_state="session",
        help=_(
            "Quick is {epochs} epochs of {images:,} images. Again takes the shown run, to be "
            "changed and run anew.",
            epochs=QUICK_EPOCHS,
            images=QUICK_IMAGES,
        ),
    )
    available, layers = len(dataset.split("train", source)), None
    if preset == AGAIN:
        newest = next(iter(known.values()))
        shown = known.get(st.session_state.get("run", ""), newest)
        model, proposal, limit = shown.plan.model, shown.plan.recipe, shown.plan.limit or available
        layers = shown.plan.layers
        key, origin = shown.id, Words("run {run}", run=shown.label)
        st.markdown(f"**{said(shown.plan.spec.title)}**")
    elif preset == LINK and asked:
        model, proposal, limit = asked
        key, origin = f"{model} {proposal} {limit}", Words("a link")
        st.markdown(f"**{said(MODELS[model].title)}**")
    else:
        model = parts.choose_architecture("model to train")
        proposal, limit, key = MODELS[model].recipe, available, f"{model} {preset}"
        origin = Words("the quick recipe") if preset == QUICK else Words("the shipped recipe")
    st.caption(said(spec(model, layers).summary))
    if preset == QUICK:
        proposal, limit = replace(proposal, epochs=QUICK_EPOCHS, teacher=None), QUICK_IMAGES
    teachers = [card.name for card in shelf.cards() if card.may_know(source) and card.any_picture]
    recipe, limit = parts.edit_recipe(proposal, limit, available, teachers, key)
    wanted = Plan(model, recipe, source, device.type, limit, origin=origin, layers=layers)
    title = parts.name_run(ticket)
    how_long = st.container()
    if st.button(_("Start training"), type="primary", width="stretch"):
        try:
            run = runs.start(wanted, title, ticket)
        except (UserFacingError, OSError) as error:
            st.error(said(error))
        else:
            known = {run.id: run} | known
            st.session_state["run"] = run.id

with watch:
    if known:
        parts.show_run(known[parts.choose_run(list(known.values()))], ticket)
    else:
        st.info(_("No runs yet. Start one, and its curves are drawn here as it learns."))

if known:
    st.header(_("All runs"))
    parts.list_runs(list(known.values()))
    parts.compare_chosen(list(known.values()))

with how_long:  # last, as it may have to be measured first
    parts.forecast(wanted, limit)
