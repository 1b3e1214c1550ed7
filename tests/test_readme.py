"""The README tells the truth."""

import re
from pathlib import Path
from statistics import mean, stdev

import pytest

from fmnist import PROJECT
from fmnist.__main__ import main
from fmnist.weights import shelf
from fmnist.weights.card import Card

README = (PROJECT / "README.md").read_text()


def test_the_table_of_models_equals_the_cards() -> None:
    table = README.split("|---|---|---|---|---|---|---|---|\n")[1].split("\n\n")[0]
    assert table.splitlines() == [_row(card) for card in shelf.cards()]


def _row(card: Card) -> str:
    tests = [100 * seed.test for seed in card.seeds]
    spread = f" ± {stdev(tests):.2f}" if len(tests) > 1 else ""
    return (
        f"| {card.name} | {card.title} | {card.parameters:,} | {card.validation.accuracy:.2%} "
        f"| {card.test.accuracy:.2%} | {card.mirrored:.2%} "
        f"| {mean(tests):.2f}{spread} ({len(tests)}) | {round(card.seconds / 60)} min |"
    )


def test_the_tree_names_every_file_and_nothing_else() -> None:
    tree = README.split("## The code")[1].split("```")[1]
    named = set(re.findall(r"^ *(\S+\.py) ", tree, re.MULTILINE))
    folders = ("pages", "fmnist")
    files = {path.name for folder in folders for path in (PROJECT / folder).rglob("*.py")}
    assert named == files | {"app.py"}
    for folder in ("benchmarks", "docs", "tests", "weights"):
        exists = (PROJECT / folder).is_dir() and any((PROJECT / folder).iterdir())
        assert f"\n{folder}/ " not in tree or exists


@pytest.mark.parametrize("link", re.findall(r"\]\((docs/[^)]+)\)", README))
def test_every_picture_is_there(link: str) -> None:
    assert (PROJECT / link).is_file()


@pytest.mark.parametrize(
    "verb", ["data", "models", "train", "evaluate", "report", "classify", "runs"]
)
def test_every_verb_and_option_is_described(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    printed = capsys.readouterr().out
    assert "--help" in printed
    section = README.split("## The command line")[1]
    described = "".join(
        block for block in re.split(r"(?=python -m fmnist )", section) if f"fmnist {verb}" in block
    )
    assert described
    for option in set(re.findall(r"--[a-z-]+", printed)) - {"--help"}:
        assert option in described


@pytest.mark.parametrize(
    "variable", sorted(set(re.findall(r"`(FMNIST_[A-Z_]+)`", README))), ids=str
)
def test_every_variable_is_one_that_the_code_reads(variable: str) -> None:
    code = "".join(path.read_text() for path in Path(PROJECT / "fmnist").rglob("*.py"))
    assert f'environ.get("{variable}")' in code
