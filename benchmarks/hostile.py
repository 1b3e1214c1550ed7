"""What strangers' files do that somebody damaged or made to do harm.

    python -m benchmarks.hostile [COUNT] [SEED]

Opens COUNT files (2,000) as the app does: those that would run a program, those that unfold to more
than a machine has or lead to other files, and then mutated ones of every format in turn. Says how
many opened and how many were refused, what the slowest took, by how much the memory of the process
grew, and each that ended in anything but a sentence or took more than 30 seconds. Ends with 1 where
there was such a file, or a program ran.
"""

import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

from fmnist import PROJECT
from fmnist.weights import shelf
from fmnist.weights.card import WeightsError

LONGEST = 30.0
"""Seconds that a file may take."""


def main(count: int, seed: int) -> int:
    sys.path.insert(0, str(PROJECT / "tests"))
    from hostile import FILES, UNFOLDING, mutated, with_canary

    originals = {name: make() for name, make in FILES.items()}
    for name, content in originals.items():
        _outcome(content, name)  # so that what is loaded once counts as here
    before, slowest, bad = _resident(), 0.0, 0
    outcomes: Counter[str] = Counter()
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder) / "canary"
        first = [(f"evil{n}.pt", partial(make, mark)) for n, make in enumerate(with_canary)]
        first += UNFOLDING.items()
        names = list(originals)
        for number in range(count):
            if number < len(first):
                name, content = first[number][0], first[number][1]()
            else:
                name = names[number % len(names)]
                content = mutated(originals[name], rng)
            start = time.monotonic()
            outcome = _outcome(content, name)
            took = time.monotonic() - start
            outcomes[outcome] += 1
            slowest = max(slowest, took)
            if took > LONGEST or outcome not in ("opened", "refused"):
                bad += 1
                print(f"file {number}, {name}: {outcome} after {took:.1f} s")
        ran = mark.exists()
    print(f"{count:,} files: {', '.join(f'{n:,} {what}' for what, n in outcomes.items())}")
    print(f"slowest {slowest:.1f} s; memory grew by {(_resident() - before) / 2**20:.0f} MB")
    print("a program ran" if ran else "no program ran")
    return int(ran or bad > 0)


def _outcome(content: bytes, name: str) -> str:
    try:
        shelf.open(content, name)
    except WeightsError:
        return "refused"
    except Exception as error:  # what this looks for
        return repr(error)
    return "opened"


def _resident() -> int:
    """Bytes of memory that this process has."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [2000, 0][len(arguments) :])))
