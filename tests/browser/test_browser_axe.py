"""What axe-core finds against a page; nothing of it may be ours."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import PAGES
from playwright.sync_api import Page

pytestmark = pytest.mark.browser

# docs/code.md says by which rules.
STREAMLITS_OWN = ("stSidebarNavItems", "stFileUploaderDropzone", "stToast")
QUICK = ["", "classify?way=Examples&others=cnn"]
STATES = ["classify?way=Upload", "errors?model=cnn&why=true&projector=true", "errors?model=nobody"]


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "path",
    [
        *QUICK,
        *(
            pytest.param(path, marks=pytest.mark.slow)
            for path in (*STATES, *(name.lower().replace(" ", "_") for name in PAGES))
            if path not in ("home", "classify")
        ),
    ],
)
def test_a_page_keeps_nobody_out(visit: Callable[..., Page], path: str, scheme: str) -> None:
    page = visit(path, color_scheme=scheme)
    own = [[f"[data-testid={name}]"] for name in STREAMLITS_OWN]
    found = Axe().run(page, context={"exclude": own}).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
