"""The dataset in use, loaded once for all browsers."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from fmnist.data import fashion, splits
from fmnist.data.fashion import FILES
from fmnist.data.splits import Source, Split, SplitName


@dataclass(frozen=True)
class Dataset:
    """The source in use, and why it isn't the real one where its files are damaged."""

    source: Source
    problem: str | None


def dataset() -> Dataset:
    """The real dataset when its four files are here and right, else the drawn garments."""
    paths = [fashion.folder() / file.name for file in FILES.values()]
    stats = [path.stat() if path.is_file() else None for path in paths]
    return _dataset(tuple((stat.st_size, stat.st_mtime_ns) if stat else None for stat in stats))


@st.cache_resource(show_spinner="Checking the dataset …", max_entries=4)
def _dataset(files: Sequence[tuple[int, int] | None]) -> Dataset:
    if not any(files) and not fashion.chosen_by_user():
        return Dataset("drawn", None)
    problems = [problem for _, problem in fashion.check() if problem]
    return Dataset("drawn", problems[0]) if problems else Dataset("real", None)


@st.cache_resource(show_spinner="Loading the dataset …")
def split(name: SplitName, source: Source) -> Split:
    """One split of a source."""
    return splits.load(name, source)
