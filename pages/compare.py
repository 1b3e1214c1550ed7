"""What changes between two models, or between two epochs of a run, and whether it is chance."""

import streamlit as st

from fmnist.ui import widgets
from fmnist.ui.page import page
from fmnist.ui.parts import compare as parts
from fmnist.ui.widgets import choice
from fmnist.words import Words, _

source, device = page(
    _("Compare"),
    _(
        "What changes between two models, or between two epochs of a run: cell by cell, move by "
        "move, down to the images."
    ),
)

what = choice(_("Compare"), [Words("Two models"), Words("Two epochs")], key="what")
pair = parts.choose_models(source, device) if what == "Two models" else parts.choose_epochs(source)
if pair is None:
    st.stop()

with widgets.fresh("compared", pair.key):
    parts.verdict(pair)
    parts.numbers(pair)
    chart, panel = st.columns([5, 4], gap="large")
    by_class = st.container()
with panel:
    show = choice(_("Show"), parts.VIEWS, key="show")
    cell = parts.choose_cell()
    if show == parts.CELL:
        parts.changes(pair, cell)
    elif show == parts.MOVE:
        parts.moves(pair)
    else:
        parts.flips(pair)
with chart:
    parts.matrix(pair, cell if show == parts.CELL else None)

with by_class:
    st.header(_("By class"))
    parts.by_class(pair)
