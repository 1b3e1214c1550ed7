"""The parts of the hardest page: what is asked, the ranking that answers it, its images."""

from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from fmnist.analysis import difficulty
from fmnist.analysis.difficulty import MEASURES, Measure, Scores
from fmnist.data.splits import CLASSES, IN_WORDS, Source, Split, SplitName
from fmnist.machine import files
from fmnist.ui import figures, garments, widgets
from fmnist.ui.garments import MOST_SHOWN
from fmnist.ui.state import dataset, models
from fmnist.ui.widgets import choice
from fmnist.weights.card import Card
from fmnist.words import Words, _, said, written

ENDS = HARDEST, EASIEST = Words("Hardest"), Words("Easiest")
ASKED = 5  # of all models, the most accurate, until others are chosen


@dataclass(frozen=True)
class Question:
    """Hard for which models, by what measure; of which class (None: any), from which end."""

    cards: list[Card]
    by: str
    split_name: SplitName
    label: int | None
    end: str

    @property
    def measure(self) -> Measure:
        return MEASURES[self.by]

    def written(self, score: float) -> str:
        """A score as the measure has it."""
        return written(score, said(self.measure.form))

    @property
    def order(self) -> str:
        """The end as a caption names it."""
        return _("the hardest first") if self.end == HARDEST else _("the easiest first")


@dataclass(frozen=True)
class Ranking:
    """The rows of a split in the order asked for, each image's score and what the models say.

    `scores` are (N,) and `predictions` (models, N), for all images of the split.
    """

    split: Split
    rows: NDArray[np.int64]
    scores: Scores
    predictions: NDArray[np.int64]


def choose() -> Question:
    """Boxes and bars for the question; the page ends, with a hint, where no model is chosen."""
    choices = models.choices()
    left, right = st.columns([5, 3])
    names = list(choices)
    with left:
        asked = widgets.several(
            _("Models"), names, names[:ASKED], key="models", shown=widgets.labels(choices)
        )
    with right:
        label = widgets.choose_class()
    if not asked:
        st.info(_("Choose a model; where there is none, train one on the Train page."))
        st.stop()
    left, middle, right = st.columns([5, 3, 4], vertical_alignment="bottom")
    with left:
        by = choice(_("Hard by"), list(MEASURES), key="by")
    with middle:
        split_name = widgets.choose_split(*(choices[name] for name in asked))
    with right:
        end = choice(_("First"), ENDS, key="end")
    st.caption(said(MEASURES[by].meaning))
    cards = [choices[name] for name in asked]
    widgets.warn_of_classes_alone(*cards)
    return Question(cards, by, split_name, label, end)


def rank(
    question: Question,
    source: Source,
    device: torch.device,
    chosen: NDArray[np.int64] | None = None,
) -> Ranking:
    """The images that the question is about, in its order; only the `chosen` count."""
    split = dataset.split(question.split_name, source)
    answers = np.stack(
        [models.probabilities(card, question.split_name, source, device) for card in question.cards]
    )
    scores = question.measure.score(answers, split.labels)
    rows = difficulty.hardest_first(scores, difficulty.doubt(answers, split.labels))
    if question.end == EASIEST:
        rows = rows[::-1]
    if question.label is not None:
        rows = rows[split.labels[rows] == question.label]
    if chosen is not None:
        rows = rows[np.isin(rows, chosen)]
    return Ranking(split, rows, scores, answers.argmax(2))


def gallery(question: Question, ranking: Ranking, source: Source) -> int:
    """The first images, each over its score; returns the place of the chosen one."""
    split, rows, end = ranking.split, ranking.rows[:MOST_SHOWN], question.end.lower()
    names = [card.label for card in question.cards]
    table = [
        {
            "Image": row,
            "True": CLASSES[split.labels[row]],
            question.by: ranking.scores[row],
            **{
                f"{name} says": CLASSES[answer]
                for name, answer in zip(names, ranking.predictions[:, row], strict=True)
            },
        }
        for row in rows
    ]
    picked = garments.gallery(
        split.images[rows],
        [_("Image {row:,}, {label}", row=row, label=CLASSES[split.labels[row]]) for row in rows],
        table,
        key="hardest",
        name=f"{source} {question.split_name} {question.by} {names} {files.digest(rows)}",
        what=_("images, {order}", order=question.order),
        filename=f"{end}-{question.split_name}",
        caption=_(
            "{shown:,} of {all:,} images, {order}.",
            shown=len(rows),
            all=len(ranking.rows),
            order=question.order,
        ),
        captions=[question.written(score) for score in ranking.scores[rows]],
        height=520,
        tile=64,
    )
    return picked or 0


def large(question: Question, ranking: Ranking, place: int) -> int:
    """The image at a place of the ranking with its score; returns its row."""
    row = int(ranking.rows[place])
    caption = _(
        "Image {row:,} of the {split} split. {measure}: {score}.",
        row=row,
        split=IN_WORDS[question.split_name],
        measure=question.by,
        score=question.written(ranking.scores[row]),
    )
    garments.large(ranking.split, row, caption)
    return row


def by_class(question: Question, ranking: Ranking) -> None:
    """The mean score of each class over the whole split."""
    labels, scores = ranking.split.labels, ranking.scores
    means = [float(scores[labels == label].mean()) for label in range(len(CLASSES))]
    texts = [question.written(round(mean, 3)) for mean in means]
    widgets.chart(figures.class_means(means, texts), "by class", _("The mean of each class"))
    st.caption(
        _(
            "Mean over all {images:,} images of the {split} split.",
            images=len(labels),
            split=IN_WORDS[question.split_name],
        )
    )
