"""The house rules that no other tool checks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import house
from fmnist import PROJECT

# From the top floor down: a room imports from the floors below its own, and from itself.
FLOORS = (
    ("app",),
    ("pages", "__main__"),
    ("ui",),
    ("classroom", "sweeps"),
    ("report", "runs", "export"),
    ("weights", "training"),
    ("analysis",),
    ("models", "data"),
    ("pictures",),
    ("machine",),
    ("words",),
    ("fmnist",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
NEEDS = house.imports(PROJECT)


@pytest.mark.parametrize("module", NEEDS)
def test_a_room_imports_only_from_itself_and_from_floors_below(module: str) -> None:
    here = house.room(module)
    for other in NEEDS[module]:
        there = house.room(other)
        assert there == here or FLOOR[there] > FLOOR[here], f"{module} imports {other}"


def test_no_two_files_import_each_other_even_by_way_of_others() -> None:
    assert house.circles(NEEDS) == []


def test_a_circle_is_found_also_where_an_import_is_inside_a_function(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "fmnist").mkdir()
    (tmp_path / "app.py").write_text("import fmnist.one\n")
    (tmp_path / "fmnist" / "one.py").write_text("from fmnist import two\n")
    (tmp_path / "fmnist" / "two.py").write_text("def late():\n    from fmnist.one import f\n")
    assert house.circles(house.imports(tmp_path)) == [{"fmnist.one", "fmnist.two"}]
    assert house.floors(house.imports(tmp_path)) == 2


def test_only_the_ui_loads_streamlit_and_plotly() -> None:
    core = [module for module in NEEDS if house.room(module) not in ("app", "pages", "ui")]
    script = f"import {', '.join(core)}, sys; print({{'streamlit', 'plotly'}} & {{*sys.modules}})"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True
    )
    assert loaded.stdout == "set()\n", loaded.stderr


def test_app_holds_page_config_and_navigation_only() -> None:
    lines = (PROJECT / "app.py").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("def ", "class ", "for ", "if "))]


@pytest.mark.parametrize("page", sorted((PROJECT / "pages").glob("*.py")), ids=lambda p: p.stem)
def test_a_page_holds_no_tensors_and_stays_an_outline(page: Path) -> None:
    text = page.read_text()
    assert "import torch" not in text
    assert len(text.splitlines()) <= 100


@pytest.mark.parametrize(
    "path",
    [*house.modules(PROJECT).values(), *PROJECT.glob("benchmarks/*.py")],
    ids=lambda path: path.stem,
)
def test_python_holds_no_other_language(path: Path) -> None:
    foreign = r"<(style|div|table|section|svg|button)\b|\bfunction ?\([\w, ]*\) ?\{|=> \{"
    assert not re.findall(foreign, path.read_text())
