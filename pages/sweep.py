"""Recipes tried one after another, chosen by what came of those before; each trial is a run."""

import streamlit as st

from fmnist.sweeps import sweep as sweeps
from fmnist.ui import widgets
from fmnist.ui.page import page
from fmnist.ui.parts import sweep as parts
from fmnist.words import _

source, device = page(
    _("Sweep"),
    _("Many recipes of one model are tried; each trial is a run, and the next learns from it."),
)

plan, watch = st.columns([1, 2], gap="large")
with plan:
    parts.begin(source, device)
known = {found.name: found for found in sweeps.all_sweeps()}
with watch:
    if known:
        name = widgets.select(_("Sweep"), list(known), next(iter(known)), key="sweep")
        parts.show(known[name])
    else:
        st.info(_("No sweeps yet. Give one or more fields a range, and start."))
