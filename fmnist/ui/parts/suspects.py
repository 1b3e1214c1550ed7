"""Suspects to decide on: a wall of them, one of them large, and buttons to agree or disagree."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import evaluation, suspects
from fmnist.analysis.suspects import MOST_DIFFERENT, Suspect
from fmnist.data.splits import CLASSES, IN_WORDS, SPLITS, Source, SplitName
from fmnist.machine.errors import UserFacingError
from fmnist.ui import downloads, widgets
from fmnist.ui.components import memory
from fmnist.ui.components.wall import garment_wall
from fmnist.ui.markdown import plain
from fmnist.ui.state import analysis, dataset, models
from fmnist.words import Words, _, said

PER_PAGE = 60
EDGE = 168  # pixels; two stand side by side on a phone
MARKS = {True: Words("agree"), False: Words("disagree"), None: ""}
PLACES = ACROSS, WITHIN = Words("Across splits"), Words("Within a split")


class Doubt(NamedTuple):
    """A suspect as a person sees it: its one or two images uint8 (28, 28) and what is doubted."""

    suspect: Suspect
    images: list[NDArray[np.uint8]]
    captions: list[str]
    sentence: str


class Found(NamedTuple):
    """Doubts, and in words how they were found."""

    doubts: list[Doubt]
    how: str


def wrong_labels(source: Source, device: torch.device) -> Found:
    """Choose a model and a split; the garments whose label the model doubts most, worst first."""
    left, right = st.columns(2, vertical_alignment="bottom", wrap=False)
    with left:
        card = widgets.choose_weights(lambda card: card.sure)
    if card is None:
        return Found([], "")
    with right:
        name = widgets.choose_split(card)
    split, answers = dataset.split(name, source), models.evaluate(card, name, source, device)
    rows = analysis.label_issues(card, name, source, answers)
    probabilities = evaluation.probabilities(answers.logits[rows], card.temperature)
    doubts = [
        Doubt(
            Suspect("label", name, int(row)),
            [split.images[row]],
            [place(name, int(row), source)],
            _(
                "Labelled **{label}**. {model} says **{answer}** ({sure:.0%}) and gives the label "
                "{rest:.1%}.",
                label=CLASSES[split.labels[row]],
                model=plain(card.label),
                answer=CLASSES[of_image.argmax()],
                sure=of_image.max(),
                rest=of_image[split.labels[row]],
            ),
        )
        for row, of_image in zip(rows, probabilities, strict=True)
    ]
    return Found(
        doubts,
        _(
            "Found by confident learning: the model is sure of another class than the label. The "
            "training set is not offered, since a model has learned its labels, wrong ones "
            "included; only on images it was not trained on is its answer a second opinion."
        ),
    )


def duplicates(source: Source) -> Found:
    """Choose where; the pairs of garments that are nearly the same, the most alike first."""
    across = widgets.choice(_("Pairs"), PLACES, key="pairs")
    job = analysis.near_duplicates(source)
    pairs = job.result(_("Comparing every garment with every other …"))
    splits = {name: dataset.split(name, source) for name in SPLITS}
    starts = np.cumsum([0, *(len(split) for split in splits.values())])
    exact = int((pairs["difference"] == 0).sum())
    doubts = []
    for first, second, difference in pairs:
        (name, row), (other, other_row) = (
            (SPLITS[index], int(position - starts[index]))
            for position in (first, second)
            for index in [int(np.searchsorted(starts, position, "right")) - 1]
        )
        if (name != other) != (across == ACROSS):
            continue
        labels = [
            CLASSES[splits[name].labels[row]],
            CLASSES[splits[other].labels[other_row]],
        ]
        doubts.append(
            Doubt(
                Suspect("duplicate", name, row, other, other_row),
                [splits[name].images[row], splits[other].images[other_row]],
                [place(name, row, source), place(other, other_row, source)],
                _differ(difference, *labels),
            )
        )
    return Found(
        doubts,
        _(
            "Every two of all {garments:,} garments were compared: {pairs:,} pairs differ by "
            "{most:.0f} grey levels of 255 or less (root mean square over the pixels). {exact:,} "
            "of them are exact duplicates.",
            garments=starts[-1],
            pairs=len(pairs),
            most=MOST_DIFFERENT,
            exact=exact,
        ),
    )


def _differ(difference: float, first: str, second: str) -> str:
    """By how much two garments differ, and their labels."""
    if first == second:
        return _(
            "They differ by **{difference:.1f}** grey levels. Labelled **{first}** both.",
            difference=difference,
            first=first,
        )
    return _(
        "They differ by **{difference:.1f}** grey levels. Labelled **{first}** and **{second}**.",
        difference=difference,
        first=first,
        second=second,
    )


def place(name: SplitName, row: int, source: Source) -> str:
    """Where a garment is, here and in the published files."""
    if source == "drawn" or name == "test":
        return _("Garment {row:,} of {split}", row=row, split=IN_WORDS[name])
    return _(
        "Garment {row:,} of {split}, {published:,} in the published training file",
        row=row,
        split=IN_WORDS[name],
        published=analysis.published_rows(name)[row],
    )


def decisions() -> dict[Suspect, bool]:
    """What this visitor has decided, in the order of deciding; see `recall_decisions`."""
    decided: dict[Suspect, bool] = st.session_state.setdefault("decisions so far", {})
    return decided


def review(doubts: Sequence[Doubt], agree: str, disagree: str) -> Doubt:
    """A wall of doubts, the chosen one large with its buttons; returns the chosen one."""
    # The chosen one comes first, so that on a phone it is in sight with its buttons.
    chosen, wall = st.columns([2, 3], gap="large")
    with wall:
        with st.container(width=120):
            page = widgets.choose_page(len(doubts), PER_PAGE, "suspects")
        doubt = _choose(doubts[page])
    with chosen:
        with st.container(key="doubted-images"):
            widgets.side_by_side(zip(doubt.captions, doubt.images, strict=True), EDGE)
        st.markdown(doubt.sentence)
        _buttons(doubt.suspect, agree, disagree)
    return doubt


def _choose(doubts: Sequence[Doubt]) -> Doubt:
    """A wall to choose from; whoever has just decided is led to the next that is undecided."""
    decided, each = decisions(), len(doubts[0].images)
    doubted = [doubt.suspect for doubt in doubts]
    undecided = [index for index, suspect in enumerate(doubted) if suspect not in decided]
    last = next(reversed(decided), None)
    after = doubted.index(last) if last in doubted else -1
    following = next((index for index in undecided if index > after), None)
    first = following if following is not None else next(iter(undecided), 0)
    with st.container(height=420, border=False):
        picked = garment_wall(
            np.concatenate([doubt.images for doubt in doubts]),
            [caption for doubt in doubts for caption in doubt.captions],
            captions=[
                said(MARKS[decided.get(suspect)]) for suspect in doubted for image in range(each)
            ],
            key="suspects",
            label=_("{suspects} suspects; arrow keys choose one", suspects=len(doubts)),
            name=f"{doubted} {last} {len(decided)}",
            tile=56,
            picked=first * each,
        )
    st.caption(
        _(
            "{decided} of these {all} decided",
            decided=len(doubts) - len(undecided),
            all=len(doubts),
        )
    )
    return doubts[(picked or 0) // each]


def _buttons(suspect: Suspect, agree: str, disagree: str) -> None:
    decision = decisions().get(suspect)
    for label, meaning, key in ((agree, True, "a"), (disagree, False, "d")):
        st.button(
            label,
            key=f"decide {key}",
            type="primary" if decision is meaning else "secondary",
            shortcut=key,
            width="stretch",
            on_click=_decide,
            args=(suspect, meaning),
        )
    st.button(
        _("Take back"),
        key="take back",
        disabled=decision is None,
        width="stretch",
        on_click=_decide,
        args=(suspect, None),
    )


def _decide(suspect: Suspect, agreed: bool | None) -> None:
    decisions().pop(suspect, None)
    if agreed is not None:
        decisions()[suspect] = agreed


def recall_decisions(source: Source) -> None:
    """Go on from what was decided in this browser before; it keeps all that is decided from now."""

    def read(text: Any) -> dict[Suspect, bool]:
        if not isinstance(text, str) or not text:
            return {}
        try:
            return suspects.from_csv(text.encode(), source, _sizes(source))
        except UserFacingError:  # of other data, or not written here
            return {}

    def written() -> str:
        rows = _as_rows(source)
        return downloads.csv_text(rows) if rows else ""

    memory.remember(f"decisions on {source} garments", decisions(), written, read)


def _sizes(source: Source) -> dict[SplitName, int]:
    return {name: len(dataset.split(name, source)) for name in SPLITS}


def _as_rows(source: Source) -> list[dict[str, Any]]:
    published = {
        name: analysis.published_rows(name) if source == "real" else np.arange(size)
        for name, size in _sizes(source).items()
    }
    return suspects.to_rows(decisions(), source, published)


def save_decisions(source: Source) -> None:
    """The decisions as a CSV to save, and one saved before to go on from."""
    downloads.csv_button(_("Save decisions"), _as_rows(source), "decisions.csv", "decisions-csv")
    uploaded = st.file_uploader(_("Go on from decisions saved before"), "csv", key="saved")
    if uploaded and st.session_state.get("went on from") != uploaded.file_id:
        try:
            before = suspects.from_csv(uploaded.getvalue(), source, _sizes(source))
        except UserFacingError as error:
            st.error(said(error))
        else:
            st.session_state["went on from"] = uploaded.file_id
            decisions().update(before)
            st.rerun()


def leaderboard(source: Source, device: torch.device) -> None:
    """Every model's test accuracy with and without what is confirmed, the best without first."""
    rows = suspects.confirmed(decisions(), "test")
    scores = []
    for card in models.choices(lambda card: "test" in card.knows).values():
        answers = models.evaluate(card, "test", source, device)
        before = 100 * evaluation.accuracy(answers)
        after = 100 * suspects.accuracy_without(answers, rows)
        scores.append((card.both_names, before, after, after - before))
    heads = (
        Words("Model"),
        Words("All"),
        Words("Without {count}", count=len(rows)),
        Words("Change"),
    )
    widgets.table(
        [
            dict(zip(heads, score, strict=True))
            for score in sorted(scores, key=lambda score: -score[2])
        ],
        dict(zip(heads[1:], ("{:.2f} %", "{:.2f} %", "{:+.2f}"), strict=True)),
    )
