"""The best results of each challenge in this room, for as long as the server runs."""

from threading import Lock
from typing import NamedTuple

import streamlit as st

from fmnist.words import Words

LENGTH = 20
LONGEST_NAME = 24


class Result(NamedTuple):
    """What somebody reached; the smallest score is the best."""

    score: float
    words: Words
    name: str


class _Lists:
    def __init__(self) -> None:
        self.lock = Lock()
        self.by_challenge: dict[str, list[Result]] = {}


@st.cache_resource(show_spinner=False)
def _lists() -> _Lists:
    return _Lists()


def enter(challenge: str, result: Result) -> None:
    """Put a result on the list of a challenge; of one name only the best one stays."""
    name = " ".join(result.name.split())[:LONGEST_NAME]
    if not name:
        return
    lists = _lists()
    with lists.lock:
        others = lists.by_challenge.get(challenge, [])
        own = [each for each in others if each.name == name]
        kept = min([*own, result._replace(name=name)], key=lambda each: each.score)
        rest = [each for each in others if each.name != name]
        ordered = sorted([*rest, kept], key=lambda each: each.score)
        lists.by_challenge[challenge] = ordered[:LENGTH]


def of(challenge: str) -> list[Result]:
    """The best results of a challenge, the best one first."""
    lists = _lists()
    with lists.lock:
        return list(lists.by_challenge.get(challenge, []))
