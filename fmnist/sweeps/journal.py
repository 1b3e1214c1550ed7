"""Optuna's journal of a sweep: a line for all that happens, read without writing or waiting.

A full disk or a power cut may leave half a line. Whoever appends next begins another, and readers
pass over what is no line of Optuna's.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import BaseJournalBackend

from fmnist.machine.locks import held

optuna.logging.set_verbosity(optuna.logging.WARNING)


def storage(path: Path) -> JournalStorage:
    """What Optuna knows by the journal at that path; raises OSError."""
    return JournalStorage(_Journal(path))


class _Journal(BaseJournalBackend):
    """Optuna's own file fails for good after half a line, and a killed process keeps its lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logs: list[dict[str, Any]] = []
        self._read = 0

    def read_logs(self, log_number_from: int) -> list[dict[str, Any]]:
        with self._path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]  # another may be writing what comes behind
        self._read += len(whole)
        self._logs += _parsed(whole)
        return self._logs[log_number_from:]

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with held(self._path.with_suffix(".lock")), self._path.open("a+b") as file:
            file.seek(max(0, file.tell() - 1))
            cut_short = file.read(1) not in (b"", b"\n")
            # Ended, not cut back: who reads meanwhile finds each line where it was.
            file.write(b"\n" * cut_short + lines.encode())
            file.flush()
            os.fsync(file.fileno())


def _parsed(lines: bytes) -> Iterator[dict[str, Any]]:
    for line in lines.splitlines():
        with suppress(ValueError):  # cut short
            yield json.loads(line)
