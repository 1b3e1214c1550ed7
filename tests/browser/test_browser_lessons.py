"""Lessons by the mouse: a lesson is opened, stays open while it is answered, and is left again."""

import re
from collections.abc import Callable

import pytest
from browsing import settle
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


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
