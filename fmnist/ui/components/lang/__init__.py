"""Tells the browser, and whatever reads pages out, in which language they are."""

from fmnist.ui import components

_component = components.component("lang")


def declare(language: str) -> None:
    """The pages are in that language from here on."""
    _component(key="language of the page", data={"language": language})
