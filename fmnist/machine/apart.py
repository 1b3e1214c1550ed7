"""Processes for long computations, which stand back behind whatever people wait for."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Lock, Timer
from typing import Any, TypeVar

from fmnist import PROJECT

IDLE = 10.0
"""Seconds after which the process ends, with half a gigabyte of imports, where it isn't asked."""
NICE = 10

Result = TypeVar("Result")


class Lane:
    """A process that is started where it isn't there, and computes one thing after another."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ending: Timer | None = None

    def run(
        self, function: Callable[..., Result], *args: object, report: Callable[[float], object]
    ) -> Result:
        """What a function of a module returns there, given the arguments and its own `report`.

        `report` is told here the share that is done. Raises what the function raises, and EOFError
        where the process was ended by somebody else.
        """
        with self._turn:
            process = self._ready()
            assert process.stdin
            assert process.stdout
            try:
                pickle.dump((function, args), process.stdin)
                process.stdin.flush()
                while True:
                    kind, value = pickle.load(process.stdout)
                    if kind != "done":
                        break
                    report(value)
            except BaseException:  # what it would say next is no answer to the next question
                self._end()
                raise
            self._end_when_idle()
        if kind == "error":
            raise value
        result: Result = value
        return result

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._ending:
            self._ending.cancel()
        if self._process and self._process.poll() is not None:
            self._end()
        if not self._process:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                cwd=PROJECT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C isn't for it; it ends when nobody can ask any more
            )
        return self._process

    def _end_when_idle(self) -> None:
        def end() -> None:
            with self._turn:
                if self._ending is timer:  # nobody has asked since
                    self._end()

        self._ending = timer = Timer(IDLE, end)
        timer.daemon = True
        timer.start()

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            with suppress(BrokenPipeError), self._process:  # waits for it and closes its pipes
                pass
            self._process = None


SECONDS, MINUTES = Lane(), Lane()
"""For what takes seconds, and for what takes minutes, behind which nobody's seconds wait."""


def _answer() -> None:
    """In the process: do what is asked, until nobody can ask any more."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    os.nice(NICE)

    def say(*message: Any) -> None:
        pickle.dump(message, out)
        out.flush()

    while True:
        try:
            function, args = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            result = function(*args, lambda done: say("done", done))
        except BrokenPipeError:
            return
        except Exception as error:
            say("error", error)
        else:
            say("result", result)


if __name__ == "__main__":
    _answer()
