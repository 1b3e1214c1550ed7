"""A link sets the widgets of the page that it leads to, and nothing that the studio remembers."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from opening import open_page

from fmnist import PROJECT

FILES = [*PROJECT.joinpath("fmnist", "ui").rglob("*.py"), *PROJECT.joinpath("pages").glob("*.py")]


def remembered(file: Path) -> Iterator[str]:
    """The names under which a file keeps something in the session."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Subscript(
                ast.Attribute(attr="session_state"), ast.Constant(str(name))
            ) | ast.Call(
                ast.Attribute(ast.Attribute(attr="session_state")),
                [ast.Constant(str(name)), *_],
            ):
                yield name


def of_widgets(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.keyword("key", ast.Constant(str(name))):
                yield name


def test_what_the_studio_remembers_has_a_name_that_no_link_can_forget() -> None:
    names = {name for file in FILES for name in remembered(file)}
    assert {"decisions so far", "models brought"} <= names
    widgets = {name for file in FILES for name in of_widgets(file)}
    assert not {name for name in names - widgets if " " not in name}


@pytest.mark.parametrize("name", ["decisions so far", "page shown", "models brought"])
def test_a_link_that_names_what_the_studio_remembers_leaves_it_there(name: str) -> None:
    app = open_page("hardest", model="fcnn")
    app.session_state["decisions so far"] = {"a": True}
    app.query_params[name] = "1"
    for _ in range(2):
        app.session_state["page shown"] = "another"
        app.run()
        assert not app.exception
        assert app.session_state["decisions so far"] == {"a": True}
        assert app.session_state["page shown"] == "Hardest"


def test_a_link_sets_what_a_widget_was_set_to_before() -> None:
    app = open_page("scores", model="cnn")
    app.session_state["page shown"] = "another"
    app.query_params["model"] = "fcnn"
    app.run()
    assert app.selectbox(key="model").value == "fcnn"
