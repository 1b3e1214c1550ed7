"""The pages in the order of the sidebar; and the way to them is always by app.py.

Until app.py has run once in the server's life, Streamlit takes pages/ for its older kind of app,
which lists files; so does whoever comes first by a link to a page. The old kind's list is hidden in
.streamlit/config.toml, and a page that finds itself there sends its visitor to app.py, which
resolves the link.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import streamlit as st
from streamlit.navigation.page import Page
from streamlit.runtime.pages_manager import PagesManager

STYLE = Path(__file__).with_name("studio.css")


class Place(NamedTuple):
    """A page by its file's name, with its title, its icon and what it is for."""

    name: str
    title: str
    icon: str
    purpose: str


PLACES = {
    "Data": (
        Place("dataset", "Dataset", "grid_view", "See every garment, class by class."),
        Place(
            "map", "Map", "scatter_plot", "See the garments as a model does: the alike together."
        ),
        Place("suspects", "Suspects", "policy", "Judge doubtful labels and near-duplicates."),
    ),
    "Models": (
        Place("train", "Train", "model_training", "Choose a recipe and watch a model learn."),
        Place("build_it", "Build it", "construction", "Put a network together from layers."),
        Place("models", "Models", "leaderboard", "See architectures, or load weights of your own."),
    ),
    "Analysis": (
        Place("errors", "Errors", "query_stats", "Open the confusion matrix into its images."),
        Place(
            "scores", "Scores", "analytics", "Weigh figures by class, and what confidence is worth."
        ),
        Place(
            "compare", "Compare", "compare_arrows", "Find what changes from one model to another."
        ),
        Place("hardest", "Hardest", "fitness_center", "Meet the garments that models disagree on."),
    ),
    "Learn": (
        Place("lessons", "Lessons", "school", "Follow eight lessons: predict, look, compare."),
        Place("inside", "Inside", "hub", "Look into every layer while you draw."),
        Place("break_it", "Break it", "bolt", "Spoil or attack a garment, or a thousand."),
        Place("challenges", "Challenges", "trophy", "Fool a model, please them all, build small."),
    ),
    "Your pictures": (
        Place(
            "classify", "Classify", "draw", "Draw a garment or bring a picture; see the answers."
        ),
    ),
}


def pages() -> dict[str, list[Page]]:
    """Every page, by its section of the sidebar."""
    return {
        "": [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/room.py", title="Room", visibility="hidden"),
        ],
        **{
            section: [
                st.Page(
                    f"pages/{place.name}.py", title=place.title, icon=f":material/{place.icon}:"
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
    st.session_state["studio"] = True
    st.set_option("client.showSidebarNavigation", True)


def require() -> None:
    """Called by every page: begin again with app.py where it was passed over."""
    if "studio" not in st.session_state:
        PagesManager.uses_pages_directory = False
        st.rerun()
