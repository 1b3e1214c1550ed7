"""What changes between two models, or between two epochs of a run, and whether it is chance."""

import streamlit as st

from fmnist import comparison, evaluation, figures
from fmnist.data import CLASSES
from fmnist.ui import pair as sides
from fmnist.ui import widgets

source, device = widgets.page(
    "Compare",
    "What changes between two models, or between two epochs of a run: cell by cell, move by move, "
    "down to the images.",
)


def take_cell() -> None:
    """Let a click in the matrix choose the cell, as the two select boxes do."""
    points = st.session_state["difference"].selection.points
    if points:
        true, predicted = points[0]["customdata"]
        st.session_state["true"], st.session_state["predicted"] = CLASSES[true], CLASSES[predicted]
        st.session_state["show"] = "A cell"


what = st.segmented_control(
    "Compare",
    ["Two models", "Two epochs"],
    default="Two models",
    required=True,
    key="what",
    bind="query-params",
)
pair = sides.choose_models(source, device) if what == "Two models" else sides.choose_epochs(source)
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
    cell = sides.choose_cell(pair) if show == "A cell" else None
    if show == "A move":
        sides.choose_move(pair)
    elif show == "Flips":
        gained, lost = evaluation.flips(*pair.predictions, labels)
        sides.gallery(pair, lost, f"Only {first} is right", "lost")
        sides.gallery(pair, gained, f"Only {second} is right", "gained")
with chart:
    st.plotly_chart(
        figures.difference(comparison.difference(*pair.predictions, labels), cell),
        config=widgets.CHART,
        key="difference",
        on_select=take_cell,
        selection_mode="points",
    )
    st.caption(
        f"Each number is how many more images {second} has in that cell than {first}. Blue is for "
        "the better, orange for the worse."
    )

st.header("By class")
sides.by_class(pair)
