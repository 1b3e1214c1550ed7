"""One model in one HTML file that needs nothing else: figures, confusion matrix, worst cells."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fmnist.analysis import evaluation, intervals
from fmnist.analysis.evaluation import Evaluation
from fmnist.data.splits import CLASSES, Split
from fmnist.machine import templates
from fmnist.models import MODELS
from fmnist.weights.card import Card

WORST_CELLS, IMAGES_A_CELL = 10, 60
BINS = 15

_PAGE = templates.template(Path(__file__).with_name("report.html.j2"))


def report(card: Card, e: Evaluation, split: Split, split_name: str, source: str) -> str:
    """The report, as HTML, of a model's answers to a split."""
    matrix = evaluation.confusion(e)
    worst = worst_cells(matrix)
    low, high = intervals.accuracy(matrix)
    return _PAGE.render(
        card=card,
        split_name=split_name,
        source="Fashion-MNIST" if source == "real" else "drawn garments, not of Fashion-MNIST",
        images=len(split),
        right=int(matrix.trace()),
        low=low,
        high=high,
        facts=_facts(card),
        classes=CLASSES,
        matrix=matrix.tolist(),
        most_errors=int((matrix - np.diag(matrix.diagonal())).max()),
        worst=worst,
        by_class=list(
            zip(CLASSES, evaluation.per_class(matrix), intervals.per_class(matrix), strict=True)
        ),
        sure=card.sure,
        error_as_trained=evaluation.expected_calibration_error(e, BINS),
        error_at_temperature=evaluation.expected_calibration_error(e, BINS, card.temperature),
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
        summary = MODELS[card.architecture].summary
        yield "Architecture", f"{card.title} ({card.architecture}). {summary}"
    else:
        yield "Architecture", card.title
    if card.parameters is not None:
        yield "Parameters", f"{card.parameters:,}"
    if card.reads:
        yield "Reads pixels as", card.reads
    if card.data:
        yield "Trained on", "Fashion-MNIST" if card.data == "real" else "drawn garments"
    if card.recipe:
        yield "Recipe", ", ".join(f"{name} {_plain(value)}" for name, value in card.recipe.items())
    if card.best_epoch:
        yield "Best epoch", str(card.best_epoch)
    if card.seconds:
        yield "Training time", f"{card.seconds:,.0f} s on {card.device}"
    if card.versions:
        yield "Made with", ", ".join(f"{name} {value}" for name, value in card.versions.items())
    if card.sure:
        yield "Temperature", f"{card.temperature:.3f}"
    yield "Size", f"{card.bytes:,} bytes"
    yield "SHA-256", card.sha256


def _plain(value: object) -> str:
    return (" and ".join(value) or "none") if isinstance(value, list) else str(value)


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
        "count": len(rows),
        "shown": [
            {"row": row, "share": share, "url": _data_url(split.images[row])}
            for row, share in zip(shown, shares, strict=True)
        ],
    }


def _data_url(image: NDArray[np.uint8]) -> str:
    png = io.BytesIO()
    Image.fromarray(image).save(png, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
