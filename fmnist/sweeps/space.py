"""What a sweep tries: for a field of a recipe a range, a range by its logarithm, or a list."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fmnist.machine.errors import UserFacingError
from fmnist.models.recipe import AUGMENTATIONS, OPTIMIZERS, PRECISIONS, RANGES, SCHEDULES, Recipe
from fmnist.words import listed

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Value = int | float | str
WHOLE = ("epochs", "batch_size")
WORDS: Mapping[str, tuple[str, ...]] = {
    "augment": AUGMENTATIONS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "precision": PRECISIONS,
}
FIELDS = tuple(name for name in (*RANGES, *WORDS) if name != "seed")
"""What can be swept; each trial has the seed of the recipe."""


@dataclass(frozen=True)
class Dimension:
    """A field of a recipe and the values tried: those `listed`, or all from `low` to `high`."""

    field: str
    listed: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    @classmethod
    def parse(cls, field: str, text: str) -> "Dimension":
        """From 3..20, 1e-4..1e-2:log, 128,256 or adamw,muon; augmentations are joined by +.

        Raises UserFacingError for what no recipe can have.
        """
        if ".." in text and field in RANGES:
            span, _, scale = text.partition(":")
            low, high = (_number(field, part, text) for part in span.split("..", 1))
            if scale not in ("", "log") or not low < high or (scale and low <= 0):
                raise _wrong(field, text)
            found = cls(field, low=low, high=high, log=bool(scale))
        else:
            parts = [part.strip() for part in text.split(",")]
            number = field in RANGES
            found = cls(field, tuple(_number(field, p, text) if number else p for p in parts))
        for value in found.listed or (found.low, found.high):
            found.put(Recipe(), value)
        return found

    @property
    def count(self) -> float:
        """How many values there are to try."""
        if self.listed:
            return len(set(self.listed))
        return int(self.high) - int(self.low) + 1 if self.field in WHOLE else math.inf

    def put(self, recipe: Recipe, value: Value) -> Recipe:
        """The recipe with that value; raises UserFacingError where it can't have it."""
        given: Any = value
        if self.field == "augment":
            given = [part for part in str(value).split("+") if part]
        return Recipe.from_json(recipe.to_json() | {self.field: given})

    def suggest(self, trial: "BaseTrial") -> Value:
        """The value that the sampler wants to see tried."""
        if self.listed:
            chosen = trial.suggest_categorical(self.field, self.listed)
            assert chosen is not None
            return chosen
        if self.field in WHOLE:
            return trial.suggest_int(self.field, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.field, self.low, self.high, log=self.log)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"listed": list(self.listed)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Dimension":
        return cls(**{**values, "listed": tuple(values["listed"])})


def _number(field: str, part: str, text: str) -> float:
    try:
        number = float(part)
    except ValueError:
        raise _wrong(field, text) from None
    if field not in WHOLE:
        return number
    if not number.is_integer():
        raise _wrong(field, text)
    return int(number)


def _wrong(field: str, text: str) -> UserFacingError:
    examples = listed(["0.001", "1e-4..1e-2", "1e-4..1e-2:log", "0.001,0.003"])
    return UserFacingError(
        "{field} can't be swept over {text!r}. Give a range or a list, as {examples}.",
        field=field,
        text=text,
        examples=examples,
    )
