"""The house rules that no other tool checks."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fmnist import PROJECT

# From the top floor down: a room imports from the floors below its own, and from itself.
FLOORS = (
    ("app",),
    ("pages", "__main__"),
    ("ui",),
    ("report", "runs"),
    ("weights", "training"),
    ("analysis",),
    ("models", "data"),
    ("pictures", "machine"),
    ("fmnist",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = {
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in [PROJECT / "app.py", *PROJECT.glob("pages/*.py"), *PROJECT.rglob("fmnist/**/*.py")]
}


def room(module: str) -> str:
    """The room that a module of the project is in."""
    first, *others = module.split(".")
    return others[0] if first == "fmnist" and others else first


def imported(module: str) -> Iterator[str]:
    """The project's modules that a module imports, at its head or inside a function."""
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in FILES else str(node.module) for name in below]
        else:
            continue
        yield from (name for name in names if name in FILES)


@pytest.mark.parametrize("module", FILES)
def test_a_room_imports_only_from_itself_and_from_floors_below(module: str) -> None:
    here = room(module)
    for other in imported(module):
        there = room(other)
        assert there == here or FLOOR[there] > FLOOR[here], f"{module} imports {other}"


def test_no_two_files_import_each_other_even_by_way_of_others() -> None:
    waiting = {module: set(imported(module)) - {module} for module in FILES}
    while free := [module for module, needs in waiting.items() if not needs]:
        for module in free:
            del waiting[module]
        for needs in waiting.values():
            needs.difference_update(free)
    assert not waiting


@pytest.mark.parametrize("library", ["streamlit", "plotly"])
def test_only_the_ui_loads(library: str) -> None:
    core = [module for module in FILES if room(module) not in ("app", "pages", "ui")]
    script = f"import sys, {', '.join(core)}; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=PROJECT).returncode == 0


def test_app_holds_page_config_and_navigation_only() -> None:
    lines = (PROJECT / "app.py").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("def ", "class ", "for ", "if "))]


@pytest.mark.parametrize("page", sorted((PROJECT / "pages").glob("*.py")), ids=lambda p: p.stem)
def test_a_page_holds_no_tensors_and_stays_an_outline(page: Path) -> None:
    text = page.read_text()
    assert "import torch" not in text
    assert len(text.splitlines()) <= 100


@pytest.mark.parametrize(
    "path", [*FILES.values(), *PROJECT.glob("benchmarks/*.py")], ids=lambda path: path.stem
)
def test_python_holds_no_other_language(path: Path) -> None:
    foreign = r"<(style|div|table|section|svg|button)\b|\bfunction ?\(|=> \{"
    assert not re.findall(foreign, path.read_text())
