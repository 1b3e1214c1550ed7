"""How good a model is, class by class, and whether its confidence can be trusted."""

from functools import partial

import streamlit as st

from fmnist.analysis import evaluation, intervals
from fmnist.data.splits import IN_WORDS
from fmnist.report.page import report
from fmnist.ui import selections, widgets
from fmnist.ui.markdown import plain
from fmnist.ui.page import page
from fmnist.ui.parts import scores as parts
from fmnist.ui.state import analysis, dataset, models
from fmnist.words import _, language

source, device = page(
    _("Scores"),
    _("How good a model is at each class, how sure that is, and what its confidence is worth."),
)

left, right = st.columns([3, 4], vertical_alignment="bottom")
with left:
    card = widgets.need_weights()
with right:
    split_name = widgets.choose_split(card)

split, label = dataset.split(split_name, source), plain(card.label)
chosen = selections.chosen(split_name, len(split))
scores = widgets.fresh("scores", f"{card.sha256} {split_name}")
with scores:
    answers = models.evaluate(card, split_name, source, device)
    curves = analysis.class_curves(card, split_name, source, answers) if card.sure else None
    if chosen is not None:
        parts.of_chosen(answers, chosen, card, split_name)
matrix = evaluation.confusion(answers)
low, high = intervals.accuracy(matrix)
with scores:
    st.markdown(
        _(
            "**{label}** names {right:.2%} of {images:,} {split} images right. Of all images of "
            "this kind it would be between {low:.2%} and {high:.2%}: 95 times in 100 such bounds "
            "hold the share.",
            label=label,
            right=evaluation.accuracy(answers),
            images=len(split),
            split=IN_WORDS[split_name],
            low=low,
            high=high,
        )
    )
    st.download_button(
        _("Report (HTML)"),
        partial(report, card, answers, split, split_name, source, language()),
        f"{card.name}-report.html",
        "text/html",
        key="report",
        on_click="ignore",
        icon=":material/description:",
        help=_(
            "One file with these figures, the confusion matrix and the images of its worst cells."
        ),
    )

    st.header(_("By class"))
    parts.by_class(matrix, curves, f"{card.name}-{split_name}-by-class.csv")

    if curves is None:
        st.caption(
            _(
                "{label} gives classes and no probabilities, so there are neither curves nor "
                "calibration, and there is no confidence to abstain by.",
                label=label,
            )
        )
        st.stop()

    st.header(_("One class against the rest"))
    parts.against_rest(curves)

    st.header(_("Calibration"))
    parts.calibration(answers, card.temperature)

    st.header(_("Abstaining"))
    parts.abstain(answers, card.temperature)
