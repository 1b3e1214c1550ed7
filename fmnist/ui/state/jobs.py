"""Long computations: each done once, one at a time, and watched by every browser that waits."""

import traceback
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Lock, Thread
from typing import Generic, TypeVar

import streamlit as st

from fmnist.models.inference import ProgressCallback

Result = TypeVar("Result")
GLANCE = 0.2  # seconds

_one_at_a_time = Lock()


class Job(Generic[Result]):
    """A computation in a thread of its own, which a visitor who leaves doesn't end.

    `compute` is given a function to tell how much is done, 0 to 1.
    """

    def __init__(self, compute: Callable[[ProgressCallback], Result]) -> None:
        self._done = 0.0
        self._future: Future[Result] = Future()
        Thread(target=self._run, args=(compute,), daemon=True).start()

    def _run(self, compute: Callable[[ProgressCallback], Result]) -> None:
        with _one_at_a_time:
            try:
                self._future.set_result(compute(self._report))
            except BaseException as error:  # the page shows a sentence, the log the traceback
                traceback.print_exc()
                self._future.set_exception(error)

    def _report(self, done: float) -> None:
        self._done = min(done, 1.0)

    def may_succeed(self) -> bool:
        """Whether it hasn't failed: what a cache asks, so that the next visitor's is a new one."""
        return not self._future.done() or self._future.exception() is None

    def result(self, sentence: str) -> Result:
        """What was computed; until then a progress bar stands here with the sentence.

        If it failed, the page ends with a sentence and a button.
        """
        # The bar's place is there in every run, so that what follows keeps its own.
        place = st.empty()
        while not wait([self._future], GLANCE).done:
            place.progress(self._done, f"{sentence} {self._done:.0%}")
        place.empty()
        try:
            return self._future.result()
        except Exception as error:
            st.error(f"This failed ({error!r}).")
            st.button("Try again", help="Anything that runs the page again begins it anew.")
            st.stop()
