"""A process for work on strangers' files: it can be ended, and it can't take all the memory."""

import importlib
import resource
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import ParamSpec, TypeVar

PATIENCE = 20.0
"""Seconds that the work may take, once the process has started."""
MEMORY = 3 * 2**30
"""Bytes that the process may have; what it imports is a small part of them."""
IDLE = 60
"""Seconds after which a process without work ends."""

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

# One thread asks for everybody. Loky keeps a process for each thread that asks, and every run of a
# page is a new one; and nobody's patience is to be spent on what another one brought.
_asker = ThreadPoolExecutor(1)


class ExhaustedError(Exception):
    """The work took more time or more memory than it may."""


def run(
    function: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """What a function of a module returns or raises in another process; one call at a time.

    Raises ExhaustedError.
    """
    work = partial(function, *args, **kwargs)
    return _asker.submit(_run, work, function.__module__).result()


def _run(work: Callable[[], Result], module: str) -> Result:
    # Here, since only strangers' files need it.
    import loky

    # Beside psutil, Loky would take what torch and a large file need for a leak.
    enough = {"LOKY_MAX_MEMORY_LEAK_SIZE": str(MEMORY)}
    executor = loky.get_reusable_executor(
        max_workers=1, timeout=IDLE, initializer=_limit, env=enough
    )
    try:
        executor.submit(importlib.import_module, module).result()
        result: Result = executor.submit(work).result(PATIENCE)
        return result
    except (TimeoutError, MemoryError, BrokenProcessPool) as error:
        executor.shutdown(kill_workers=True)
        raise ExhaustedError from error


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
