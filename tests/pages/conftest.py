"""Pages are tested with four models, on splits that take a moment, and remember for a module."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from shipped import FOUR, put_beside

from fmnist.machine import files
from fmnist.ui import figures, widgets
from fmnist.ui.state import models
from fmnist.weights import shelf


@pytest.fixture(autouse=True)
def _each_chart_is_a_table_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is once somebody opens its figures, which no test of a page does for every one."""
    chart = widgets.chart

    def tabled(figure: Any, key: str, alt: str) -> None:
        figures.table(figure)
        chart(figure, key, alt)

    monkeypatch.setattr(widgets, "chart", tabled)


@pytest.fixture(scope="session")
def four_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("four")
    for name in FOUR:
        put_beside(name, folder)
    return folder


@pytest.fixture(autouse=True)
def _four_models_and_small_splits(
    small: None, four_models: Path, answers_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "SHIPPED", four_models)
    monkeypatch.setattr(files, "CACHE", answers_folder)


def _forget() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()
    models.damage.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _caches_of_a_module() -> None:
    _forget()


@pytest.fixture
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """For tests that count or change what is computed: nothing is cached, and nothing will be."""
    monkeypatch.setattr(files, "CACHE", tmp_path / "cache")
    _forget()
    yield
    _forget()
