"""A folder of pictures as people bring them for a training, all of them drawn here."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fmnist.data import garments, people
from fmnist.data.garments import drawing
from fmnist.data.splits import CLASSES

SQUARE = [[[20, 200, 200, 20, 20], [20, 20, 220, 220, 20]]]
BAG = CLASSES.index("Bag")
SHIRTS = [CLASSES.index("T-shirt/top"), CLASSES.index("Shirt")]
Entries = dict[str, tuple[Image.Image, list[int] | None]]


def take_in_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take pictures in without processes, which take longer to start than the pictures take."""

    class Here:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self) -> "Here":
            return self

        def __exit__(self, *_: object) -> None: ...
        def map(self, function, jobs):
            return map(function, jobs)

    monkeypatch.setattr(people, "ProcessPoolExecutor", Here)


def fill(folder: Path) -> Path:
    """The folder, with a few pictures of some of the sets."""
    folder.mkdir()
    drawings = [
        {"word": word, "accepted": right, "key_id": str(5000000 + number), "drawing": SQUARE}
        for number in range(12)
        for word, right in [("purse", [BAG]) if number % 2 else ("hat", None)]
    ]
    with gzip.open(folder / "drawings.ndjson.gz", "wt") as file:
        file.writelines(json.dumps(drawing) + "\n" for drawing in drawings)
    zipped(
        folder / "shop.zip",
        {f"handbags-{number}.jpg": (product(BAG, number), [BAG]) for number in range(7, 200, 16)}
        | {f"shirts-{number}.jpg": (product(6, number), SHIRTS) for number in range(3, 100, 16)},
    )
    return folder


def zipped(path: Path, entries: Entries) -> None:
    """A zip of pictures with the labels that count as right for each."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "labels.json", json.dumps({name: right for name, (_, right) in entries.items()})
        )
        for name, (picture, _) in entries.items():
            content = io.BytesIO()
            picture.save(content, "PNG")
            file.writestr(name, content.getvalue())


def product(label: int, seed: int = 1) -> Image.Image:
    """A garment on white, as shops show it."""
    garment = drawing.render(garments.garment(label, np.random.default_rng(seed), "shop"), 96)
    grey = cv2.copyMakeBorder(255 - garment, 16, 16, 16, 16, cv2.BORDER_CONSTANT, value=255)
    return Image.fromarray(np.asarray(grey)).convert("RGB")
