"""What a visitor can take along: a model with all that it needs, and the code that trains it."""

from collections.abc import Callable

import streamlit as st

from fmnist.export import code, package
from fmnist.machine.errors import UserFacingError
from fmnist.weights.shelf import Weights


def model(weights: Callable[[], Weights], filename: str, key: str) -> None:
    """A button that packs a model and checks it, and then one that saves the zip."""
    with st.container(horizontal=True, vertical_alignment="center"):
        wanted = st.button(
            "Take it home",
            key=f"pack {key}",
            icon=":material/home:",
            help="ONNX, safetensors and PyTorch files, a model card for the Hugging Face Hub, and "
            "a script that names the garment in a picture without this app: one zip.",
        )
        if not wanted:
            return
        try:
            with st.spinner("Packing it, and asking it about a few images …"):
                content = package.packed(weights())
        except UserFacingError as error:
            st.error(str(error))
            return
        st.download_button(
            f"Save the zip ({len(content) / 1e6:.1f} MB)",
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
    with st.expander("Show me the code", icon=":material/code:"):
        st.caption(
            "PyTorch, and nothing of this app. It needs the four files of Fashion-MNIST in a "
            "folder data beside it."
        )
        with st.container(horizontal=True):
            for label, content, end, mime in (
                ("Script", text, "py", "text/x-python"),
                ("Notebook", code.notebook(text), "ipynb", "application/x-ipynb+json"),
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
