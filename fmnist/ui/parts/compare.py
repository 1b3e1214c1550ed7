"""The parts of the compare page: two sides to choose, what changes between them, its images."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch

from fmnist.analysis import comparison, evaluation
from fmnist.analysis.comparison import Predictions, Rows
from fmnist.classroom import runs
from fmnist.data.splits import CLASSES, Source, Split
from fmnist.pictures.encode import data_url
from fmnist.ui import garments, matrices, widgets
from fmnist.ui.components import matrix as component
from fmnist.ui.downloads import csv_button
from fmnist.ui.parts.train import choose_run
from fmnist.ui.state import classroom, dataset, models
from fmnist.weights.shelf import DEFAULT

A_FEW = 24
"""Images that are shown without scrolling."""


@dataclass(frozen=True)
class Pair:
    """What two sides, by their names, predict of the images of a split.

    `key` tells this pair from every other one.
    """

    names: tuple[str, str]
    predictions: tuple[Predictions, Predictions]
    split: Split
    split_name: str
    key: str


def choose_models(source: Source, device: torch.device) -> Pair | None:
    """Two models and a split; None, with a hint, where there are no two different ones."""
    choices = models.choices()
    if len(choices) < 2:
        st.info("Comparing takes two trained models. Train one on the Train page.")
        return None
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    names = list(choices)
    first, second = (
        choices[
            column.selectbox(
                label,
                names,
                names.index(default) if default in names else place,
                key=key,
                bind="query-params",
            )
        ]
        for place, (column, label, key, default) in enumerate(
            (
                (left, "First model", "first", "fcnn"),
                (middle, "Second model", "second", DEFAULT),
            )
        )
    )
    with right:
        split_name = widgets.choose_split(first, second)
    if first.name == second.name:
        st.info("Choose two different models.")
        return None
    return Pair(
        (first.name, second.name),
        (
            models.evaluate(first, split_name, source, device).predictions,
            models.evaluate(second, split_name, source, device).predictions,
        ),
        dataset.split(split_name, source),
        split_name,
        f"{first.sha256} {second.sha256} {split_name} {source}",
    )


def choose_epochs(source: Source) -> Pair | None:
    """Two epochs of a run on these data; None, with a hint, where there are no two."""
    shown = runs.seen_by(classroom.ticket())
    known = {run.id: run for run in shown if run.plan.data == source}
    if not known:
        st.info("There are no runs on these data yet. Start one on the Train page.")
        return None
    left, right = st.columns([3, 5], vertical_alignment="bottom")
    with left:
        run_id = choose_run(list(known.values()))
    said = known[run_id].predictions()
    if len(said) < 2:
        st.info("This run has not finished two epochs yet.")
        return None
    last = len(said)
    first, second = right.slider("Epochs", 1, last, (1, last), key="epochs", bind="query-params")
    if first == second:
        st.info("Choose two different epochs.")
        return None
    return Pair(
        (f"epoch {first}", f"epoch {second}"),
        (said[first - 1], said[second - 1]),
        dataset.split("validation", source),
        "validation",
        f"{run_id} {first} {second}",
    )


def verdict(pair: Pair) -> None:
    """Whether the difference is chance, in words."""
    test = comparison.mcnemar(*pair.predictions, pair.split.labels)
    st.markdown(comparison.in_words(test, *pair.names, len(pair.split)))


def numbers(pair: Pair) -> None:
    """How much each side gets right, and how much it alone."""
    (first, second), labels = pair.names, pair.split.labels
    before, after = ((predictions == labels).mean() for predictions in pair.predictions)
    gained, lost = evaluation.flips(*pair.predictions, labels)
    columns = st.columns(4)
    columns[0].metric(f"{first} right", f"{before:.2%}")
    columns[1].metric(f"{second} right", f"{after:.2%}", f"{100 * (after - before):+.2f} points")
    columns[2].metric(f"Only {first} right", f"{len(lost):,}")
    columns[3].metric(f"Only {second} right", f"{len(gained):,}")


def matrix(pair: Pair, cell: tuple[int, int] | None) -> None:
    """By how much each cell of the confusion matrix changes; a click in it chooses a cell."""
    first, second = pair.names
    difference = comparison.difference(*pair.predictions, pair.split.labels)
    component.matrix(
        matrices.difference(difference),
        key="difference",
        label=f"From {first} to {second}; arrow keys move in it, Enter chooses a cell",
        chosen=cell,
        on_choose=_take_cell,
    )
    st.caption(
        f"Each number is how many more images {second} has in that cell than {first}. Blue is for "
        "the better, orange for the worse."
    )


def choose_cell() -> tuple[int, int]:
    """Select boxes for the true and the predicted class; either turns the view to the cell.

    They are there in every view, because a box that appears with a value is not in the link.
    """
    columns = st.columns(2)
    names = [
        column.selectbox(
            label, CLASSES, index, key=key, bind="query-params", on_change=_show_the_cell
        )
        for column, label, index, key in zip(
            columns, ("True class", "Predicted class"), (6, 0), ("true", "predicted"), strict=True
        )
    ]
    return CLASSES.index(names[0]), CLASSES.index(names[1])


def _show_the_cell() -> None:
    """Turn the view to the chosen cell."""
    st.session_state["show"] = "A cell"


def _take_cell() -> None:
    """Let a choice in the matrix set the two select boxes."""
    true, predicted = component.taken(st.session_state["difference"].get("chosen")) or (None, None)
    if true is not None and predicted is not None:
        st.session_state["true"], st.session_state["predicted"] = CLASSES[true], CLASSES[predicted]
        _show_the_cell()


def changes(pair: Pair, cell: tuple[int, int]) -> None:
    """What came into a cell from the first side to the second, and what left it."""
    predicted = CLASSES[cell[1]]
    came, left = comparison.moved(*pair.predictions, pair.split.labels, *cell)
    _gallery(pair, came, f"Only {pair.names[1]} says {predicted}", "came")
    _gallery(pair, left, f"Only {pair.names[0]} says {predicted}", "left")


def moves(pair: Pair) -> None:
    """A table of what moved from which answer to which; a row opens its images."""
    labels = pair.split.labels
    found = comparison.moves(*pair.predictions, labels)
    if not found:
        st.caption("Both give the same answer to every image.")
        return
    names = [
        f"{CLASSES[move.true]}: {CLASSES[move.first]} to {CLASSES[move.second]}" for move in found
    ]
    asked = st.query_params.get("move")
    default = names.index(asked) if asked in names else 0
    table = [
        {
            "True": CLASSES[move.true],
            f"{pair.names[0]} says": CLASSES[move.first],
            f"{pair.names[1]} says": CLASSES[move.second],
            "Images": move.images,
        }
        for move in found
    ]
    picked = st.dataframe(
        table,
        hide_index=True,
        height=248,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [default]}},
        key=f"moves {pair.key}",
    ).selection.rows
    csv_button("Moves as CSV", table, filename(pair, "moves.csv"), "moves csv")
    index = picked[0] if picked else default
    st.query_params["move"] = names[index]
    true, first, second, _ = found[index]
    before, after = pair.predictions
    here = np.flatnonzero((labels == true) & (before == first) & (after == second))
    _gallery(pair, here, names[index], "move")


def flips(pair: Pair) -> None:
    """The images that only one side names right."""
    gained, lost = evaluation.flips(*pair.predictions, pair.split.labels)
    _gallery(pair, lost, f"Only {pair.names[0]} is right", "lost")
    _gallery(pair, gained, f"Only {pair.names[1]} is right", "gained")


def _gallery(pair: Pair, rows: Rows, title: str, key: str) -> None:
    """The images at `rows` with what both sides say of each, and the one chosen among them."""
    st.header(f"{title}: {len(rows):,}")
    if not len(rows):
        st.caption("No image.")
        return
    table = [_described(pair, int(row)) for row in rows]
    titles = [", ".join(f"{name} {value}" for name, value in line.items()) for line in table]
    picked = garments.gallery(
        pair.split.images[rows],
        titles,
        table,
        key=key,
        name=f"{pair.key} {title}",
        what=f"images, {title}",
        filename=filename(pair, key),
        height=240 if len(rows) > A_FEW else "content",
        tile=48,
    )
    if picked is not None:
        picture, words = st.columns([1, 2], vertical_alignment="center")
        picture.image(data_url(pair.split.images[rows[picked]], 112), alt=titles[picked])
        words.caption(titles[picked])


def by_class(pair: Pair) -> None:
    """How each class fares on both sides, as a table."""
    (first, second), labels = pair.names, pair.split.labels
    before, after = (
        evaluation.per_class(evaluation.count_cells(labels, predictions))
        for predictions in pair.predictions
    )
    gained, lost = (
        np.bincount(labels[rows], minlength=len(CLASSES)).tolist()
        for rows in evaluation.flips(*pair.predictions, labels)
    )
    table = [
        {
            "Class": name,
            f"{first} F1": before[label].f1,
            f"{second} F1": after[label].f1,
            "Difference": after[label].f1 - before[label].f1,
            f"Only {first} right": lost[label],
            f"Only {second} right": gained[label],
        }
        for label, name in enumerate(CLASSES)
    ]
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            f"{first} F1": st.column_config.NumberColumn(format="%.3f"),
            f"{second} F1": st.column_config.NumberColumn(format="%.3f"),
            "Difference": st.column_config.NumberColumn(format="%+.3f"),
        },
    )
    csv_button("Table as CSV", table, filename(pair, "by-class.csv"), "by class")


def filename(pair: Pair, what: str) -> str:
    """A name for a file about the pair."""
    return "-".join([*pair.names, pair.split_name, what]).replace(" ", "-")


def _described(pair: Pair, row: int) -> dict[str, int | str]:
    """One image in a line: its number, its class and what each side says."""
    says = [CLASSES[predictions[row]] for predictions in pair.predictions]
    return {
        "Image": row,
        "True": CLASSES[pair.split.labels[row]],
        **{f"{name} says": said for name, said in zip(pair.names, says, strict=True)},
    }
