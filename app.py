"""Fashion-MNIST Studio: page config and navigation."""

import streamlit as st

from fmnist.ui import history, navigation, projector
from fmnist.ui.parts import home

st.set_page_config(page_title="Fashion-MNIST Studio", page_icon=home.icon(), layout="wide")

navigation.claim()
history.keep()
st.navigation(
    {
        "": [
            st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
            st.Page("pages/room.py", title="Room", visibility="hidden"),
        ],
        "Data": [
            st.Page("pages/dataset.py", title="Dataset", icon=":material/grid_view:"),
            st.Page("pages/map.py", title="Map", icon=":material/scatter_plot:"),
            st.Page("pages/suspects.py", title="Suspects", icon=":material/policy:"),
        ],
        "Models": [
            st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
            st.Page("pages/models.py", title="Models", icon=":material/leaderboard:"),
        ],
        "Analysis": [
            st.Page("pages/errors.py", title="Errors", icon=":material/query_stats:"),
            st.Page("pages/scores.py", title="Scores", icon=":material/analytics:"),
            st.Page("pages/compare.py", title="Compare", icon=":material/compare_arrows:"),
            st.Page("pages/hardest.py", title="Hardest", icon=":material/fitness_center:"),
        ],
        "Your pictures": [st.Page("pages/classify.py", title="Classify", icon=":material/draw:")],
    },
    expanded=True,
    position="top" if projector.shown() else "sidebar",
).run()
