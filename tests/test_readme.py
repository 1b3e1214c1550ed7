"""The README and docs/ tell the truth."""

import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev

import pytest

from fmnist import PROJECT
from fmnist.__main__ import main
from fmnist.weights import shelf
from fmnist.weights.card import Card

README = PROJECT / "README.md"
DOCS = {path.name: path.read_text() for path in [README, *(PROJECT / "docs").glob("*.md")]}
LINKS = [
    (PROJECT / ("" if name == README.name else "docs"), link)
    for name, text in DOCS.items()
    for link in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text)
]


def test_the_table_of_models_equals_the_cards() -> None:
    table = DOCS["models.md"].split("|---|---|---|---|---|---|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == [_row(card) for card in shelf.cards()]


def _row(card: Card) -> str:
    tests = [100 * seed.test for seed in card.seeds]
    spread = f" ± {stdev(tests):.2f}" if len(tests) > 1 else ""
    return (
        f"| {card.name} | {card.title} | {card.parameters:,} | {card.validation.accuracy:.2%} "
        f"| {card.test.accuracy:.2%} | {card.mirrored:.2%} "
        f"| {mean(tests):.2f}{spread} ({len(tests)}) | {round(card.seconds / 60)} min |"
    )


def _paths(tree: str) -> Iterator[str]:
    """The files that a tree of indented names stands for."""
    folders: list[str] = []
    for line in tree.splitlines():
        name = line.split()[0]
        del folders[(len(line) - len(line.lstrip())) // 2 :]
        if name.endswith("/"):
            folders.append(name)
        else:
            yield "".join([*folders, name])


def test_the_tree_names_every_file_of_the_code_and_nothing_else() -> None:
    tree = DOCS["code.md"].split("```")[1].strip("\n")
    exists = {
        str(path.relative_to(PROJECT))
        for folder in ("pages", "fmnist")
        for path in (PROJECT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.read_bytes()
    }
    assert set(_paths(tree)) == exists | {"app.py", "serve.py"}


@pytest.mark.parametrize(("folder", "link"), LINKS, ids=str)
def test_every_link_and_every_picture_leads_somewhere(folder: Path, link: str) -> None:
    assert (folder / link).is_file()


@pytest.mark.parametrize(
    "verb", ["data", "models", "train", "evaluate", "report", "classify", "runs"]
)
def test_every_verb_and_option_is_described(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    printed = capsys.readouterr().out
    assert "--help" in printed
    section = DOCS["runs.md"].split("## The command line")[1]
    described = "".join(
        block for block in re.split(r"(?=python -m fmnist )", section) if f"fmnist {verb}" in block
    )
    assert described
    for option in set(re.findall(r"--[a-z-]+", printed)) - {"--help"}:
        assert option in described


@pytest.mark.parametrize(
    "variable", sorted(set(re.findall(r"`(FMNIST_[A-Z_]+)`", DOCS["runs.md"]))), ids=str
)
def test_every_variable_is_one_that_the_code_reads(variable: str) -> None:
    code = "".join(path.read_text() for path in Path(PROJECT / "fmnist").rglob("*.py"))
    assert f'environ.get("{variable}")' in code
