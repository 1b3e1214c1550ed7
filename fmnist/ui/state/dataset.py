"""The dataset in use, loaded once for all browsers."""

from dataclasses import dataclass

import streamlit as st

from fmnist.data import fashion, splits
from fmnist.data.fashion import FILES
from fmnist.data.splits import Source, Split, SplitName
from fmnist.machine import files
from fmnist.ui.language import Spinner
from fmnist.words import Words


@dataclass(frozen=True)
class Dataset:
    """The source in use, and why it isn't the real one where its files are damaged."""

    source: Source
    problem: Words | None
    files: list[tuple[int, int] | None]

    def is_current(self) -> bool:
        """Whether the files are as they were when it was found."""
        return self.files == _files()


@st.cache_resource(show_spinner=Spinner("Checking the dataset …"), validate=Dataset.is_current)
def dataset() -> Dataset:
    """The real dataset when its four files are here and right, else the drawn garments."""
    files = _files()
    if not any(files) and not fashion.chosen_by_user():
        return Dataset("drawn", None, files)
    problem = next((problem for _, problem in fashion.check() if problem), None)
    return Dataset("drawn" if problem else "real", problem, files)


def _files() -> list[tuple[int, int] | None]:
    """Size and time of change of each of the four files that is here."""
    paths = [fashion.folder() / file.name for file in FILES.values()]
    stats = [path.stat() if path.is_file() else None for path in paths]
    return [(stat.st_size, stat.st_mtime_ns) if stat else None for stat in stats]


@st.cache_resource(show_spinner=Spinner("Loading the dataset …"))
def split(name: SplitName, source: Source) -> Split:
    """One split of a source."""
    return splits.load(name, source)


@st.cache_resource(show_spinner=False)
def known_as(name: SplitName, source: Source) -> str:
    """What tells a split's images from others, in the name of what is kept about them."""
    return f"{name} {source} {files.digest(split(name, source).images)}"
