"""One model in one HTML file that needs nothing else: figures, confusion matrix, worst cells."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmnist import words
from fmnist.analysis import evaluation, intervals
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import CLASSES, IN_WORDS, Split
from fmnist.machine import templates
from fmnist.models import MODELS
from fmnist.pictures.encode import data_url
from fmnist.weights.card import Card
from fmnist.words import ENGLISH, Words, _, number, said

WORST_CELLS, IMAGES_A_CELL = 10, 60
BINS = 15

_PAGE = templates.template(Path(__file__).with_name("report.html.j2"))


def report(
    card: Card,
    e: Evaluation,
    split: Split,
    split_name: str,
    source: str,
    language: str = ENGLISH,
) -> str:
    """The report, as HTML, of a model's answers to a split."""
    with words.reading(language):
        return _report(card, e, split, split_name, source)


def _report(card: Card, e: Evaluation, split: Split, split_name: str, source: str) -> str:
    matrix = evaluation.confusion(e)
    worst = worst_cells(matrix)
    low, high = intervals.accuracy(matrix)
    right = int(matrix.trace())
    as_trained, at_temperature = (
        evaluation.expected_calibration_error(e, BINS, temperature)
        for temperature in (1.0, card.temperature)
    )
    return _PAGE.render(
        _=_,
        number=number,
        language=words.language(),
        card=card,
        title=_("{model} on {split}", model=card.name, split=IN_WORDS[split_name]),
        sentence=_(
            "of the {images:,} {split} images of {source} are named right, {wrong:,} are named "
            "wrong. Of all images of this kind it would be between {low:.2%} and {high:.2%}: 95 "
            "times in 100 such bounds hold the share.",
            images=len(split),
            split=IN_WORDS[split_name],
            source="Fashion-MNIST"
            if source == "real"
            else Words("drawn garments, not of Fashion-MNIST"),
            wrong=len(split) - right,
            low=low,
            high=high,
        ),
        images=len(split),
        right=right,
        facts=_facts(card),
        classes=[said(name) for name in CLASSES],
        matrix=matrix.tolist(),
        most_errors=int((matrix - np.diag(matrix.diagonal())).max()),
        worst=worst,
        by_class=list(
            zip(
                map(said, CLASSES),
                evaluation.per_class(matrix),
                intervals.per_class(matrix),
                strict=True,
            )
        ),
        sure=card.sure,
        calibrated=_(
            "How sure the model is and how often it is right differ by {as_trained:.2%} on average "
            "as trained (expected calibration error), and by {at_temperature:.2%} at its "
            "temperature.",
            as_trained=as_trained,
            at_temperature=at_temperature,
        ),
        calibration=evaluation.calibration(e, BINS, card.temperature),
        cells=[_cell(e, split, card.temperature, *cell) for cell in worst],
    )


def worst_cells(matrix: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The cells (true, predicted) with the most errors, at most `WORST_CELLS`, fullest first."""
    errors = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    order = np.argsort(-errors, axis=None, kind="stable")[:WORST_CELLS]
    return [(int(i) // len(matrix), int(i) % len(matrix)) for i in order if errors.flat[i]]


def _facts(card: Card) -> Iterator[tuple[str, str]]:
    """What the card knows, each with its name."""
    if card.architecture:
        summary = said(MODELS[card.architecture].summary)
        yield _("Architecture"), f"{said(card.title)} ({card.architecture}). {summary}"
    else:
        yield _("Architecture"), said(card.title)
    if card.members:
        yield _("Members"), ", ".join(member["name"] for member in card.members)
    if card.parameters is not None:
        yield _("Parameters"), number(card.parameters)
    if card.reads:
        yield _("Reads pixels as"), said(card.reads)
    if card.data:
        yield _("Trained on"), "Fashion-MNIST" if card.data == "real" else _("drawn garments")
    if card.repeats:
        also = _("the validation images, to the epoch that was best for {name}", name=card.repeats)
        yield _("Trained also on"), also
    if card.recipe:
        recipe = ", ".join(f"{name} {in_words(value)}" for name, value in card.recipe.items())
        yield _("Recipe"), recipe
    if card.best_epoch:
        yield _("Best epoch"), str(card.best_epoch)
    if card.seconds:
        took = _("{seconds:,.0f} s on {device}", seconds=card.seconds, device=card.device)
        yield _("Training time"), took
    if card.versions:
        versions = ", ".join(f"{name} {value}" for name, value in card.versions.items())
        yield _("Made with"), versions
    if card.sure:
        yield _("Temperature"), number(card.temperature, ".3f")
    yield _("Size"), _("{bytes:,} bytes", bytes=card.bytes)
    yield "SHA-256", card.sha256


def in_words(value: object) -> str:
    """A value of a recipe as people read it."""
    if isinstance(value, list):
        return _(" and ").join(value) or _("none")
    return _("none") if value is None else str(value)


def _cell(
    e: Evaluation, split: Split, temperature: float, label: int, answer: int
) -> dict[str, object]:
    """The images of one cell, the most confident first, each with how sure the model was."""
    rows = evaluation.errors(e, label, answer, temperature)
    shown = rows[:IMAGES_A_CELL]
    shares = evaluation.probabilities(e.logits[shown], temperature)[:, answer]
    return {
        "label": label,
        "answer": answer,
        "title": _("{true} named {predicted}", true=CLASSES[label], predicted=CLASSES[answer]),
        "count": len(rows),
        "shown": [
            {"row": row, "share": share, "url": data_url(split.images[row])}
            for row, share in zip(shown, shares, strict=True)
        ],
    }
