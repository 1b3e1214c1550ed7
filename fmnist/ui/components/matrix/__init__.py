"""A matrix of classes by classes: a table whose cells are chosen by click or by key."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from fmnist.data.splits import CLASSES
from fmnist.ui import components
from fmnist.words import _, said

Place = tuple[int | None, int | None]
"""A cell by its true and its predicted class; None for any, where it is a head."""

_component = components.component("matrix")


class Cell(NamedTuple):
    """One cell: what is written in it, what it is in words, and how strongly it is coloured.

    `heat` is 0 to 1 for the worse and 0 to -1 for the better; None for a cell without a colour.
    """

    place: Place
    text: str
    title: str
    heat: float | None


class Matrix(NamedTuple):
    """Rows of cells, true classes down and predicted ones across; its figures' unit, if any."""

    rows: Sequence[Sequence[Cell]]
    unit: str = ""


def matrix(
    shown: Matrix,
    *,
    key: str,
    label: str,
    chosen: Place | None = None,
    on_choose: Callable[[], None] | None = None,
) -> None:
    """Show a matrix.

    `on_choose` learns by `taken` which one was chosen; without it none can be.
    """
    _component(
        key=key,
        data={
            "label": label,
            "corner": [_("predicted \u2192"), _("true \u2193"), said(shown.unit)],
            "rows": [_name(row[0].place[0]) for row in shown.rows],
            "columns": [_name(cell.place[1]) for cell in shown.rows[0]],
            "cells": [[cell._asdict() for cell in row] for row in shown.rows],
            "chosen": chosen,
            "choosable": on_choose is not None,
        },
        on_chosen_change=on_choose or (lambda: None),
    )


def taken(choice: object) -> Place | None:
    """The browser's word for a cell, if it is one."""
    if isinstance(choice, list) and len(choice) == 2:
        true, predicted = choice
        if all(label is None or label in range(len(CLASSES)) for label in choice):
            return true, predicted
    return None


def _name(label: int | None) -> str:
    return _("wrong") if label is None else said(CLASSES[label])
