"""The gallery that several pages share, and the boxes beside it."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from fmnist.ui import garments


def opened(page: Callable[[], None]) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception
    return app


def gallery() -> None:
    import numpy as np

    from fmnist.ui import garments

    garments.gallery(
        np.zeros((3, 28, 28), np.uint8),
        ["a", "b", "c"],
        [{"row": row} for row in range(3)],
        key="some",
        name="three black garments",
        what="garments",
        filename="black",
        caption="All are black.",
        captions=["x", "y", "z"],
        height=100,
        tile=30,
    )


@pytest.mark.parametrize(
    ("most", "caption"),
    [(2, "The first 2; the downloads hold all 3. All are black."), (3, "All are black.")],
)
def test_a_gallery_shows_the_first_and_says_so(
    most: int, caption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garments, "MOST_SHOWN", most)
    app = opened(gallery)
    (wall,) = [json.loads(element.proto.json) for element in app.get("bidi_component")]
    assert wall["titles"] == ["a", "b", "c"][:most]
    assert wall["captions"] == ["x", "y", "z"][:most]
    assert wall["label"] == f"{most} garments; arrow keys choose one"
    assert [element.value for element in app.caption] == [caption]


def test_a_gallery_is_downloaded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    buttons: list[tuple[int, str]] = []
    monkeypatch.setattr(garments, "MOST_SHOWN", 2)
    for name in ("csv_button", "png_button"):
        monkeypatch.setattr(
            garments,
            name,
            lambda *given: buttons.append((len(given[-3]), given[-2])),
        )
    opened(gallery)
    assert buttons == [(3, "black.csv"), (3, "black.png")]


def pages() -> None:
    import streamlit as st

    from fmnist.ui import widgets

    count = st.number_input("Count", 1, 9, 7)
    st.text("abcdefghi"[:count][widgets.choose_page(count, 3, "page")])


def test_pages_hold_everything_once_and_begin_anew_where_there_are_fewer() -> None:
    app = opened(pages)
    shown = []
    for number in (1, 2, 3):
        app.number_input[1].set_value(number).run()
        shown.append(app.text[0].value)
    assert shown == ["abc", "def", "g"]
    assert app.number_input[1].label == "Page of 3"
    app.number_input[0].set_value(5).run()
    assert (app.number_input[1].label, app.text[0].value) == ("Page of 2", "abc")


def bar() -> None:
    import streamlit as st

    from fmnist.ui.widgets import choice

    st.text(choice("First", ["one", "two"], key="first"))
    st.text(choice("Second", ["one", "two"], key="second", default="two"))


def test_a_bar_begins_with_its_first_option_or_its_default_and_follows_the_link() -> None:
    app = opened(bar)
    assert [text.value for text in app.text] == ["one", "two"]
    app = AppTest.from_function(bar)
    app.query_params["first"] = "two"
    assert [text.value for text in app.run().text] == ["two", "two"]
