"""What a visitor can take along: a model with all that it needs, and the code that trains it."""

from collections.abc import Callable

import streamlit as st

from fmnist.export import code, package
from fmnist.machine.errors import UserFacingError
from fmnist.weights.shelf import Weights
from fmnist.words import _, said


def model(weights: Callable[[], Weights], filename: str, key: str) -> None:
    """A button that packs a model and checks it, and then one that saves the zip."""
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(
            _("Take it home"),
            key=f"pack {key}",
            icon=":material/home:",
            help=_(
                "ONNX, safetensors and PyTorch files, a model card for the Hugging Face Hub, and "
                "a script that names the garment in a picture without this app: one zip."
            ),
        )
        if not wanted:
            return
        try:
            with st.spinner(_("Packing it, and asking it about a few images …")):
                content = package.packed(weights())
        except UserFacingError as error:
            st.error(said(error))
            return
        st.download_button(
            _("Save the zip ({megabytes:.1f} MB)", megabytes=len(content) / 1e6),
            content,
            f"{filename}.zip",
            "application/zip",
            key=f"zip {key}",
            type="primary",
            on_click="ignore",
            icon=":material/download:",
        )


def script(text: str, name: str, key: str) -> None:
    """The code that trains a model, to be read, and saved as a script or a notebook."""
    label, icon = _("Show me the code"), ":material/code:"
    fold = st.expander(label, icon=icon, key=f"code {key}", on_change="rerun")
    if not fold.open:
        return
    with fold:
        st.caption(
            _(
                "PyTorch, and nothing of this app. It needs the four files of Fashion-MNIST in a "
                "folder data beside it."
            )
        )
        with st.container(horizontal=True):
            for label, content, end, mime in (
                (_("Script"), text, "py", "text/x-python"),
                (_("Notebook"), code.notebook(text), "ipynb", "application/x-ipynb+json"),
            ):
                st.download_button(
                    label,
                    content,
                    f"{name}.{end}",
                    mime,
                    key=f"{end} {key}",
                    on_click="ignore",
                    icon=":material/download:",
                )
        st.code(text, language="python", height=480)
