"""The messages of the code, and what a catalogue lacks of them.

    python -m benchmarks.words LANGUAGE

brings fmnist/words/LANGUAGE.po in step with the code, or begins it: new messages are there with no
translation, and those that nobody says any more are gone.
"""

import ast
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from babel.messages import pofile
from babel.messages.catalog import Catalog
from jinja2.ext import babel_extract

from fmnist import PROJECT
from fmnist.words import FOLDER

MARKS = ("_", "Words", "Spinner")
"""What messages are given to, besides errors for people."""


class Message(NamedTuple):
    """A message, its form for many if it has one, and where it stands."""

    one: str
    many: str
    file: str
    line: int


def messages(project: Path = PROJECT) -> list[Message]:
    """Every message of app, pages and fmnist, in the order of the files."""
    trees, marks = parsed(project), {*MARKS, *errors(project)}
    found = [
        Message(*texts, str(path.relative_to(project)), call.lineno)
        for path, tree in trees.items()
        for call in calls(tree, marks)
        if (texts := _texts(call))
    ]
    templates = sorted(project.glob("fmnist/**/*.html.j2"))
    return found + [message for path in templates for message in _of_template(path, project)]


@cache
def parsed(project: Path = PROJECT) -> dict[Path, ast.Module]:
    """The Python of app, pages and fmnist."""
    paths = [project / "app.py", *project.glob("pages/*.py"), *project.glob("fmnist/**/*.py")]
    return {path: ast.parse(path.read_text()) for path in sorted(paths)}


def calls(tree: ast.AST, names: Collection[str]) -> Iterator[ast.Call]:
    """The calls of what has one of the names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in names:
            yield node


def called(call: ast.Call) -> str:
    """The name of what is called, without what it is taken from."""
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def errors(project: Path = PROJECT) -> set[str]:
    """The names of the errors for people."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for tree in parsed(project).values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found = {"UserFacingError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def _texts(call: ast.Call) -> tuple[str, str] | None:
    """The message of a call and its form for many, where it is given any."""
    texts = [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    return (texts[0], texts[1] if texts[1:] else "") if texts else None


def _of_template(path: Path, project: Path) -> Iterator[Message]:
    with path.open("rb") as file:
        for line, _, text, _ in babel_extract(file, ["_"], [], {}):
            one, *_values = [text] if isinstance(text, str) else text or [""]
            yield Message(str(one), "", str(path.relative_to(project)), line)


def catalogue(language: str, folder: Path = FOLDER) -> Catalog:
    """The catalogue of a language; an empty one where there is none yet."""
    path = folder / f"{language}.po"
    if not path.exists():
        return Catalog(language)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=language)


def in_step(known: Catalog, said: list[Message]) -> Catalog:
    """A catalogue with the translations that are known of what is said, and nothing else."""
    fresh = Catalog(
        known.locale,
        header_comment="# What Fashion-MNIST Studio says; benchmarks/words.py keeps it in step.",
        project="Fashion-MNIST Studio",
        version="1",
        msgid_bugs_address="-",
        last_translator="-",
        language_team="-",
        creation_date=known.creation_date,  # no date that changes: two branches would disagree
        charset="utf-8",
        fuzzy=False,
    )
    for one, many, file, _ in said:
        key = (one, many) if many else one
        old = known.get(key)
        fresh.add(key, old.string if old else None, locations=[(file, 0)])
    return fresh


def _forms(string: Any) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string or [""])


def main(language: str) -> None:
    known = catalogue(language)
    fresh = in_step(known, messages())
    path = FOLDER / f"{language}.po"
    with path.open("wb") as file:
        pofile.write_po(file, fresh, width=100, include_lineno=False, sort_by_file=False)
    lacking = [message for message in fresh if message.id and not all(_forms(message.string))]
    print(f"{path}: {len(fresh)} messages, {len(lacking)} without a translation")


if __name__ == "__main__":
    main(sys.argv[1])
