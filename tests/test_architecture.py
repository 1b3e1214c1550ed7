"""The house rules that no other tool checks."""

import subprocess
import sys
from pathlib import Path

import pytest

from fmnist import PROJECT

CORE = sorted(
    ".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__")
    for path in (PROJECT / "fmnist").rglob("*.py")
    if "ui" not in path.parts and path.name != "figures.py"
)

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
    loaded = {"streamlit", "plotly"} & sys.modules.keys()
    assert not loaded, f"{name} loads {loaded}"
"""


def test_no_core_module_loads_streamlit_or_plotly() -> None:
    command = [sys.executable, "-c", IMPORT_ALL, *CORE]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_figures_loads_plotly_but_not_streamlit() -> None:
    script = "import fmnist.figures, sys; sys.exit('streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=PROJECT).returncode == 0


def test_app_holds_page_config_and_navigation_only() -> None:
    lines = (PROJECT / "app.py").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("def ", "class ", "for ", "if "))]


@pytest.mark.parametrize("page", sorted((PROJECT / "pages").glob("*.py")), ids=lambda p: p.stem)
def test_a_page_holds_no_tensors_and_stays_an_outline(page: Path) -> None:
    text = page.read_text()
    assert "import torch" not in text
    assert len(text.splitlines()) <= 100
