"""How well weights do beyond the dataset, as a Markdown table.

    python -m benchmarks.domain FOLDER... [WEIGHTS...]

A FOLDER holds pictures and a labels.json (file to the labels that count as right; null for none of
the ten), or the files that `fmnist.data.people` trains on, of which the held-out part is measured,
kind by kind. The clean test set stands first. Every picture is taken in as the app does it; "only
resized" is what a naive program would make of it. Counts in brackets, intervals of 95 % (Wilson);
the expected calibration error is of the chance that the answer is among the right ones, and behind
it stands the error to expect where that chance is exactly right, since few pictures leave some.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import binomtest

from fmnist.analysis import evaluation
from fmnist.data import people, splits
from fmnist.models.inference import infer
from fmnist.pictures import intake, reading
from fmnist.weights import shelf
from fmnist.weights.card import Card
from fmnist.weights.shelf import Weights

CPU = torch.device("cpu")
Images = NDArray[np.uint8]  # (N, 28, 28)
INTAKES = {"test": "dataset", "sketches": "sketch"} | {
    name: kind for kind, names in people.INTAKES.items() for name in names
}
"""What most pictures of a kind are taken for."""


@dataclass(frozen=True)
class Domain:
    """Labelled pictures as taken in, the labels right for each, and what has no label.

    `naive` are the labelled ones merely resized; None where that makes no sense.
    """

    taken_in: Images
    right: list[list[int]]
    none: Images
    naive: Images | None = None


def domains(folder: Path) -> Iterator[tuple[str, Domain]]:
    """What a folder holds, by name."""
    if (folder / "labels.json").exists():
        yield folder.name, load(folder)
        return
    held_out = people.load(folder, "validation")
    for row, kind in enumerate(people.KINDS):
        of_kind = held_out[np.flatnonzero(held_out.kinds == row)]
        garments, none = of_kind.garments(), of_kind.others()
        right = [np.flatnonzero(mask).tolist() for mask in garments.accepted]
        yield f"{kind}, held out", Domain(garments.images, right, none.images)


def load(folder: Path, every: int = 1) -> Domain:
    """The pictures of a folder with a labels.json, or every so many of them."""
    labels = dict([*json.loads((folder / "labels.json").read_text()).items()][::every])
    labelled = [name for name, right in labels.items() if right is not None]
    return Domain(
        taken_in=_stack([_taken_in(folder / name) for name in labelled]),
        right=[labels[name] for name in labelled],
        none=_stack([_taken_in(folder / name) for name in labels if name not in labelled]),
        naive=_stack([_naive(folder / name) for name in labelled]),
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


def rights(logits: NDArray[np.float32], right: Sequence[Sequence[int]]) -> NDArray[np.bool_]:
    """Whether each answer, by logits (N, 10), is among the labels that count as right."""
    pairs = zip(logits.argmax(1), right, strict=True)
    return np.array([label in labels for label, labels in pairs], bool)


def doubted(
    card: Card, logits: NDArray[np.float32], kinds: Sequence[str] | None
) -> NDArray[np.bool_]:
    """Which answers (N,) to logits (N, 10) the page warns of."""
    return np.array([bool(doubt) for doubt in card.doubts(logits, kinds)], bool)


def share(found: NDArray[np.bool_]) -> str:
    """A share in per cent, with its interval of 95 %."""
    if not len(found):
        return "-"
    low, high = binomtest(int(found.sum()), len(found)).proportion_ci(method="wilson")
    return f"{found.mean():.1%} ({low * 100:.1f} to {high * 100:.1f})"


def by_chance(chance: NDArray[np.float32]) -> float:
    """The calibration error to expect of as few answers if each were right by its very chance."""
    draws = np.random.default_rng(0).random((200, len(chance))) < chance
    return float(np.mean([evaluation.calibration_error(chance, right) for right in draws]))


def row(weights: Weights, name: str, domain: Domain) -> list[str]:
    """The cells of one line of the table."""
    model, card = weights
    kind = INTAKES.get(name.split(",")[0], "")
    logits = infer(model, domain.taken_in, CPU)
    right = rights(logits, domain.right)
    certainty = card.certainty_of(kind)
    chance = evaluation.chance_of_right(logits, certainty)
    error = evaluation.calibration_error(chance, right)
    naive = right[:0]
    if domain.naive is not None:
        naive = rights(infer(model, domain.naive, CPU), domain.right)
    none = infer(model, domain.none, CPU) if len(domain.none) else logits[:0]
    return [
        f"{name} ({len(right):,})",
        share(right),
        share(naive),
        f"{error:.1%} ({by_chance(chance):.1%})",
        share(doubted(card, logits, [kind] * len(logits))),
        f"{share(doubted(card, none, [kind] * len(none)))} ({len(none):,})",
    ]


def main(arguments: list[str]) -> None:
    """Print a table for each of the weights."""
    folders = [Path(argument) for argument in arguments if Path(argument).is_dir()]
    names = [argument for argument in arguments if not Path(argument).is_dir()]
    test = splits.load("test", "real")
    nothing = np.concatenate([digits(200), noise(200), blanks()])
    measured = {"test": Domain(test.images, [[int(label)] for label in test.labels], nothing)}
    for folder in folders:
        measured |= dict(domains(folder))
    heads = ["right", "only resized", "calibration error", "flagged", "none of the ten, flagged"]
    for name in names or [card.name for card in shelf.cards()]:
        weights = shelf.load(name)
        print(f"\n| {' | '.join([name, *heads])} |\n|{'---|' * (len(heads) + 1)}")
        for kind, domain in measured.items():
            print(f"| {' | '.join(row(weights, kind, domain))} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
