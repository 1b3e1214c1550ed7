"""Confusion matrices, and what changes between two, as cells to choose from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fmnist.data.splits import CLASSES
from fmnist.ui.components.matrix import Cell, Matrix
from fmnist.words import Words, _, number

UNITS = (Words("Counts"), Words("Row %"), Words("Column %"))
COUNTS, ROW, COLUMN = UNITS


def confusion(
    matrix: NDArray[np.int64], unit: str = COUNTS, order: Sequence[int] = range(len(CLASSES))
) -> Matrix:
    """A confusion matrix (10, 10) to show, its classes in an order, its diagonal uncoloured.

    Before each row and column stands its head: how many of its images were named wrong. Its class
    is None on that side, as in `evaluation.errors`.
    """
    counts, values = _with_heads(matrix[np.ix_(order, order)], unit)
    labels = [None, *order]
    errors = np.where(np.eye(len(order), dtype=bool), 0, values[1:, 1:])
    most = errors.max() or 1

    def cell(row: int, column: int) -> Cell:
        place = labels[row], labels[column]
        count, value = counts[row, column], values[row, column]
        text = f"{count}" if unit == COUNTS else _per_cent(value)
        coloured = None not in place and row != column
        return Cell(
            place,
            text if count else "",
            _("{cell}: {count:,}", cell=cell_name(*place), count=count),
            float(value / most) if coloured else None,
        )

    places = range(len(labels))
    cells = [[cell(row, column) for column in places] for row in places]
    return Matrix(cells, "" if unit == COUNTS else unit)


def _per_cent(share: float) -> str:
    """To a tenth, but for 100, which has no room for one."""
    return number(100 * share, ".1f" if share < 0.9995 else ".0f")


def cell_name(true: int | None, predicted: int | None) -> Words:
    """What the images of a cell or of a head have in common; None stands for any class."""
    if true is None:
        if predicted is None:
            return Words("All errors")
        return Words("Wrongly named {predicted}", predicted=CLASSES[predicted])
    if predicted is None:
        return Words("{true} named wrong", true=CLASSES[true])
    return Words("{true} named {predicted}", true=CLASSES[true], predicted=CLASSES[predicted])


def _with_heads(
    matrix: NDArray[np.int64], unit: str
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Counts and shown values (11, 11): before each row and column what was named wrong in it.

    In per cent a cell is measured by its row or its column, and a head by what it stands before.
    """
    rows, columns, right = matrix.sum(1)[:, None], matrix.sum(0), matrix.diagonal()
    counts = np.block(
        [[matrix.sum() - right.sum(), columns - right], [rows - right[:, None], matrix]]
    )
    if unit == COUNTS:
        return counts, counts.astype(np.float64)
    of_cells = np.broadcast_to(rows if unit == ROW else columns, matrix.shape)
    wholes = np.block([[matrix.sum(), columns], [rows, of_cells]])
    return counts, counts / np.maximum(wholes, 1)


def difference(matrix: NDArray[np.int64]) -> Matrix:
    """By how many images each cell of the confusion matrix changed, (10, 10).

    Hot is for the worse, more errors or fewer right answers, and cold for the better.
    """
    worse = np.where(np.eye(len(CLASSES), dtype=bool), -matrix, matrix)
    most = np.abs(worse).max() or 1

    def cell(row: int, column: int) -> Cell:
        change = matrix[row, column]
        return Cell(
            (row, column),
            f"{change:+}" if change else "",
            _("{cell}: {change:+,}", cell=cell_name(row, column), change=change),
            float(worse[row, column] / most),
        )

    classes = range(len(CLASSES))
    return Matrix([[cell(row, column) for column in classes] for row in classes])
