"""The parts of the compare page: two sides to choose, what changes between them, its images."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

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
from fmnist.ui.markdown import plain
from fmnist.ui.parts.train import choose_run
from fmnist.ui.state import classroom, dataset, models
from fmnist.weights.shelf import DEFAULT
from fmnist.words import Words, _, number, said

A_FEW = 24
"""Images that are shown without scrolling."""
VIEWS = CELL, MOVE, FLIPS = Words("A cell"), Words("A move"), Words("Flips")
"""What the images beside the matrix are of."""


@dataclass(frozen=True)
class Pair:
    """What two sides, by their names, predict of the images of a split.

    `predict` is asked often. `key` tells this pair from every other one.
    """

    names: tuple[Words | str, Words | str]
    predict: Callable[[], tuple[Predictions, Predictions]]
    split: Split
    split_name: str
    key: str

    @property
    def marked(self) -> tuple[str, str]:
        """The names, in the reader's language, for where Markdown is read."""
        first, second = (plain(said(name)) for name in self.names)
        return first, second

    @property
    def predictions(self) -> tuple[Predictions, Predictions]:
        """What they predict, which models may have to be asked for first."""
        return self.predict()


def choose_models(source: Source, device: torch.device) -> Pair | None:
    """Two models and a split; None, with a hint, where there are no two different ones."""
    choices = models.choices()
    if len(choices) < 2:
        st.info(_("Comparing takes two trained models. Train one on the Train page."))
        return None
    left, middle, right = st.columns([3, 3, 2], vertical_alignment="bottom")
    names, shown = list(choices), widgets.labels(choices)
    chosen = []
    for place, (column, label, key, usual) in enumerate(
        (
            (left, _("First model"), "first", "fcnn"),
            (middle, _("Second model"), "second", DEFAULT),
        )
    ):
        start = usual if usual in names else names[place]
        with column:
            chosen.append(choices[widgets.select(label, names, start, key=key, shown=shown)])
    first, second = chosen
    with right:
        split_name = widgets.choose_split(first, second)
    if first.name == second.name:
        st.info(_("Choose two different models."))
        return None
    return Pair(
        (first.label, second.label),
        cache(
            lambda: (
                models.evaluate(first, split_name, source, device).predictions,
                models.evaluate(second, split_name, source, device).predictions,
            )
        ),
        dataset.split(split_name, source),
        split_name,
        f"{first.sha256} {second.sha256} {split_name} {source}",
    )


def choose_epochs(source: Source) -> Pair | None:
    """Two epochs of a run on these data; None, with a hint, where there are no two."""
    shown = runs.seen_by(classroom.ticket())
    # Those that have two epochs first, the newest of them chosen.
    by_epochs = sorted(shown, key=lambda run: run.last["epoch"] < 2)
    known = {run.id: run for run in by_epochs if run.plan.data == source}
    if not known:
        st.info(_("There are no runs on these data yet. Start one on the Train page."))
        return None
    left, right = st.columns([3, 5], vertical_alignment="bottom")
    with left:
        run_id = choose_run(list(known.values()))
    predictions = known[run_id].predictions()
    if len(predictions) < 2:
        st.info(
            _("This run has one epoch only, so there is nothing to compare.")
            if known[run_id].state == "finished"
            else _("This run has not finished two epochs yet.")
        )
        return None
    last = len(predictions)
    first, second = right.slider(_("Epochs"), 1, last, (1, last), key="epochs", bind="query-params")
    if first == second:
        st.info(_("Choose two different epochs."))
        return None
    return Pair(
        (Words("epoch {number}", number=first), Words("epoch {number}", number=second)),
        lambda: (predictions[first - 1], predictions[second - 1]),
        dataset.split("validation", source),
        "validation",
        f"{run_id} {first} {second}",
    )


def verdict(pair: Pair) -> None:
    """Whether the difference is chance, in words."""
    test = comparison.mcnemar(*pair.predictions, pair.split.labels)
    st.markdown(said(comparison.in_words(test, *pair.marked, len(pair.split))))


def numbers(pair: Pair) -> None:
    """How much each side gets right, and how much it alone."""
    (first, second), labels = pair.marked, pair.split.labels
    before, after = ((predictions == labels).mean() for predictions in pair.predictions)
    gained, lost = evaluation.flips(*pair.predictions, labels)
    columns = st.columns(4)
    points = _("{points:+.2f} points", points=100 * (after - before))
    columns[0].metric(_("{side} right", side=first), number(before, ".2%"))
    columns[1].metric(_("{side} right", side=second), number(after, ".2%"), points)
    columns[2].metric(_("Only {side} right", side=first), number(len(lost)))
    columns[3].metric(_("Only {side} right", side=second), number(len(gained)))


def matrix(pair: Pair, cell: tuple[int, int] | None) -> None:
    """By how much each cell of the confusion matrix changes; a click in it chooses a cell."""
    first, second = pair.names
    difference = comparison.difference(*pair.predictions, pair.split.labels)
    component.matrix(
        matrices.difference(difference),
        key="difference",
        label=_(
            "From {first} to {second}; arrow keys move in it, Enter chooses a cell",
            first=first,
            second=second,
        ),
        chosen=cell,
        on_choose=_take_cell,
    )
    st.caption(
        _(
            "Each number is how many more images {second} has in that cell than {first}. Blue is "
            "for the better, orange for the worse.",
            first=pair.marked[0],
            second=pair.marked[1],
        )
    )


def choose_cell() -> tuple[int, int]:
    """Select boxes for the true and the predicted class; either turns the view to the cell.

    They are there in every view, because a box that appears with a value is not in the link.
    """
    true, predicted = st.columns(2)
    with true:
        name = widgets.select(
            _("True class"), CLASSES, CLASSES[6], key="true", on_change=_show_the_cell
        )
    with predicted:
        named = widgets.select(
            _("Predicted class"), CLASSES, CLASSES[0], key="predicted", on_change=_show_the_cell
        )
    return CLASSES.index(name), CLASSES.index(named)


def _show_the_cell() -> None:
    """Turn the view to the chosen cell."""
    st.session_state["show"] = CELL


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
    for rows, side, key in ((came, pair.names[1], "came"), (left, pair.names[0], "left")):
        title = Words("Only {side} says {predicted}", side=side, predicted=predicted)
        _gallery(pair, rows, title, key)


def moves(pair: Pair) -> None:
    """A table of what moved from which answer to which; a row opens its images."""
    labels = pair.split.labels
    found = comparison.moves(*pair.predictions, labels)
    if not found:
        st.caption(_("Both give the same answer to every image."))
        return
    names: list[str] = [
        Words(
            "{true}: {first} to {second}",
            true=CLASSES[move.true],
            first=CLASSES[move.first],
            second=CLASSES[move.second],
        )
        for move in found
    ]
    asked = st.query_params.get("move")
    if asked != st.session_state.get("move shown"):  # by a link, or by a step back
        st.session_state["move of link"] = asked
    default = names.index(asked) if asked in names else 0
    before_says, after_says = _says(pair)
    table = [
        {
            Words("True"): CLASSES[move.true],
            before_says: CLASSES[move.first],
            after_says: CLASSES[move.second],
            Words("Images"): move.images,
        }
        for move in found
    ]
    picked = widgets.table(
        table,
        height=248,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [default]}},
        key=f"moves {pair.key} {st.session_state.get('move of link')}",
    ).selection.rows
    csv_button(_("Moves as CSV"), table, filename(pair, "moves.csv"), "moves csv")
    index = picked[0] if picked else default
    st.query_params["move"] = st.session_state["move shown"] = str(names[index])
    true, first, second, _images = found[index]
    before, after = pair.predictions
    here = np.flatnonzero((labels == true) & (before == first) & (after == second))
    _gallery(pair, here, names[index], "move")


def flips(pair: Pair) -> None:
    """The images that only one side names right."""
    gained, lost = evaluation.flips(*pair.predictions, pair.split.labels)
    _gallery(pair, lost, Words("Only {side} is right", side=pair.names[0]), "lost")
    _gallery(pair, gained, Words("Only {side} is right", side=pair.names[1]), "gained")


def _gallery(pair: Pair, rows: Rows, title: str, key: str) -> None:
    """The images at `rows` with what both sides say of each, and the one chosen among them."""
    st.header(_("{title}: {count:,}", title=plain(said(title)), count=len(rows)))
    if not len(rows):
        st.caption(_("No image."))
        return
    table = _described(pair, rows)
    shown: dict[int | str, str] = {thing: said(thing) for thing in (*table[0], *CLASSES)}
    titles = [
        ", ".join(f"{shown[name]} {shown.get(value, value)}" for name, value in line.items())
        for line in table
    ]
    picked = garments.gallery(
        pair.split.images[rows],
        titles,
        table,
        key=key,
        name=f"{pair.key} {title}",
        what=_("images, {title}", title=title),
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
    first_f1, second_f1 = (Words("{side} F1", side=side) for side in pair.names)
    gained, lost = (
        np.bincount(labels[rows], minlength=len(CLASSES)).tolist()
        for rows in evaluation.flips(*pair.predictions, labels)
    )
    table = [
        {
            Words("Class"): name,
            first_f1: before[label].f1,
            second_f1: after[label].f1,
            Words("Difference"): after[label].f1 - before[label].f1,
            Words("Only {side} right", side=first): lost[label],
            Words("Only {side} right", side=second): gained[label],
        }
        for label, name in enumerate(CLASSES)
    ]
    widgets.table(table, {first_f1: "{:.3f}", second_f1: "{:.3f}", Words("Difference"): "{:+.3f}"})
    csv_button(_("Table as CSV"), table, filename(pair, "by-class.csv"), "by class")


def filename(pair: Pair, what: str) -> str:
    """A name for a file about the pair."""
    return "-".join([*pair.names, pair.split_name, what]).replace(" ", "-")


def _described(pair: Pair, rows: Rows) -> list[dict[str, int | str]]:
    """Each image in a line: its number, its class and what each side says."""
    image, true, sides = Words("Image"), Words("True"), _says(pair)
    columns = [pair.split.labels[rows], *(predictions[rows] for predictions in pair.predictions)]
    return [
        {image: row, **{name: CLASSES[k] for name, k in zip((true, *sides), kinds, strict=True)}}
        for row, *kinds in zip(rows.tolist(), *map(np.ndarray.tolist, columns), strict=True)
    ]


def _says(pair: Pair) -> tuple[Words, Words]:
    """What heads the answers of each side."""
    first, second = pair.names
    return Words("{side} says", side=first), Words("{side} says", side=second)
