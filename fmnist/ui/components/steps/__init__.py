"""One step back for each thing that a visitor does, however many parts of the link it changes."""

from fmnist.ui import components

_component = components.component("steps")


def keep_steps() -> None:
    """Streamlit writes the link in pieces, or without a step; from here on each deed is one."""
    _component(key="steps back")
