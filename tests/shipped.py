"""Which of the shipped models a test is about; `make test` asks some, CI all of them."""

from collections.abc import Collection
from pathlib import Path

import pytest

from fmnist.weights import shelf

FOUR = ("everyday", "cnn", "fcnn", "gru")
"""Those that pages are tested with: the default, and one of each family."""
THREE = ("fcnn", "cnn", "gru")
"""Of every family the quickest."""
KINDS = (
    "softmax", "fcnn", "fcnn-normalized", "lenet-5", "tinyvgg", "cnn", "cnn-strided",
    "cnn-normalized", "residual-100k", "resnet-20", "everyday", "lstm", "gru", "bilstm",
    "rows-columns",
)  # fmt: skip
"""One of each kind of network; the others have its layers in other sizes or numbers."""
SHIPPED = shelf.SHIPPED


def every_shipped(quick: Collection[str]) -> pytest.MarkDecorator:
    """The test with the name of each shipped model; slow but for the quick ones."""
    return _slow_but([card.name for card in shelf.cards()], quick)


def every_kind(quick: Collection[str]) -> pytest.MarkDecorator:
    """The test with the name of a shipped model of each kind; slow but for the quick ones."""
    return _slow_but(KINDS, quick)


def _slow_but(names: Collection[str], quick: Collection[str]) -> pytest.MarkDecorator:
    slow = pytest.mark.slow
    return pytest.mark.parametrize(
        "name", [pytest.param(name, marks=() if name in quick else slow) for name in names]
    )


def put_beside(name: str, folder: Path) -> None:
    """Let a folder have a shipped model, too."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in SHIPPED.glob(f"{name}.*"):
        (folder / path.name).symlink_to(path)
