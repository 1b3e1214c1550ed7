"""The language of the browser, of a link and by hand."""

import re
from collections.abc import Callable

import pytest
from browsing import follow, heading, settle
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
GERMAN = {"locale": "de-AT"}


def choose(page: Page, box: str, language: str) -> None:
    """Choose a language at the head of the sidebar."""
    found = page.get_by_role("combobox", name=box)
    found.scroll_into_view_if_needed()
    settle(page)
    found.click()
    page.get_by_role("option", name=language, exact=True).click()


@pytest.mark.slow
def test_a_browser_is_read_to_in_its_language_as_far_as_that_is_known(
    visit: Callable[..., Page],
) -> None:
    page = visit("classify", **GERMAN)
    expect(page).to_have_title("Erkennen · Fashion-MNIST Studio")
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_role("button", name="Rückgängig")).to_have_attribute(
        "title", "Rückgängig (Strg+Z)"
    )
    expect(page.get_by_text("Zeichne hier ein T-Shirt")).to_be_visible()
    assert "lang" not in page.url
    page = visit("classify", locale="fr-FR")
    expect(page).to_have_title("Classify · Fashion-MNIST Studio")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.slow
def test_a_language_chosen_by_hand_is_in_the_link_and_kept_on_every_page(
    visit: Callable[..., Page],
) -> None:
    page = visit("compare?model=cnn&true=Sandal", **GERMAN)
    choose(page, "Sprache", "English")
    expect(page.locator("h1")).to_have_text("Compare")
    expect(page).to_have_url(re.compile(r"lang=en"))
    expect(page.locator("html")).to_have_attribute("lang", "en")
    settle(page)
    follow(page, "Scores")
    expect(page).to_have_url(re.compile(r"lang=en"))
    page.reload()
    expect(page.locator("h1")).to_have_text("Scores")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("link", "locale", "title", "cell"),
    [
        (
            "true=Sandal&predicted=Any+class&on=validation",
            "de-DE",
            "Fehler",
            "Sandale, falsch benannt",
        ),
        (
            "true=Sandale&predicted=Alle+Klassen&on=Validierung",
            "en-GB",
            "Errors",
            "Sandal named wrong",
        ),
        (
            "true=Sandal&predicted=Any+class&on=validation&lang=de",
            "en-GB",
            "Fehler",
            "Sandale, falsch benannt",
        ),
    ],
)
def test_a_link_is_understood_in_any_language(
    visit: Callable[..., Page], link: str, locale: str, title: str, cell: str
) -> None:
    page = visit(f"errors?model=cnn&{link}", locale=locale)
    expect(page.locator("h1")).to_have_text(title)
    expect(heading(page, re.compile(f"^{cell}: "))).to_be_visible()
    expect(page.get_by_test_id("stToast")).to_have_count(0)


@pytest.mark.slow
def test_switching_the_language_keeps_what_was_chosen(visit: Callable[..., Page]) -> None:
    page = visit("errors?model=cnn&true=Sandal&predicted=Sneaker&on=validation&cells=Row+%25")
    choose(page, "Language", "Deutsch")
    expect(heading(page, re.compile("^Sandale als Sneaker: "))).to_be_visible()
    settle(page)
    expect(page.get_by_role("radio", name="Validierung", checked=True)).to_be_visible()
    expect(page.get_by_text(re.compile(r"benennt \d\d,\d\d.% von [\d.]+ Bildern"))).to_be_visible()
    expect(page.get_by_test_id("stToast")).to_have_count(0)


@pytest.mark.slow
@pytest.mark.parametrize("path", ["hardest?models=softmax", "train", "map?model=softmax"])
def test_no_option_of_a_bar_is_cut_in_longer_words(visit: Callable[..., Page], path: str) -> None:
    page = visit(path, viewport={"width": 1280, "height": 800}, **GERMAN)
    bars = page.get_by_test_id("stMain").get_by_role("radiogroup")
    expect(bars.first).to_be_visible()
    fits = "(bars) => bars.map((bar) => bar.scrollWidth <= bar.clientWidth)"
    assert all(bars.evaluate_all(fits))


@pytest.mark.slow
def test_what_a_browser_works_out_of_a_network_is_written_in_its_language(
    visit: Callable[..., Page],
) -> None:
    page = visit("inside?model=gru", **GERMAN)
    after = page.locator(".after")
    expect(after).to_have_text(
        re.compile(r"^Nach 28 von 28 Schritten: \S+, zu \d+,\d\u00a0% sicher$")
    )
    page = visit("inside?model=cnn&layer=body.3&map=5", **GERMAN)
    value = page.locator(".unit .value")
    expect(value).to_have_text(re.compile(r"^Zeile \d+, Spalte \d+ von Karte 5: -?\d+,\d{3}$"))
    expect(page.locator(".part.sum")).to_have_text(re.compile(r"^Summe-?\d+,\d{3}$"))
    unit = page.locator(".unit").inner_text()
    assert not re.search(r"\d\.\d|Patch|Unit|Sum\b", unit)
