"""The pages in the order of the sidebar; and the way to them is always by app.py.

Until app.py has run once in the server's life, Streamlit takes pages/ for its older kind of app,
which lists files; so does whoever comes first by a link to a page. The old kind's list is hidden in
.streamlit/config.toml, and a page that finds itself there sends its visitor to app.py, which
resolves the link.
"""

from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import streamlit as st
from streamlit.navigation.page import Page
from streamlit.runtime.pages_manager import PagesManager

from fmnist.words import Words, _, said

STYLE = Path(__file__).with_name("studio.css")


class Place(NamedTuple):
    """A page by its file's name, with its title, its icon and what it is for."""

    name: str
    title: Words
    icon: str
    purpose: Words


PLACES = {
    Words("Data"): (
        Place(
            "dataset", Words("Dataset"), "grid_view", Words("See every garment, class by class.")
        ),
        Place(
            "map",
            Words("Map"),
            "scatter_plot",
            Words("See the garments as a model does: the alike together."),
        ),
        Place(
            "suspects",
            Words("Suspects"),
            "policy",
            Words("Judge doubtful labels and near-duplicates."),
        ),
    ),
    Words("Models"): (
        Place(
            "train",
            Words("Train"),
            "model_training",
            Words("Choose a recipe and watch a model learn."),
        ),
        Place(
            "build_it",
            Words("Build it"),
            "construction",
            Words("Put a network together from layers."),
        ),
        Place("sweep", Words("Sweep"), "tune", Words("Try many recipes, and see what counts.")),
        Place(
            "models",
            Words("Models"),
            "leaderboard",
            Words("See architectures, or load weights of your own."),
        ),
    ),
    Words("Analysis"): (
        Place(
            "errors",
            Words("Errors"),
            "query_stats",
            Words("Open the confusion matrix into its images."),
        ),
        Place(
            "scores",
            Words("Scores"),
            "analytics",
            Words("Weigh figures by class, and what confidence is worth."),
        ),
        Place(
            "compare",
            Words("Compare"),
            "compare_arrows",
            Words("Find what changes from one model to another."),
        ),
        Place(
            "hardest",
            Words("Hardest"),
            "fitness_center",
            Words("Meet the garments that models disagree on."),
        ),
    ),
    Words("Learn"): (
        Place(
            "lessons",
            Words("Lessons"),
            "school",
            Words("Follow eight lessons: predict, look, compare."),
        ),
        Place("inside", Words("Inside"), "hub", Words("Look into every layer while you draw.")),
        Place(
            "break_it",
            Words("Break it"),
            "bolt",
            Words("Spoil or attack a garment, or a thousand."),
        ),
        Place(
            "challenges",
            Words("Challenges"),
            "trophy",
            Words("Fool a model, please them all, build small."),
        ),
    ),
    Words("Your pictures"): (
        Place(
            "classify",
            Words("Classify"),
            "draw",
            Words("Draw a garment or bring a picture; see the answers."),
        ),
    ),
    Words("Your class"): (
        Place(
            "room",
            Words("Room"),
            "groups",
            Words("Open a room for a class, or join one by its code."),
        ),
        Place(
            "wall", Words("Wall"), "cast", Words("Show on a projector what happens in the room.")
        ),
        Place(
            "sketches",
            Words("Sketches"),
            "gesture",
            Words("See what the room drew, as a data set."),
        ),
        Place(
            "guess",
            Words("Guess"),
            "quiz",
            Words("Name twenty garments. Are you better than a model?"),
        ),
        Place(
            "contest",
            Words("Contest"),
            "trophy",
            Words("Hand in your best model, and see who wins."),
        ),
    ),
}


def place(name: str) -> Place:
    """The page of that name."""
    return next(place for place in chain.from_iterable(PLACES.values()) if place.name == name)


def pages() -> dict[str, list[Page]]:
    """Every page, by its section of the sidebar."""
    return {
        "": [
            st.Page("pages/home.py", title=_("Home"), icon=":material/home:", default=True),
        ],
        **{
            said(section): [
                st.Page(
                    f"pages/{place.name}.py",
                    title=said(place.title),
                    icon=f":material/{place.icon}:",
                )
                for place in places
            ]
            for section, places in PLACES.items()
        },
    }


def sidebar() -> Literal["collapsed", "auto"]:
    """Closed on a phone, also where that lies on its side and Streamlit takes it for a desk."""
    return "collapsed" if "Mobile" in st.context.headers.get("User-Agent", "") else "auto"


def claim() -> None:
    """Called by app.py: this session has come the right way, and the sidebar may be seen."""
    st.session_state["in the studio"] = True
    st.set_option("client.showSidebarNavigation", True)


def require() -> None:
    """Called by every page: begin again with app.py where it was passed over."""
    if "in the studio" not in st.session_state:
        PagesManager.uses_pages_directory = False
        st.rerun()
