"""Each test asks its cluster as the first that ever asked."""

import pytest

from fmnist.runs import launchers


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    launchers._refusals.clear()
    launchers._answers.clear()
    launchers._heard_of.clear()
