"""No text for people stands outside of the catalogue: in Python, in markup or in a script."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.words import MARKS, called, calls, errors, parsed
from fmnist import PROJECT

FILES = {str(path.relative_to(PROJECT)): tree for path, tree in parsed().items()}
PAGES = {name: tree for name, tree in FILES.items() if not name.startswith("fmnist/")} | {
    name: tree for name, tree in FILES.items() if name.startswith("fmnist/ui/")
}
SPEAKS_ENGLISH = ("fmnist/__main__.py", "fmnist/export/", "fmnist/machine/room.py")
"""The command line, the server's log, and code and cards that are written for elsewhere."""
SENTENCE = re.compile(r" .*[a-z]{2}[.?!…]( |$)|(\b[A-Za-z]+ ){4}")
WORD = re.compile(r"[a-z]{2}")
ASIDE = re.compile(r":material/\w*:?|:small\[|https?://\S*|<[^>]*>|%\{.*?\}")
"""Parts of a text that are no words: icons, sizes, addresses, tags and what Plotly puts in."""
LABELLED = (
    "markdown caption header subheader title write info warning error success toast button "
    "expander popover selectbox segmented_control pills multiselect text_input number_input "
    "slider toggle checkbox file_uploader camera_input download_button form_submit_button "
    "spinner dialog choice select csv_button png_button say_unknown Column result"
)
SHOWN = {
    **dict.fromkeys(LABELLED.split(), (0,)),
    "metric": (0, 1, 2),
    "progress": (1,),
    "chart": (2,),
    "page": (0, 1),
    "class_lines": (2, 3),
    "_in_per_cent": (1, 2),
    "garment_wall": (1,),
    "Place": (1, 3),
}
"""Which arguments of which functions are for people, besides those that are told by a keyword."""
TOLD = {"label", "help", "placeholder", "caption", "captions", "alt", "text", "title", "what"}
DRAWN = {"name", "title", "text", "hovertemplate"}
NAMES = ("Fashion-MNIST", "Zhong et al. 2017")
SOURCES = ("Quick, Draw!", "Icons of", "clothing-dataset by", "Fashion Product Images by")
"""What is called so in every language, and whose pictures a model learned from."""


def literals(node: ast.AST) -> Iterator[ast.Constant]:
    """The texts in a part of the code that aren't messages, names of things or docstrings."""
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node
    elif isinstance(node, ast.Call) and called(node) in {*MARKS, *errors()}:
        for keyword in node.keywords:
            yield from literals(keyword.value)
    elif not _is_aside(node):
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


def _is_aside(node: ast.AST) -> bool:
    """Whether a part names things, documents, or speaks to whoever reads the log."""
    if isinstance(node, ast.Raise):
        return isinstance(node.exc, ast.Call) and called(node.exc) not in errors()
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    printed = isinstance(node, ast.Call) and called(node) in ("print", "compile", "UnpicklingError")
    return docstring or printed or isinstance(node, ast.Subscript | ast.Compare)


def is_text(literal: str) -> bool:
    return not literal.startswith(NAMES) and WORD.search(ASIDE.sub("", literal)) is not None


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith(SPEAKS_ENGLISH)])
def test_no_sentence_stands_outside_of_a_message(name: str) -> None:
    texts = [(node.lineno, str(node.value)) for node in literals(FILES[name])]
    left = [
        f"{name}:{line}: {text}"
        for line, text in texts
        if SENTENCE.search(text) and not text.startswith(NAMES + SOURCES)
    ]
    assert left == []


def unmarked(tree: ast.AST) -> Iterator[ast.Constant]:
    """The texts that a page would show as they stand."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        keywords = TOLD | (DRAWN if called(call) in ("add_scatter", "Bar", "Scatter") else set())
        shown = [
            call.args[place] for place in SHOWN.get(called(call), ()) if place < len(call.args)
        ]
        shown += [keyword.value for keyword in call.keywords if keyword.arg in keywords]
        for part in shown:
            yield from (text for text in literals(part) if is_text(str(text.value)))


@pytest.mark.parametrize("name", PAGES)
def test_what_pages_show_is_marked(name: str) -> None:
    assert [f"{name}:{text.lineno}: {text.value}" for text in unmarked(PAGES[name])] == []


@pytest.mark.parametrize(
    "code",
    [
        'st.caption("Nothing here")',
        'st.caption(f"{count} garments")',
        'st.button(_("Go"), help="Goes on")',
        'columns[0].metric(_("Loss"), "none yet" if empty else number(loss))',
        'figure.add_scatter(x=[], name="Here")',
        'st.markdown(_("{words}", words="by hand"))',
    ],
)
def test_a_text_that_is_not_marked_is_found(code: str) -> None:
    assert list(unmarked(ast.parse(code)))


@pytest.mark.parametrize("name", FILES)
def test_a_message_is_no_text_put_together_before(name: str) -> None:
    for call in calls(FILES[name], {*MARKS, *errors()}):
        for argument in call.args:
            place = f"{name}:{argument.lineno}"
            assert not isinstance(argument, ast.JoinedStr | ast.BinOp), place


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "fmnist/ui").rglob("*.html*")), ids=lambda path: path.name
)
def test_markup_names_words_and_holds_none(path: Path) -> None:
    markup = re.sub(r"{[{%#].*?[}%#]}", "", path.read_text(), flags=re.DOTALL)
    found = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            told = ("title", "aria-label", "alt", "placeholder")
            found.extend(value for name, value in attributes if name in told)

        def handle_data(self, data: str) -> None:
            found.append(data)

    Reader().feed(markup)
    assert [text for text in found if text and WORD.search(text)] == []


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "fmnist/ui").rglob("*.js")), ids=lambda path: path.name
)
def test_a_script_says_only_what_comes_with_its_data(path: Path) -> None:
    script = re.sub(r"//.*", "", path.read_text())
    told = re.findall(
        r"(?:textContent|innerText|ariaLabel|title|alt) = (['\"`].*)"
        r"|(?:append|fillText)\((['\"`].*)"
        r"|'(?:aria-label|title)', (['\"`].*)",
        script,
    )
    bare = [re.sub(r"\$\{[^}]*\}", "", "".join(text)) for text in told]
    assert [text for text in bare if WORD.search(text)] == []
    quoted = re.findall(r"'([^']*)'|`([^`]*)`", script)
    assert [
        text for text in map("".join, quoted) if re.search(r"[a-z]{2} [a-z]+ [a-z]{2}", text)
    ] == []
