"""What changes between two models, or between two epochs of a run, and whether it is chance."""

import streamlit as st

from fmnist.analysis import comparison
from fmnist.ui import figures
from fmnist.ui.page import page
from fmnist.ui.parts import compare as parts
from fmnist.ui.widgets import CHART

source, device = page(
    "Compare",
    "What changes between two models, or between two epochs of a run: cell by cell, move by move, "
    "down to the images.",
)

what = st.segmented_control(
    "Compare",
    ["Two models", "Two epochs"],
    default="Two models",
    required=True,
    key="what",
    bind="query-params",
)
pair = parts.choose_models(source, device) if what == "Two models" else parts.choose_epochs(source)
if pair is None:
    st.stop()

first, second = pair.names
labels = pair.split.labels
test = comparison.mcnemar(*pair.predictions, labels)
right = [(predictions == labels).mean() for predictions in pair.predictions]
st.markdown(comparison.in_words(test, first, second, len(labels)))
numbers = st.columns(4)
numbers[0].metric(f"{first} right", f"{right[0]:.2%}")
numbers[1].metric(
    f"{second} right", f"{right[1]:.2%}", f"{100 * (right[1] - right[0]):+.2f} points"
)
numbers[2].metric(f"Only {first} right", f"{test.only_first:,}")
numbers[3].metric(f"Only {second} right", f"{test.only_second:,}")

chart, panel = st.columns([5, 4], gap="large")
with panel:
    show = st.segmented_control(
        "Show",
        ["A cell", "A move", "Flips"],
        default="A cell",
        required=True,
        key="show",
        bind="query-params",
    )
    cell = parts.choose_cell()
    if show == "A cell":
        parts.changes(pair, cell)
    elif show == "A move":
        parts.moves(pair)
    else:
        parts.flips(pair)
with chart:
    st.plotly_chart(
        figures.difference(
            comparison.difference(*pair.predictions, labels), cell if show == "A cell" else None
        ),
        config=CHART,
        key="difference",
        on_select=parts.take_click,
        selection_mode="points",
    )
    st.caption(
        f"Each number is how many more images {second} has in that cell than {first}. Blue is for "
        "the better, orange for the worse."
    )

st.header("By class")
parts.by_class(pair)
