"""A process of its own for long computations: one at a time, behind whatever people wait for."""

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

_turn = Lock()
_process: subprocess.Popen[bytes] | None = None
_ending: Timer | None = None


def run(
    function: Callable[..., Result], *args: object, report: Callable[[float], object]
) -> Result:
    """What a function of a module returns there, given the arguments and its own `report`.

    `report` is told here the share that is done. Raises what the function raises, and EOFError
    where the process was ended by somebody else.
    """
    with _turn:
        process = _ready()
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
            _end()
            raise
        _end_when_idle()
    if kind == "error":
        raise value
    result: Result = value
    return result


def _ready() -> subprocess.Popen[bytes]:
    """The process, started where it isn't there."""
    global _process
    if _ending:
        _ending.cancel()
    if _process and _process.poll() is not None:
        _end()
    if not _process:
        _process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is not for it; it ends when nobody can ask any more
        )
    return _process


def _end_when_idle() -> None:
    global _ending

    def end() -> None:
        with _turn:
            if _ending is timer:  # nobody has asked since
                _end()

    _ending = timer = Timer(IDLE, end)
    timer.daemon = True
    timer.start()


def _end() -> None:
    global _process
    if _process:
        _process.kill()
        with suppress(BrokenPipeError), _process:  # waits for it and closes its pipes
            pass
        _process = None


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
