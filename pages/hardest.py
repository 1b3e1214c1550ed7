"""The images that models find hardest, or easiest."""

import streamlit as st

from fmnist.ui import selections, widgets
from fmnist.ui.page import page
from fmnist.ui.parts import hardest as parts
from fmnist.ui.state import dataset
from fmnist.words import _

source, device = page(
    _("Hardest"),
    _("The images that are hardest for one model or for many, and the easiest; class by class."),
)

question = parts.choose()
count = len(dataset.split(question.split_name, source))
chosen = selections.chosen(question.split_name, count)
asked = " ".join([question.split_name, *(card.sha256 for card in question.cards)])
with widgets.fresh("ranking", asked):
    ranking = parts.rank(question, source, device, chosen)
    wall, details = st.columns([5, 3], gap="large")
if not len(ranking.rows):
    wall.caption(_("None of the chosen images is of this class."))
    st.stop()
with wall:
    place = parts.gallery(question, ranking, source)
with details:
    row = parts.large(question, ranking, place)
    widgets.model_answers(ranking.split.images[row], question.split_name, device, question.cards)

st.header(_("By class"))
parts.by_class(question, ranking)
