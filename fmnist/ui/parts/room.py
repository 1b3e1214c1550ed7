"""The parts of the room page: a code to scan, and three steps for whoever does."""

import io
import os

import segno
import streamlit as st

from fmnist.words import Words, _, said

SCALE, QUIET = 8, 2  # pixels a module, modules around them
STEPS = (
    Words("**Open it.** Scan the code with the camera, or type the address."),
    Words(
        "**Pass the warning.** The machine on which this runs made its certificate itself, so your "
        "browser says that the connection is not private. Choose *Advanced* or *Show details*, "
        "then *Proceed* or *Visit this website*. Whoever wants to be sure compares the "
        "fingerprint below."
    ),
    Words(
        "**Allow the camera** when Classify asks for it. Pictures go to this machine and nowhere "
        "else."
    ),
)


def invitation() -> None:
    """The room's code and steps; where the app is not served to a room, how it would be."""
    address = os.environ.get("FMNIST_ROOM")
    if not address:
        st.info(_("This app is not served to a room. On its machine, start it with `make room`."))
        return
    code, words = st.columns([2, 3], gap="large")
    code.image(_code(address), width="stretch")
    with words:
        st.header(address, anchor=False)
        for number, step in enumerate(STEPS, 1):
            st.markdown(f"{number}. {said(step)}")
        fingerprint = os.environ.get("FMNIST_FINGERPRINT")
        st.caption(_("SHA-256 fingerprint: {fingerprint}", fingerprint=fingerprint))


def _code(address: str) -> str:
    """The address as a QR code in SVG."""
    picture = io.BytesIO()
    segno.make(address, error="m").save(
        picture, "svg", scale=SCALE, border=QUIET, light="white", xmldecl=False
    )
    return picture.getvalue().decode()
