"""The C library's arenas, as its own account of them (`malloc_info`) counts them."""

import platform
import subprocess
import sys

import pytest

from fmnist.machine import arenas

THREADS = 6
ACCOUNT = f"""
import ctypes, sys, threading
from fmnist.machine import arenas
if "limited" in sys.argv:
    arenas.limit()
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
together = threading.Barrier({THREADS})
def take():
    together.wait()
    assert library.malloc(ctypes.c_size_t(10_000))
    together.wait()
threads = [threading.Thread(target=take) for _ in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


def counted(*limited: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ACCOUNT, *limited], capture_output=True, text=True, check=True
    )
    return done.stdout.count("<heap ")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other libraries have no arenas")
def test_threads_share_two_arenas_instead_of_having_one_each() -> None:
    assert counted() > arenas.ARENAS
    assert counted("limited") <= arenas.ARENAS
