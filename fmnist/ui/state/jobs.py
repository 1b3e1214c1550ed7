"""Long computations: each done once, and watched by every browser that waits."""

import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, repeat
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

import streamlit as st

from fmnist.machine import apart
from fmnist.machine.apart import Lane
from fmnist.machine.errors import UserFacingError
from fmnist.models.inference import ProgressCallback
from fmnist.ui.markdown import plain
from fmnist.words import _, number, said

Result = TypeVar("Result")
GLANCE, LOOK = 0.2, 1.0  # seconds: whoever waits for long sees less often how far it is
MANY = 2000
"""Images for which a computation is worth a process of its own."""
MOST = 20_000
"""Images about which a large model may be asked for minutes, as about the training split."""

ONE_BY_ONE: AbstractContextManager[object] = Lock()
"""The turn of what takes minutes, on both cores."""
AT_ONCE: AbstractContextManager[object] = nullcontext()
"""That of what takes seconds, and waits for nothing that takes minutes."""


def apart_if_many(
    compute: Callable[..., Result],
    *args: Any,
    images: int,
    report: ProgressCallback,
    lane: Lane | None = None,
) -> Result:
    """What a function of a module returns; about many images, where nobody's click waits for it.

    Without a lane it is that of what takes seconds, where there aren't too many images for it.
    """
    if images < MANY:
        return compute(*args, report)
    lane = lane or (apart.MINUTES if images > MOST else apart.SECONDS)
    return lane.run(compute, *args, report=report)


class Pace:
    """How much of a computation is done, and about how long the rest takes."""

    def __init__(self) -> None:
        self.done = 0.0
        self._first: tuple[float, float] | None = None
        self._last = 0.0

    def hear(self, done: float) -> None:
        """Be told the share that is done, 0 to 1."""
        self.done, self._last = min(done, 1.0), time.monotonic()
        self._first = self._first or (self.done, self._last)

    def __str__(self) -> str:
        # What it waited before it began says nothing of its pace.
        began, at = self._first or (self.done, self._last)
        if self.done <= began:
            return number(self.done, ".0%")
        left = (1 - self.done) * (self._last - at) / (self.done - began)
        return _("{done:.0%}, about {time} left", done=self.done, time=in_words(left))


def in_words(seconds: float) -> str:
    """A time in the unit that suits it, at least a second."""
    if seconds < 100:
        return _("{seconds:.0f} s", seconds=max(seconds, 1))
    if seconds < 6000:
        return _("{minutes:.0f} min", minutes=seconds / 60)
    return _("{hours:.1f} h", hours=seconds / 3600)


class Job(Generic[Result]):
    """A computation in a thread of its own, which a visitor who leaves doesn't end.

    `compute` is given a function to tell how much is done, 0 to 1.
    """

    def __init__(
        self,
        compute: Callable[[ProgressCallback], Result],
        turn: AbstractContextManager[object] = ONE_BY_ONE,
    ) -> None:
        self._pace = Pace()
        self._future: Future[Result] = Future()
        Thread(target=self._run, args=(compute, turn), daemon=True).start()

    def _run(
        self,
        compute: Callable[[ProgressCallback], Result],
        turn: AbstractContextManager[object],
    ) -> None:
        with turn:
            try:
                self._future.set_result(compute(self._pace.hear))
            except UserFacingError as error:
                self._future.set_exception(error)
            except BaseException as error:  # the page shows a sentence, the log the traceback
                traceback.print_exc()
                self._future.set_exception(error)

    def may_succeed(self) -> bool:
        """Whether it hasn't failed: what a cache asks, so that the next visitor's is a new one."""
        return not self._future.done() or self._future.exception() is None

    def result(self, sentence: str, raised: tuple[type[Exception], ...] = ()) -> Result:
        """What was computed; until then a progress bar stands here with the sentence.

        If it failed, the page ends with a sentence and a button, but for errors that are `raised`.
        """
        # The bar's place is there in every run, so that what follows keeps its own.
        place = st.empty()
        for pause in chain([GLANCE] * 10, repeat(LOOK)):
            if wait([self._future], pause).done:
                break
            place.progress(self._pace.done, f"{sentence} {self._pace}")
        place.empty()
        try:
            return self._future.result()
        except raised:
            raise
        except Exception as error:  # what else it is stands in the server's log
            reason = said(error) if isinstance(error, UserFacingError) else type(error).__name__
            st.error(_("This failed: {reason}", reason=plain(reason)))
            st.button(_("Try again"), help=_("Anything that runs the page again begins it anew."))
            st.stop()
