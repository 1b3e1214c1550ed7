"""The images that models find hardest, or easiest."""

import streamlit as st

from fmnist.ui import widgets
from fmnist.ui.page import page
from fmnist.ui.parts import hardest as parts

source, device = page(
    "Hardest",
    "The images that are hardest for one model or for many, and the easiest; class by class.",
)

question = parts.choose()
ranking = parts.rank(question, source, device)

wall, details = st.columns([5, 3], gap="large")
with wall:
    place = parts.gallery(question, ranking, source)
with details:
    row = parts.large(question, ranking, place)
    widgets.model_answers(ranking.split.images[row], question.split_name, device, question.cards)

st.header("By class")
parts.by_class(question, ranking)
