"""Lessons by the mouse: a lesson is opened, stays open while it is answered, and is left again."""

import re
from collections.abc import Callable

import pytest
from browsing import heading, settle
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_a_lesson_that_is_clicked_is_in_the_link_and_stays_when_it_is_answered(
    visit: Callable[..., Page],
) -> None:
    page = visit("lessons")
    page.get_by_role("link", name="What the garments are").click()
    questions = page.get_by_test_id("stRadio")
    expect(questions).to_have_count(3)
    expect(page).to_have_url(re.compile(r"lessons\?lesson=data"))
    questions.first.get_by_test_id("stRadioOption").first.click()
    expect(page.get_by_role("link", name="See all bags to train on")).to_be_visible()
    settle(page)
    expect(questions).to_have_count(3)

    page.get_by_role("link", name="All lessons").click()
    expect(page.get_by_role("link", name="Fooling a network")).to_be_visible()
    expect(page).to_have_url(re.compile("lessons$"))
    page.go_back()
    expect(questions).to_have_count(3)


@pytest.mark.slow
def test_a_link_that_asks_for_a_usual_choice_counts_more_than_what_was_chosen_before(
    visit: Callable[..., Page],
) -> None:
    page = visit("lessons?lesson=confusion")
    questions = page.get_by_test_id("stRadio")
    for number, link, shown in (
        (1, "Open the T-shirts that are taken for shirts", "^T-shirt.top named Shirt:"),
        (0, "Open the row of the shirts", "^Shirt named wrong:"),
    ):
        questions.nth(number).get_by_test_id("stRadioOption").first.click()
        page.get_by_role("link", name=link).click()
        expect(heading(page, re.compile(shown))).to_be_visible()
        page.get_by_role("link", name="Back to the lesson").click()
        expect(questions).to_have_count(4)
        settle(page)
