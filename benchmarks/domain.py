"""How well each weights file does beyond the dataset, in per cent.

    python -m benchmarks.domain SKETCHES PHOTOS [WEIGHTS...]

SKETCHES and PHOTOS are folders with a labels.json (file to the labels that count as right; null
for none of the ten). Each picture is taken in twice: merely made grey and resized to 28x28, as a
naive program would, and through the app's intake. The clean test set stands beside it, with the
expected calibration error. The second table is what each model takes for something it doesn't
know: of the clean test set, of the labelled pictures and of what is none of the ten.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.data import splits
from fmnist.data.splits import Split
from fmnist.machine import devices
from fmnist.models.inference import infer
from fmnist.pictures import intake, reading
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import Weights

Images = NDArray[np.uint8]  # (N, 28, 28)


@dataclass(frozen=True)
class Domain:
    """Labelled pictures by both ways in, the labels right for each, and what has no label."""

    naive: Images
    taken_in: Images
    right: list[list[int]]
    none: Images


def load(folder: Path) -> Domain:
    """The pictures of a folder with a labels.json."""
    labels = json.loads((folder / "labels.json").read_text())
    labelled = [name for name, right in labels.items() if right is not None]
    return Domain(
        naive=_stack([_naive(folder / name) for name in labelled]),
        taken_in=_stack([_taken_in(folder / name) for name in labelled]),
        right=[labels[name] for name in labelled],
        none=_stack([_taken_in(folder / name) for name in labels if name not in labelled]),
    )


def _naive(path: Path) -> NDArray[np.uint8]:
    return np.asarray(reading.read(path).convert("L").resize((28, 28)))


def _taken_in(path: Path) -> NDArray[np.uint8]:
    return intake.from_any(reading.read(path)).pixels


def _stack(images: Sequence[NDArray[np.uint8]]) -> Images:
    return np.stack(images) if images else np.zeros((0, 28, 28), np.uint8)


def digits(count: int) -> Images:
    """Handwritten-looking digits as MNIST has them: 20 pixels tall, white on black, slanted."""
    rng = np.random.default_rng(0)
    images = []
    for number in range(count):
        paper = np.zeros((112, 112), np.uint8)
        font = (cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, cv2.FONT_HERSHEY_SIMPLEX)[number % 2]
        width = int(rng.integers(5, 13))
        cv2.putText(paper, str(number % 10), (32, 88), font, 2.8, 255, width, cv2.LINE_AA)
        slant = np.array([[1, rng.normal(-0.15, 0.15), 8], [rng.normal(0, 0.05), 1, 0]])
        bent = cv2.warpAffine(paper, slant, (112, 112))
        images.append(cv2.resize(bent, (28, 28), interpolation=cv2.INTER_AREA).astype(np.uint8))
    return np.stack(images)


def noise(count: int) -> Images:
    """Uniform noise."""
    return np.random.default_rng(0).integers(0, 256, (count, 28, 28), dtype=np.uint8)


def blanks() -> Images:
    """Empty pictures from black to white."""
    return np.repeat(np.arange(0, 256, 15, dtype=np.uint8), 28 * 28).reshape(-1, 28, 28)


def share_right(model: nn.Module, images: Images, right: Sequence[Sequence[int]]) -> float:
    """The share of images whose answer is among the labels that count as right."""
    said = infer(model, images, torch.device("cpu")).argmax(1)
    return float(np.mean([label in labels for label, labels in zip(said, right, strict=True)]))


def share_flagged(model: nn.Module, card: Card, images: Images) -> float:
    """The share of images that the model takes for something it doesn't know."""
    return float(card.unfamiliar(infer(model, images, torch.device("cpu"))).mean())


def _print_row(name: str, cells: Sequence[str]) -> None:
    print(f"{name:<12}" + "".join(f"{cell:>18}" for cell in cells), flush=True)


def _print_accuracies(models: dict[str, Weights], test: Split, domains: dict[str, Domain]) -> None:
    ways = [f"{name}, {way}" for name in domains for way in ("naive", "intake")]
    _print_row("right", ["test", "calibration error", *ways])
    for name, (model, card) in models.items():
        e = Evaluation(name, infer(model, test.images, devices.choose()), test.labels)
        error = evaluation.expected_calibration_error(e, temperature=card.temperature)
        shares = [
            share_right(model, images, domain.right)
            for domain in domains.values()
            for images in (domain.naive, domain.taken_in)
        ]
        _print_row(name, [f"{share:.1%}" for share in (evaluation.accuracy(e), error, *shares)])


def _print_flags(models: dict[str, Weights], test: Split, domains: dict[str, Domain]) -> None:
    known = {"test": test.images} | {name: domain.taken_in for name, domain in domains.items()}
    others = {f"other {name}": d.none for name, d in domains.items() if len(d.none)}
    strange = others | {"digits": digits(200), "noise": noise(200), "blank": blanks()}
    _print_row("flagged", [*known, *strange, "all strange"])
    for name, (model, card) in models.items():
        shares = [share_flagged(model, card, images) for images in (known | strange).values()]
        everything = share_flagged(model, card, np.concatenate(list(strange.values())))
        _print_row(name, [f"{share:.1%}" for share in (*shares, everything)])


def main(sketches: Path, photos: Path, names: list[str]) -> None:
    test = splits.load("test", "real")
    domains = {folder.name: load(folder) for folder in (sketches, photos)}
    models = {name: shelf.load(name) for name in names or [card.name for card in shelf.cards()]}
    _print_accuracies(models, test, domains)
    _print_flags(models, test, domains)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
