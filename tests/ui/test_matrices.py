"""The confusion matrix, and the difference of two, as cells to choose from."""

import numpy as np
import pytest

from fmnist.data.splits import CLASSES
from fmnist.ui import matrices
from fmnist.ui.components import matrix as component
from fmnist.ui.components.matrix import Cell, Matrix, Place
from fmnist.ui.matrices import COLUMN, COUNTS, ROW


def by_place(shown: Matrix) -> dict[Place, Cell]:
    return {cell.place: cell for row in shown.rows for cell in row}


def count(cell: Cell) -> int:
    return int(cell.title.rsplit(": ", 1)[1].replace(",", ""))


def test_every_cell_and_head_knows_its_classes_and_its_count() -> None:
    matrix = np.arange(100).reshape(10, 10)
    cells = by_place(matrices.confusion(matrix))
    assert len(cells) == 11 * 11
    wrong = matrix - np.diag(matrix.diagonal())
    for true, predicted in np.ndindex(10, 10):
        cell = cells[true, predicted]
        assert count(cell) == matrix[true, predicted]
        assert cell.text == (str(matrix[true, predicted]) if matrix[true, predicted] else "")
    for label in range(10):
        assert count(cells[label, None]) == wrong[label].sum()
        assert count(cells[None, label]) == wrong[:, label].sum()
    assert count(cells[None, None]) == wrong.sum()


def test_the_classes_stand_in_the_order_asked_for() -> None:
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    rows = matrices.confusion(np.arange(100).reshape(10, 10), order=order).rows
    assert [row[0].place[0] for row in rows] == [None, *order]
    assert [cell.place[1] for cell in rows[0]] == [None, *order]


def test_errors_are_hot_by_their_share_of_the_most_and_what_is_right_has_no_colour() -> None:
    matrix = np.zeros((10, 10), int)
    matrix[2, 4], matrix[4, 2], matrix[3, 3] = 8, 2, 90
    cells = by_place(matrices.confusion(matrix))
    assert cells[2, 4].heat == 1
    assert cells[4, 2].heat == 0.25
    assert cells[0, 1].heat == 0
    assert cells[3, 3].heat is None
    assert cells[2, None].heat is cells[None, 4].heat is None


@pytest.mark.parametrize(("unit", "axis"), [(ROW, 1), (COLUMN, 0)])
def test_shares_are_of_the_row_or_of_the_column(unit: str, axis: int) -> None:
    matrix = np.random.default_rng(0).integers(0, 9, (10, 10))
    matrix[3], matrix[:, 5] = 0, 0  # a class without images, a class that is never named
    cells = by_place(matrices.confusion(matrix, unit))
    for true, predicted in np.ndindex(10, 10):
        whole = matrix[true].sum() if axis else matrix[:, predicted].sum()
        share = matrix[true, predicted] / whole if whole else 0
        assert cells[true, predicted].text == (f"{100 * share:.1f}" if share else "")
    wrong_in_row = 1 - matrix[2, 2] / matrix[2].sum()
    wrong_in_column = 1 - matrix[2, 2] / matrix[:, 2].sum()
    assert cells[2, None].text == f"{100 * wrong_in_row:.1f}"
    assert cells[None, 2].text == f"{100 * wrong_in_column:.1f}"


def test_all_of_a_row_is_100_without_a_decimal_and_what_is_less_has_one() -> None:
    matrix = np.diag([5] * 10)
    matrix[3] = 0, 0, 0, 9990, 10, 0, 0, 0, 0, 0
    cells = by_place(matrices.confusion(matrix, ROW))
    assert [cells[label, label].text for label in (2, 3)] == ["100", "99.9"]


def test_shares_say_of_what_they_are_and_counts_need_no_unit() -> None:
    matrix = np.eye(10, dtype=int)
    assert [matrices.confusion(matrix, unit).unit for unit in (COUNTS, ROW)] == ["", ROW]


def test_a_matrix_without_errors_has_no_heat() -> None:
    cells = by_place(matrices.confusion(np.eye(10, dtype=int)))
    assert {cell.heat for cell in cells.values()} == {0, None}


def test_a_cell_and_a_head_are_named() -> None:
    assert matrices.cell_name(6, 0) == "Shirt named T-shirt/top"
    assert matrices.cell_name(6, None) == "Shirt named wrong"
    assert matrices.cell_name(None, 0) == "Wrongly named T-shirt/top"
    assert matrices.cell_name(None, None) == "All errors"


def test_a_difference_writes_every_change_with_its_sign() -> None:
    matrix = np.zeros((10, 10), int)
    matrix[6, 0], matrix[6, 6], matrix[2, 4] = -12, 12, 3
    cells = by_place(matrices.difference(matrix))
    assert len(cells) == 100
    written = {place: cell.text for place, cell in cells.items() if cell.text}
    assert written == {(6, 0): "-12", (6, 6): "+12", (2, 4): "+3"}
    assert cells[6, 0].title == "Shirt named T-shirt/top: -12"


def test_fewer_errors_and_more_right_answers_are_cold_and_the_others_hot() -> None:
    matrix = np.zeros((10, 10), int)
    matrix[6, 0], matrix[6, 6], matrix[3, 4], matrix[3, 3] = -12, 12, 6, -6
    cells = by_place(matrices.difference(matrix))
    assert cells[6, 0].heat == cells[6, 6].heat == -1
    assert cells[3, 4].heat == cells[3, 3].heat == 0.5


@pytest.mark.parametrize("choice", [None, "6,0", [6], [6, 10], [-1, 0], [6, 0, 1], {"true": 6}])
def test_a_browsers_word_that_is_no_cell_chooses_none(choice: object) -> None:
    assert component.taken(choice) is None


def test_a_browsers_word_for_a_cell_or_a_head_is_taken() -> None:
    last = len(CLASSES) - 1
    assert component.taken([6, last]) == (6, last)
    assert component.taken([None, 0]) == (None, 0)
