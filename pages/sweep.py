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
known = sweeps.names()
with watch:
    if known:
        parts.show(widgets.select(_("Sweep"), known, known[0], key="sweep"))
    else:
        st.info(_("No sweeps yet. Give one or more fields a range, and start."))
