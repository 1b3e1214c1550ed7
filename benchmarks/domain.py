"""How well each weights file names what people draw and photograph, in per cent.

    python -m benchmarks.domain SKETCHES PHOTOS [WEIGHTS...]

SKETCHES and PHOTOS are folders with a labels.json (file to the labels that count as right; null
for none of the ten). Each picture is taken in twice: merely made grey and resized to 28x28, as a
naive program would, and through the app's intake. The clean test set stands beside it.
"""

import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmnist import data, devices, intake, weights
from fmnist.evaluation import infer


def naive(path: Path) -> NDArray[np.uint8]:
    """The picture grey and 28x28, whatever is in it."""
    return np.asarray(intake.read(path).convert("L").resize((28, 28)))


def taken_in(path: Path) -> NDArray[np.uint8]:
    """The picture as the app shows it to a model."""
    return intake.from_any(intake.read(path)).pixels


def load(folder: Path) -> tuple[dict[str, NDArray[np.uint8]], list[list[int]]]:
    """The labelled pictures uint8 (N, 28, 28) by way of intake, and the labels right for each."""
    labels = json.loads((folder / "labels.json").read_text())
    labelled = {name: right for name, right in labels.items() if right is not None}
    ways = {"naive": naive, "intake": taken_in}
    pictures = {
        way: np.stack([take(folder / name) for name in labelled]) for way, take in ways.items()
    }
    return pictures, list(labelled.values())


def main(sketches: Path, photos: Path, names: list[str]) -> None:
    device = devices.choose()
    test = data.load("test", "real")
    domains = {folder.name: load(folder) for folder in (sketches, photos)}
    heads = ["test", *(f"{name}, {way}" for name in domains for way in ("naive", "intake"))]
    print(f"{'weights':<14}" + "".join(f"{head:>18}" for head in heads))
    for name in names or [card.name for card in weights.cards()]:
        model, _ = weights.load(name)
        shares = [np.mean(infer(model, test.images, device).argmax(1) == test.labels)]
        for pictures, right in domains.values():
            for images in pictures.values():
                said = infer(model, images, device).argmax(1)
                shares.append(np.mean([s in r for s, r in zip(said, right, strict=True)]))
        print(f"{name:<14}" + "".join(f"{share:>18.1%}" for share in shares), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
