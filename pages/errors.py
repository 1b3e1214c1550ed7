"""The confusion matrix, the images behind each of its cells, and one of them with the reasons."""

import streamlit as st

from fmnist.analysis import evaluation
from fmnist.data.splits import IN_WORDS, SPLITS
from fmnist.ui import garments, selections, widgets
from fmnist.ui.markdown import plain
from fmnist.ui.matrices import cell_name
from fmnist.ui.page import page
from fmnist.ui.parts import errors as parts
from fmnist.ui.parts.errors import Selection
from fmnist.ui.state import dataset, models
from fmnist.words import Words, _, said

source, device = page(
    _("Errors"), _("What a model confuses with what. Choose a cell to see the images behind it.")
)
st.html(parts.STYLE)

with st.container(horizontal=True, vertical_alignment="bottom"):
    card = widgets.need_weights()
    split_name = widgets.choose_split(card, offered=SPLITS[::-1])
    asked = parts.ask(card, split_name)
    unit, order = parts.show_as()
    menu = st.container(width="content")

split, label = dataset.split(split_name, source), plain(card.label)
chosen = selections.chosen(split_name, len(split))
with widgets.fresh("views", f"{card.sha256} {split_name}"):
    answers = models.evaluate(card, split_name, source, device)
    counted, but_sure = parts.ground(asked, card, answers, split_name, source, device, chosen)
    views, below = st.container(key="views"), st.container()
counts = evaluation.count_cells(answers.labels[counted], answers.predictions[counted])
rows = evaluation.errors(answers, *asked.cell, card.temperature, counted)
of_split = IN_WORDS[split_name]
name = Words("{model}, {split}: {words}", model=card.label, split=of_split, words=asked.words)
selection = Selection(name, split, rows, answers, card.temperature)

with views.container(key="matrix-view", gap="small"):
    st.markdown(
        _(
            "**{label}** names {right:.2%} of {images:,} {split} images right and {wrong:,} wrong.",
            label=label,
            right=counts.trace() / max(counts.sum(), 1),
            images=counts.sum(),
            split=of_split,
            wrong=counts.sum() - counts.trace(),
        )
    )
    parts.matrix(counts, asked.cell, unit, order)
wall = views.container(key="wall-view", gap="small")
wall.header(_("{cell}: {count:,}", cell=cell_name(*asked.cell), count=len(rows)))
if not len(rows):
    wall.caption(_("No image is in this cell. Choose another one in the matrix."))
    st.stop()
row = parts.current(selection)
with wall:
    parts.wall(selection, row)
    parts.garment(selection, row, split_name)
with menu:
    selections.menu(split_name, rows, len(split), said(name), card.name, parts.link(asked.cell))
with views.container(key="map-view", gap="small"):
    parts.sureness(answers, evaluation.errors(answers, *asked.cell, among=but_sure), asked, card)
    parts.on_map(card, split_name, source, device, selection, row, counted)

with below:
    parts.reasons(card, split_name, row, source, device)
    st.header(_("All of them"))
    parts.means(selection, *asked.cell)
    garments.downloads(split.images[rows], parts.table(selection), selection.filename, "gallery")
