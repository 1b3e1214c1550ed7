"""The confusion matrix, and the images behind each of its cells."""

import streamlit as st

from fmnist import evaluation, figures
from fmnist.data import CLASSES, SplitName
from fmnist.ui import cache, widgets

HELD_OUT: tuple[SplitName, ...] = ("test", "validation")

source, device = widgets.page(
    "Errors", "What a model confuses with what. Choose a cell to see the images behind it."
)


def take_click() -> None:
    """Let a click in the matrix choose the cell, as the two select boxes do."""
    points = st.session_state["matrix"].selection.points
    if points:
        true, predicted, _ = points[0]["customdata"]
        st.session_state["true"], st.session_state["predicted"] = CLASSES[true], CLASSES[predicted]


left, middle, right = st.columns([3, 2, 2], vertical_alignment="bottom")
with left:
    card = widgets.choose_weights()
if card is None:
    st.stop()
split_name = middle.segmented_control(
    "Split", HELD_OUT, default="test", required=True, key="on", bind="query-params"
)
unit = right.segmented_control(
    "Cells show", ["Counts", "Row shares"], default="Counts", required=True, key="cells"
)

split = cache.split(split_name, source)
answers = cache.evaluate(card, split_name, source, device)
matrix = evaluation.confusion(answers)
calibration_error = evaluation.expected_calibration_error(answers, temperature=card.temperature)
st.markdown(
    f"**{card.name}** names {evaluation.accuracy(answers):.2%} of {len(split):,} {split_name} "
    f"images right and {len(split) - matrix.trace():,} wrong. How sure it is and how often it is "
    f"right differ by {calibration_error:.1%} on average (expected calibration error)."
)

chart, gallery = st.columns([5, 4], gap="large")
with gallery:
    true_column, predicted_column = st.columns(2)
    true = true_column.selectbox("True class", CLASSES, 6, key="true", bind="query-params")
    predicted = predicted_column.selectbox(
        "Predicted class", CLASSES, 0, key="predicted", bind="query-params"
    )
    cell = CLASSES.index(true), CLASSES.index(predicted)
    rows = evaluation.errors(answers, *cell, card.temperature)
    st.subheader(f"{true} named {predicted}: {len(rows):,}")
    if len(rows):
        shares = evaluation.probabilities(answers.logits[rows], card.temperature)[:, cell[1]]
        widgets.gallery(
            split.images, rows, shares, wall=f"{source} {card.sha256} {split_name} {cell}"
        )
    else:
        st.caption("No image is in this cell. Choose another one in the matrix.")
with chart:
    st.plotly_chart(
        figures.confusion(matrix, unit == "Row shares", cell),
        config=widgets.CHART,
        key="matrix",
        on_select=take_click,
        selection_mode="points",
    )

st.header("By class")
st.dataframe(
    [
        {
            "Class": name,
            "Precision": 100 * row.precision,
            "Recall": 100 * row.recall,
            "F1": 100 * row.f1,
            "Images": row.support,
        }
        for name, row in zip(CLASSES, evaluation.per_class(matrix), strict=True)
    ],
    hide_index=True,
    column_config={
        name: st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)
        for name in ("Precision", "Recall", "F1")
    },
)
