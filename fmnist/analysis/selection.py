"""Which images of a split count: by how sure a model is, by what another says, or row by row."""

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fmnist.analysis import evaluation
from fmnist.analysis.evaluation import Evaluation
from fmnist.machine.errors import UserFacingError

EVERY = (0, 100)
STEP = 10  # per cent, of an interval of confidence


@dataclass(frozen=True)
class Filter:
    """What images must be to count.

    sure: least and most confidence in per cent; the most itself counts where it is 100
    otherwise: another model's predictions (N,), from which the model's have to differ
    rows: the only ones that count
    """

    sure: tuple[int, int] = EVERY
    otherwise: NDArray[np.uint8] | None = None
    rows: NDArray[np.int64] | None = None

    def passes(self, e: Evaluation, temperature: float) -> NDArray[np.bool_]:
        """Which of the images (N,) count."""
        percent = 100 * evaluation.probabilities(e.logits, temperature).max(1)
        low, high = self.sure
        counts: NDArray[np.bool_] = (percent >= low) & ((percent < high) | (high == EVERY[1]))
        if self.otherwise is not None:
            counts &= self.otherwise != e.predictions
        if self.rows is not None:
            among = np.zeros(len(counts), bool)
            among[self.rows] = True
            counts &= among
        return counts


class Interval(NamedTuple):
    """How many images a model names with a confidence of low to high per cent, right and wrong."""

    low: int
    high: int
    right: int
    wrong: int


def by_confidence(e: Evaluation, rows: NDArray[np.int64], temperature: float) -> list[Interval]:
    """The images at `rows` by how sure the model is, in equal intervals."""
    percent = 100 * evaluation.probabilities(e.logits[rows], temperature).max(1)
    interval = np.minimum((percent // STEP).astype(int), EVERY[1] // STEP - 1)
    right = (e.predictions == e.labels)[rows]
    return [
        Interval(
            number * STEP,
            (number + 1) * STEP,
            int((right & (interval == number)).sum()),
            int((~right & (interval == number)).sum()),
        )
        for number in range(EVERY[1] // STEP)
    ]


def to_text(rows: NDArray[np.int64] | Sequence[int], count: int) -> str:
    """Rows of a split of `count` images as letters, digits, - and _, for a link."""
    among = np.zeros(count, bool)
    among[rows] = True
    return base64.urlsafe_b64encode(zlib.compress(np.packbits(among).tobytes(), 9)).decode()


def from_text(text: str, count: int) -> NDArray[np.int64]:
    """The rows (N,), ascending, that `to_text` wrote; raises UserFacingError for anything else."""
    wanted = -(-count // 8)
    try:
        # No more than the rows take: a stranger's few letters could unfold into gigabytes.
        inflated = zlib.decompressobj().decompress(base64.urlsafe_b64decode(text), wanted + 1)
    except (ValueError, binascii.Error, zlib.error):
        inflated = b""
    bits = np.unpackbits(np.frombuffer(inflated, np.uint8))
    if len(inflated) != wanted or bits[count:].any():
        raise UserFacingError("The images that the link names are not of this split.")
    return np.flatnonzero(bits[:count])
