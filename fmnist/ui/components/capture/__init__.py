"""Makes an uploader on a phone open its camera rather than its gallery."""

from fmnist.ui import components

_component = components.component("capture")


def capture(key: str) -> None:
    """For the uploader with that key, which stands on the same page."""
    _component(key=f"capture {key}", data={"uploader": f".st-key-{key}"})
