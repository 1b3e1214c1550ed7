"""What axe-core finds against a page in the states that test_browser_pages.py does not see."""

from collections.abc import Callable

import pytest
from browsing import violations
from playwright.sync_api import Page

pytestmark = pytest.mark.browser


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        "",
        "classify?way=Examples&others=cnn",
        "classify?way=Upload",
        "errors?model=lenet-5&why=true&projector=true",
        "errors?model=nobody",
    ],
)
def test_a_page_keeps_nobody_out(visit: Callable[..., Page], path: str) -> None:
    assert violations(visit(path)) == []
