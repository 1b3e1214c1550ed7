"""Fashion-MNIST Studio: page config and navigation."""

import streamlit as st

from fmnist.ui import history, language, navigation, projector
from fmnist.ui.parts import home

st.set_page_config(
    page_title="Fashion-MNIST Studio",
    page_icon=home.icon(),
    layout="wide",
    initial_sidebar_state=navigation.sidebar(),
)
st.html(navigation.STYLE)

navigation.claim()
history.keep()
language.settle()
st.navigation(
    navigation.pages(), expanded=True, position="top" if projector.shown() else "sidebar"
).run()
