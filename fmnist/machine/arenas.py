"""Few arenas in the C library, so that a server of many threads doesn't grow with its visits.

glibc lets every thread take from an arena of its own, up to eight for each core, and what a thread
has freed stays in its arena. Streamlit runs each visitor's pages in a thread, so the same pages
lie free many times over.
"""

import ctypes
import platform

ARENAS = 2
M_ARENA_MAX = -8  # as malloc.h has it


def limit() -> None:
    """Let threads that start from now on share arenas; without glibc nothing is done."""
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)
