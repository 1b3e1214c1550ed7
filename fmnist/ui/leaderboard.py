"""Every model with what was measured: as a table, and as a chart beside what others report."""

import statistics
from typing import Any

import streamlit as st
import torch

from fmnist.analysis.reported import REPORTED
from fmnist.ui import figures
from fmnist.ui.state import models
from fmnist.ui.widgets import CHART
from fmnist.weights.card import FAMILIES, Card

PERCENT = st.column_config.NumberColumn(format="%.2f %%")
SOURCE = (
    "Models trained here were chosen on 5,000 validation images, then measured once on the 10,000 "
    "test images; those that somebody brought were measured only."
)
COLUMNS = {
    "Test accuracy": PERCENT,
    "Mirrored too": st.column_config.NumberColumn(
        format="%.2f %%", help="Test accuracy when each image's mirror image has a say too."
    ),
    "Mean of seeds": st.column_config.NumberColumn(
        format="%.2f %%", help="Test accuracy of trainings that differ in their seed only."
    ),
    "Spread": st.column_config.NumberColumn(
        format="%.2f", help="Standard deviation over the seeds, in points."
    ),
    "Validation": PERCENT,
    "Parameters": st.column_config.NumberColumn(format="localized"),
    "Size": st.column_config.NumberColumn(format="%.1f MB"),
    "An image": st.column_config.NumberColumn(
        format="%.1f ms", help="The time that one answer takes on this machine."
    ),
}


def brief() -> None:
    """Every model with its accuracy and size, the most accurate first."""
    _table([_row(card) for card in models.choices().values()])


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
        alt="Test accuracy against parameters; the tables above and below have the figures",
    )
    with st.expander("Where the published figures come from"):
        st.dataframe(
            [
                {
                    "Model": other.name,
                    "Test accuracy": other.accuracy * 100,
                    "Parameters": other.parameters,
                    "Source": other.source,
                    "Remark": other.remark,
                    "Link": other.link,
                }
                for other in REPORTED
            ],
            hide_index=True,
            column_config=COLUMNS | {"Link": st.column_config.LinkColumn()},
        )
        st.caption("None of these were measured here.")


def _table(rows: list[dict[str, Any]]) -> None:
    st.dataframe(rows, hide_index=True, column_config=COLUMNS)


def _row(card: Card) -> dict[str, Any]:
    return {
        "Model": card.both_names,
        "Family": FAMILIES[card.family],
        "Test accuracy": card.on_real.accuracy * 100 if card.on_real else None,
        "Validation": card.validation.accuracy * 100 if card.on_real and card.validation else None,
        "Parameters": card.parameters,
        "Size": card.bytes / 1e6,
    }


def _more(card: Card, device: torch.device) -> dict[str, Any]:
    tests = [100 * seed.test for seed in card.seeds or () if card.on_real]
    return {
        "An image": models.milliseconds(card, device) if card.any_picture else None,
        "Mirrored too": card.mirrored * 100 if card.on_real and card.mirrored else None,
        "Mean of seeds": statistics.mean(tests) if tests else None,
        "Spread": statistics.stdev(tests) if len(tests) > 1 else None,
    }
