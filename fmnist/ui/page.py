"""A page's head: its title, what it is for, the dataset's banner and the device."""

import streamlit as st
import torch

from fmnist.data.splits import Source
from fmnist.machine import devices
from fmnist.machine.errors import UserFacingError
from fmnist.ui import history, language, links, navigation, projector, visits
from fmnist.ui.state import dataset
from fmnist.words import Words, _, said

STUDIO = "Fashion-MNIST Studio"
DEVICES = {"auto": Words("Automatic"), "cpu": Words("CPU"), "cuda": Words("GPU (CUDA)")}


def page(title: str, sentence: str) -> tuple[Source, torch.device]:
    """A page's head: title, what it is for, the dataset's banner and the sidebar's device.

    Returns the data in use and the device to compute on.
    """
    navigation.require()
    st.session_state["has arrived"] = st.session_state.get("page shown") != title
    st.session_state["page shown"] = title
    if st.session_state["has arrived"]:
        st.session_state["gone on with"] = set()
        history.arrive()
    visits.note(title)
    links.begin()
    device = _choose_device()
    projector.choose()
    language.choose()
    st.set_page_config(page_title=title if title == STUDIO else f"{title} \u00b7 {STUDIO}")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium", key="head"):
        st.title(title, width="content")
        if projector.shown():
            projector.leave()
        else:
            st.markdown(sentence, width="content")
    _lead_back_to_lesson(title)
    if told := st.session_state.pop("left out", None):
        st.warning(said(told))
    found = dataset.dataset()
    if found.source == "drawn":
        reason = found.problem or Words(
            "The Fashion-MNIST files are not here. To get them, run `python -m fmnist data` with "
            "a network, or set FMNIST_DATA to a folder that holds them, and reload."
        )
        st.info(
            _(
                "**You are looking at drawn garments, not at Fashion-MNIST.** {reason}",
                reason=reason,
            )
        )
    return found.source, device


def _lead_back_to_lesson(title: str) -> None:
    """A link to the lesson that sent its reader here."""
    lesson = st.session_state.get("lesson gone on")
    if lesson and title != _("Lessons"):
        st.page_link(
            "pages/lessons.py",
            label=_("Back to the lesson"),
            icon=":material/school:",
            query_params={"lesson": lesson},
        )


def _choose_device() -> torch.device:
    options = ["auto", "cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    with st.sidebar:
        preference = st.selectbox(
            _("Device"),
            options,
            format_func=lambda name: said(DEVICES[name]),
            key="device",
            persist_state="session",
            help=_("Where models compute. Automatic takes a GPU when there is one."),
        )
        try:
            device = devices.choose(preference)
        except UserFacingError as error:
            st.warning(_("FMNIST_DEVICE is set wrongly: {error}", error=error))
            device = torch.device("cpu")
        st.caption(said(devices.describe(device)))
    return device
