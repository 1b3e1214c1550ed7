"""How a model is trained, as plain values: to JSON, from JSON, and within their ranges."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from fmnist.machine.errors import UserFacingError

Augmentation = Literal["flip", "shift", "erase"]
Precision = Literal["float32", "bfloat16"]
Schedule = Literal["one-cycle", "cosine"]
Optimizer = Literal["adamw", "muon"]
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
SCHEDULES: tuple[Schedule, ...] = get_args(Schedule)
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)

RANGES: Mapping[str, tuple[float, float]] = {
    "epochs": (1, 1000),
    "batch_size": (1, 8192),
    "lr": (1e-6, 10.0),
    "weight_decay": (0.0, 1.0),
    "label_smoothing": (0.0, 0.5),
    "averaging": (0.0, 0.99999),
    "mixing": (0.0, 1.0),
    "adversarial": (0.0, 0.5),
    "everyday": (0.0, 10.0),
    "people": (0.0, 10.0),
    "seed": (0, 2**31 - 1),
}
"""What each number of a recipe may be."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a model is trained; raises UserFacingError when out of range."""

    epochs: int = 10
    batch_size: int = 256
    lr: float = 2e-3  # the peak of the schedule
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    averaging: float = 0.0  # how much of the mean of the weights so far stays at a step; 0: no mean
    augment: tuple[str, ...] = ("flip", "shift")
    mixing: float = 0.0  # share of the images that get a part of another, and of its label
    adversarial: float = 0.0  # how far pixels in [0, 1] are moved against the model as it learns
    everyday: float = 0.0  # pictures as people draw and photograph, for each training image
    people: float = 0.0  # at most so many that people really drew and took (FMNIST_PICTURES)
    start: str | None = None  # weights that the model begins with instead of those of the seed
    teacher: str | None = None  # weights whose answers are learned instead of the labels
    optimizer: Optimizer = "adamw"
    schedule: Schedule = "one-cycle"
    precision: Precision = "bfloat16"  # float32 is used where the device would only emulate it
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise UserFacingError(
                    "{name} is {value}; it must be {low} to {high}.",
                    name=name,
                    value=getattr(self, name),
                    low=low,
                    high=high,
                )
        options = {
            "augment": AUGMENTATIONS,
            "optimizer": OPTIMIZERS,
            "schedule": SCHEDULES,
            "precision": PRECISIONS,
        }
        for name, known in options.items():
            chosen = getattr(self, name)
            if not set([chosen] if isinstance(chosen, str) else chosen) <= set(known):
                raise UserFacingError(
                    "{name} is {chosen!r}; choose from {known}.",
                    name=name,
                    chosen=chosen,
                    known=", ".join(known),
                )

    def to_json(self) -> dict[str, Any]:
        """The recipe as JSON values; `from_json` is its inverse."""
        return {**asdict(self), "augment": list(self.augment)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Recipe":
        """A recipe from `to_json`'s values; names it doesn't know are refused."""
        unknown = values.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise UserFacingError("Unknown recipe fields {fields}.", fields=sorted(unknown))
        return cls(**{**values, "augment": tuple(values.get("augment", ()))})
