"""How accuracy falls as garments are distorted or attacked, and how often attacks succeed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from fmnist.analysis import attacks
from fmnist.analysis.attacks import Images, Labels
from fmnist.models import inference
from fmnist.models.inference import ProgressCallback
from fmnist.models.layers import Classifier
from fmnist.words import Words

IMAGES = 1000
"""How many garments curves and tables are measured on."""
SEED = 0
STEPS = 10
"""Steps of PGD for many images."""
GREY = 128
MIDDLE = 13.5
GREY_LEVELS, PIXELS = Words("grey levels"), Words("pixels")


class Distortion(NamedTuple):
    """A way to spoil garments: by what it is called, how strong it may be, and what it does.

    `spoil` takes images uint8 (N, 28, 28), a strength and a generator for what is random in it.
    """

    title: Words
    unit: Words
    strengths: tuple[float, ...]
    """Those of a curve, from none to the most."""
    spoil: Callable[[Images, float, np.random.Generator], Images]


class Success(NamedTuple):
    """How many of `n` garments an attack made a model name otherwise, or as it was meant to."""

    untargeted: int
    targeted: int
    n: int


def noise(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Normal noise of that standard deviation, in grey levels, on every pixel."""
    noisy = images + rng.normal(0, 1, images.shape) * strength
    return _whole(noisy)


def blur(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Blurred by a Gaussian of that standard deviation, in pixels."""
    if not strength:
        return images
    return np.stack([cv2.GaussianBlur(image, (0, 0), strength) for image in images]).astype(
        np.uint8
    )


def shift(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Moved by that many pixels, each into a direction of its own."""
    angles = rng.uniform(0, 2 * np.pi, len(images))
    moves = strength * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.stack([moved(image, *move) for image, move in zip(images, moves, strict=True)])


def turn(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Turned by that many degrees, each to one side or the other."""
    sides = rng.choice([-1, 1], len(images))
    return np.stack(
        [turned(image, side * strength) for image, side in zip(images, sides, strict=True)]
    )


def contrast(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """Each pixel so many per cent of the way to an even grey."""
    return _whole(images + (GREY - images.astype(np.float32)) * (strength / 100))


def patch(images: Images, strength: float, rng: np.random.Generator) -> Images:
    """A grey square of that edge in pixels over each, anywhere in the frame."""
    edge = int(strength)
    corners = rng.integers(0, 29 - edge, (len(images), 2))
    return np.stack(
        [covered(image, edge, *corner) for image, corner in zip(images, corners, strict=True)]
    )


def moved(image: Images, across: float, down: float) -> Images:
    """An image uint8 (28, 28) moved by so many pixels; what enters the frame is black."""
    return _warped(image, np.array([[1, 0, across], [0, 1, down]], np.float32))


def turned(image: Images, degrees: float) -> Images:
    """An image uint8 (28, 28) turned around its middle; what enters the frame is black."""
    move = cv2.getRotationMatrix2D((MIDDLE, MIDDLE), float(degrees), 1)
    return _warped(image, move.astype(np.float64))


def covered(image: Images, edge: int, top: int, left: int) -> Images:
    """An image uint8 (28, 28) with a grey square over it, as far as that is in the frame."""
    spoiled = image.copy()
    spoiled[top : top + edge, left : left + edge] = GREY
    return spoiled


DISTORTIONS: Mapping[str, Distortion] = MappingProxyType(
    {
        "noise": Distortion(Words("Noise"), GREY_LEVELS, (0, 10, 20, 40, 60, 90, 128), noise),
        "blur": Distortion(Words("Blur"), PIXELS, (0, 0.5, 1, 1.5, 2, 3, 4), blur),
        "shift": Distortion(Words("Shift"), PIXELS, (0, 1, 2, 3, 4, 6, 8), shift),
        "turn": Distortion(Words("Turn"), Words("degrees"), (0, 10, 20, 30, 45, 60, 90), turn),
        "contrast": Distortion(
            Words("Less contrast"), Words("%"), (0, 20, 40, 60, 80, 90, 95), contrast
        ),
        "patch": Distortion(
            Words("Grey patch"), Words("pixels a side"), (0, 4, 8, 12, 16, 20, 24), patch
        ),
    }
)
ATTACKS: Mapping[str, tuple[Words, tuple[float, ...]]] = MappingProxyType(
    {
        "fgsm": (Words("FGSM"), (0, 2, 4, 8, 12, 16, 24, 32)),
        "pgd": (Words("PGD"), (0, 2, 4, 8, 12, 16, 24, 32)),
    }
)
"""The white-box attacks by their titles and the strengths of a curve, in grey levels."""


def strengths(kind: str) -> tuple[float, ...]:
    """The strengths that the curve of a distortion or an attack is measured at."""
    return DISTORTIONS[kind].strengths if kind in DISTORTIONS else ATTACKS[kind][1]


def curve(
    model: Classifier, images: Images, labels: Labels, kind: str, report: ProgressCallback
) -> NDArray[np.int64]:
    """How many of the images uint8 (N, 28, 28) are named right at each of the `strengths`, (S,)."""
    every = strengths(kind)
    right = []
    for number, strength in enumerate(every):

        def within(done: float, number: int = number) -> None:
            report((number + done) / len(every))

        spoiled = _spoiled(model, images, labels, kind, strength, within)
        logits = inference.infer(model, spoiled, inference.device_of(model))
        right.append(int((logits.argmax(1) == labels).sum()))
        within(1.0)
    return np.array(right, np.int64)


def _spoiled(
    model: Classifier,
    images: Images,
    labels: Labels,
    kind: str,
    strength: float,
    report: ProgressCallback,
) -> Images:
    if kind in DISTORTIONS:
        return DISTORTIONS[kind].spoil(images, strength, np.random.default_rng(SEED))
    if not strength:
        return images
    if kind == "fgsm":
        return attacks.fgsm(model, images, labels, int(strength))
    return attacks.pgd(model, images, labels, int(strength), steps=STEPS, report=report)


def success(
    attacked: Classifier,
    source: Classifier,
    images: Images,
    labels: Labels,
    strength: int,
    report: ProgressCallback,
) -> NDArray[np.int64]:
    """How often PGD on the gradient of a `source` makes the `attacked` model err: see `Success`.

    Where both are one model this is white-box; where they aren't, black-box by transfer (Papernot
    et al. 2016). All images are ones that the attacked model names right.
    """
    if not len(images):
        return np.zeros(3, np.int64)
    aims = attacks.other_classes(labels)
    answers = []
    for number, towards in enumerate((None, aims)):

        def half(done: float, number: int = number) -> None:
            report((number + done) / 2)

        moved = attacks.pgd(source, images, labels, strength, towards, STEPS, half)
        answers.append(inference.infer(attacked, moved, inference.device_of(attacked)).argmax(1))
    untargeted, targeted = answers
    return np.array([(untargeted != labels).sum(), (targeted == aims).sum(), len(labels)])


def sample(count: int) -> NDArray[np.int64]:
    """Rows of `IMAGES` out of so many garments, evenly spread; of all where they are fewer."""
    return np.unique(np.linspace(0, count - 1, min(IMAGES, count)).astype(np.int64))


def sample_of_right(answers: NDArray[np.integer], labels: Labels) -> NDArray[np.int64]:
    """The same of those that are named right by answers (N,)."""
    right = np.flatnonzero(answers == labels)
    rows: NDArray[np.int64] = right[sample(len(right))]
    return rows


def _warped(image: Images, move: NDArray[np.floating]) -> Images:
    return cv2.warpAffine(image, move, (28, 28)).astype(np.uint8)


def _whole(values: NDArray[np.floating]) -> Images:
    rounded: Images = values.round().clip(0, 255).astype(np.uint8)
    return rounded
