"""Questions that wait for their turn together are asked as one batch."""

from collections import defaultdict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock

import numpy as np
from numpy.typing import NDArray

Logits = NDArray[np.float32]
Images = NDArray[np.uint8]

_turn, _guard = Lock(), Lock()
_waiting: dict[Hashable, list[tuple[Images, "Future[Logits]"]]] = defaultdict(list)


def infer(model: Hashable, images: Images, question: Callable[[Images], Logits]) -> Logits:
    """The logits (N, 10) by `question` of images uint8 (N, 28, 28).

    While one is asked, others gather, and whoever has the next turn asks for all who wait for the
    same model. `question` must answer each image on its own. Raises what it raises, for everybody
    whose images were asked about.
    """
    mine: Future[Logits] = Future()
    with _guard:
        _waiting[model].append((images, mine))
    with _turn:
        if not mine.done():
            with _guard:
                asked = _waiting.pop(model)
            _ask(asked, question)
    return mine.result()


def _ask(
    asked: list[tuple[Images, "Future[Logits]"]], question: Callable[[Images], Logits]
) -> None:
    ends = np.cumsum([len(images) for images, _ in asked])
    try:
        logits = question(np.concatenate([images for images, _ in asked]))
    except BaseException as error:
        for _, future in asked:
            future.set_exception(error)
        return
    for (_, future), part in zip(asked, np.split(logits, ends[:-1]), strict=True):
        future.set_result(part)
