"""Pages in another language than English: nothing of theirs stays English."""

from collections.abc import Iterator

import pandas as pd
import pytest
from opening import open_page, texts
from streamlit.testing.v1 import AppTest

from benchmarks.words import catalogue
from fmnist import PROJECT, words

PAGES = sorted(path.stem for path in (PROJECT / "pages").glob("*.py"))
ENGLISH = {
    entry.id
    for entry in catalogue("de")
    if isinstance(entry.id, str) and entry.id and entry.id != entry.string
}
"""Messages that are written otherwise in German."""


def open_in_german(name: str) -> AppTest:
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=60)
    app.session_state["language"] = "de"
    with words.reading("de"):  # AppTest names options here, where nobody reads a page
        app.run()
        return app.switch_page(f"pages/{name}.py").run()


def shown(element: object) -> Iterator[str]:
    """Every text of an element and of those in it: labels, options, heads and cells of tables."""
    for child in getattr(element, "children", {}).values():
        yield from shown(child)
    proto = getattr(element, "proto", None)
    for part in (proto, getattr(proto, "popover", None), getattr(proto, "expandable", None)):
        for field in ("label", "help", "body", "placeholder", "text", "alt", "caption"):
            if isinstance(said := getattr(part, field, None), str):
                yield said
    for option in getattr(proto, "options", ()):
        yield option if isinstance(option, str) else option.content
    table = getattr(element, "value", None)
    if isinstance(table, pd.DataFrame):
        yield from map(str, [*table.columns, *table.to_numpy().flat])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_in_german_and_nothing_on_it_is_english(name: str) -> None:
    app = open_in_german(name)
    assert not app.exception
    assert "gezeichnete Kleidungsstücke, nicht Fashion-MNIST" in texts(app)
    said = {*shown(app.main), *shown(app.sidebar)}
    assert "Gerät" in said
    assert said & ENGLISH == set()


def test_numbers_are_written_as_in_german() -> None:
    app = open_in_german("scores")
    assert "benennt" in texts(app)
    assert any(metric.value.endswith("\u00a0%") and "," in metric.value for metric in app.metric)


def test_what_is_english_on_a_page_would_be_found() -> None:
    app = open_page("train")
    assert {"Train", "Recipe", "Quick", "Peak learning rate"} <= {*shown(app.main)} & ENGLISH
