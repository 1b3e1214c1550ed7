"""Every model with what was measured: as a table, and as a chart beside what others report."""

import statistics
from typing import Any

import streamlit as st
import torch

from fmnist.analysis.reported import REPORTED
from fmnist.ui import figures, widgets
from fmnist.ui.markdown import plain
from fmnist.ui.state import models
from fmnist.ui.widgets import CHART
from fmnist.weights.card import FAMILIES, Card
from fmnist.words import Words, _, said, written

SOURCE = Words(
    "Models trained here were chosen on 5,000 validation images, then measured once on the 10,000 "
    "test images; those that somebody brought were measured only."
)
FORMS = {
    "Test accuracy": "{:.2f} %",
    "Mirrored too": "{:.2f} %",
    "Mean of seeds": "{:.2f} %",
    "Spread": "{:.2f}",
    "Validation": "{:.2f} %",
    "Parameters": "{:,.0f}",
    "Size": "{:.0f} kB",
    "An image": "{:.1f} ms",
}
HELP = {
    "Mirrored too": Words("Test accuracy when each image's mirror image has a say too."),
    "Mean of seeds": Words("Test accuracy of trainings that differ in their seed only."),
    "Spread": Words("Standard deviation over the seeds, in points."),
    "An image": Words("The time that one answer takes on this machine."),
}


def brief() -> None:
    """Every model with its accuracy and size, the most accurate first."""
    # As text: what draws a table that sorts is a third of a megabyte, and Home is opened first.
    heads = ["Model", "Family", "Test accuracy", "Parameters", "Size"]
    lines = [[_(head) for head in heads], ["--:" if head in FORMS else "--" for head in heads]]
    rows = [_row(card) for card in models.choices().values()]
    lines += [[_in_text(head, row[head]) for head in heads] for row in rows]
    with st.container(key="leaderboard"):
        st.markdown("\n".join(f"| {' | '.join(line)} |" for line in lines))


def full(device: torch.device) -> None:
    """Every model with all that is known of it; a click on a head sorts by that column."""
    _table([_row(card) | _more(card, device) for card in models.choices().values()])


def chart() -> None:
    """Accuracy against parameters, with published results as hollow marks."""
    here = [
        (card.both_names, card.parameters, card.on_real.accuracy)
        for card in models.choices().values()
        if card.on_real and card.parameters
    ]
    others = [other for other in REPORTED if other.parameters]
    st.plotly_chart(
        figures.by_parameters(here, others),
        config=CHART,
        key="by parameters",
        alt=_("Test accuracy against parameters; the tables above and below have the figures"),
    )
    label = _("Where the published figures come from")
    fold = st.expander(label, key="published", on_change="rerun")
    if not fold.open:
        return
    with fold:
        widgets.table(
            [
                {
                    Words("Model"): other.name,
                    Words("Test accuracy"): other.accuracy * 100,
                    Words("Parameters"): other.parameters,
                    Words("Source"): other.source,
                    Words("Remark"): other.remark,
                    Words("Link"): other.link,
                }
                for other in REPORTED
            ],
            FORMS,
            columns={"Link": st.column_config.LinkColumn()},
        )
        st.caption(_("None of these were measured here."))


def _in_text(head: str, value: Any) -> str:
    if value is None:
        return ""
    return written(value, FORMS[head]) if head in FORMS else plain(said(value))


def _table(rows: list[dict[str, Any]]) -> None:
    helps = {head: st.column_config.Column(help=said(help)) for head, help in HELP.items()}
    widgets.table(rows, FORMS, columns=helps)


def _row(card: Card) -> dict[str, Any]:
    return {
        Words("Model"): card.both_names,
        Words("Family"): FAMILIES[card.family],
        Words("Test accuracy"): card.on_real.accuracy * 100 if card.on_real else None,
        Words("Validation"): 100 * card.validation.accuracy
        if card.on_real and card.validation
        else None,
        Words("Parameters"): card.parameters,
        Words("Size"): card.bytes / 1e3,
    }


def _more(card: Card, device: torch.device) -> dict[str, Any]:
    tests = [100 * seed.test for seed in card.seeds or () if card.on_real]
    return {
        Words("An image"): models.milliseconds(card, device) if card.any_picture else None,
        Words("Mirrored too"): card.mirrored * 100 if card.on_real and card.mirrored else None,
        Words("Mean of seeds"): statistics.mean(tests) if tests else None,
        Words("Spread"): statistics.stdev(tests) if len(tests) > 1 else None,
    }
