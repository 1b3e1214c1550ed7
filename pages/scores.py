"""How good a model is, class by class, and whether its confidence can be trusted."""

import streamlit as st

from fmnist import bootstrap, curves, evaluation, figures
from fmnist.data import CLASSES
from fmnist.evaluation import Evaluation
from fmnist.ui import cache, widgets
from fmnist.ui.takeaway import csv_button

FIGURES = {"Precision": "precision", "Recall": "recall", "F1": "f1"}
BINS = 15

source, device = widgets.page(
    "Scores",
    "How good a model is at each class, how sure that is, and what its confidence is worth.",
)

left, right = st.columns([3, 4], vertical_alignment="bottom")
with left:
    card = widgets.choose_weights()
if card is None:
    st.stop()
with right:
    split_name = widgets.choose_split()

answers = cache.evaluate(card, split_name, source, device)
matrix = evaluation.confusion(answers)
low, high = bootstrap.accuracy(matrix)
st.markdown(
    f"**{card.name}** names {evaluation.accuracy(answers):.2%} of {len(answers.labels):,} "
    f"{split_name} images right. On as many other images of this kind it would be between "
    f"{low:.2%} and {high:.2%}, 95 times in 100."
)

st.header("By class")
figure = st.segmented_control(
    "Figure", FIGURES, default="F1", required=True, key="figure", bind="query-params"
)
by_class = evaluation.per_class(matrix)
sure = bootstrap.per_class(matrix)
ranking = cache.class_curves(card, split_name, source, device)
st.plotly_chart(
    figures.class_intervals(
        [getattr(row, FIGURES[figure]) for row in by_class],
        [getattr(row, FIGURES[figure]) for row in sure],
    ),
    config=widgets.CHART,
    key="intervals",
)
st.caption(
    "Each line holds 95 of 100 values of the bootstrap: the images drawn anew "
    f"{bootstrap.RESAMPLES:,} times, with repetition."
)
table = [
    {
        "Class": name,
        "Images": by_class[label].support,
        **{
            f"{title}{bound}": number
            for title, figure in FIGURES.items()
            for bound, number in (
                ("", getattr(by_class[label], figure)),
                (" from", getattr(sure[label], figure).low),
                (" to", getattr(sure[label], figure).high),
            )
        },
        "Average precision": ranking[label].average_precision,
        "AUC": ranking[label].area,
    }
    for label, name in enumerate(CLASSES)
]
st.dataframe(
    table,
    hide_index=True,
    column_config={
        name: st.column_config.NumberColumn(
            {"from": "from", "to": "to"}.get(name.split()[-1], name), format="%.3f"
        )
        for name in table[0]
        if name not in ("Class", "Images")
    },
)
csv_button("Table as CSV", table, f"{card.name}-{split_name}-by-class.csv", "by class")

st.header("One class against the rest")
chosen = CLASSES.index(
    st.selectbox("Class", CLASSES, CLASSES.index("Shirt"), key="against", bind="query-params")
)
of_chosen = ranking[chosen]
precision_recall, roc = st.columns(2, gap="large")
with precision_recall:
    st.subheader("Precision and recall")
    lines = [(curve.recall, curve.precision) for curve in ranking]
    figure = figures.class_lines(lines, chosen, "recall", "precision")
    st.plotly_chart(figure, config=widgets.CHART, key="precision and recall")
    st.caption(
        f"{CLASSES[chosen]}: average precision {of_chosen.average_precision:.3f}. The more of its "
        "images are found (to the right), the more others come along (down)."
    )
with roc:
    st.subheader("ROC")
    lines = [(curve.false_positive_rate, curve.true_positive_rate) for curve in ranking]
    figure = figures.class_lines(lines, chosen, "false positive rate", "true positive rate")
    st.plotly_chart(figure, config=widgets.CHART, key="roc")
    st.caption(
        f"{CLASSES[chosen]}: area {of_chosen.area:.4f}. It flatters: nine images in ten are of "
        "other classes, so a small rate of false positives is many images."
    )

st.header("Calibration")
diagram, errors = st.columns([3, 2], gap="large", vertical_alignment="center")
temperatures = {"as trained": 1.0, "at its temperature": card.temperature}
diagram.plotly_chart(
    figures.reliability(
        {
            name: evaluation.calibration(answers, BINS, temperature)
            for name, temperature in temperatures.items()
        }
    ),
    config=widgets.CHART,
    key="reliability",
)
with errors:
    for name, temperature in temperatures.items():
        error = evaluation.expected_calibration_error(answers, BINS, temperature)
        st.metric(f"Expected calibration error {name}", f"{error:.2%}")
    st.caption(
        "By how much confidence and accuracy differ, on average over the images. Dividing the "
        f"logits by the temperature, {card.temperature:.2f}, changes how sure the model is but "
        "not what it says."
        if card.temperature != 1
        else "This model has no temperature of its own, so nothing changes."
    )

st.header("Abstaining")


@st.fragment
def abstain(answers: Evaluation, temperature: float) -> None:
    """Its own fragment, so that the slider moves without the rest of the page."""
    percent = st.slider(
        "Abstain below this confidence",
        0,
        100,
        80,
        format="%d %%",
        key="threshold",
        bind="query-params",
    )
    given = curves.abstention(answers, percent / 100, temperature)
    numbers = st.columns(3)
    numbers[0].metric("Answered", f"{given.coverage:.1%}")
    numbers[1].metric("Of these, right", f"{given.accuracy:.2%}")
    numbers[2].metric(
        "Errors left", f"{given.errors:,} of {len(answers.labels) - matrix.trace():,}"
    )
    shares, accuracies = curves.accuracy_by_coverage(answers, temperature)
    st.plotly_chart(
        figures.coverage(shares, accuracies, (given.coverage, given.accuracy)),
        config=widgets.CHART,
        key="coverage",
    )


abstain(answers, card.temperature)
