"""The story world viewer in a browser."""

import pytest

from gptlib.widgets import StoryViewer

from .chromium import keep_screenshot
from .plain_page import PlainPage


@pytest.fixture
def shown(page):
    return PlainPage(page, StoryViewer(1))


def test_a_sentence_shows_its_world_and_its_tasks(shown):
    world = shown.root.get_by_label("The world after this sentence")
    labels = shown.root.get_by_label("This sentence in the tasks")
    before = world.inner_text(), labels.inner_text()
    sentences, rev = shown.root.locator(".gw-sentence"), shown.rev
    sentences.nth(3).click()
    shown.settled(rev)
    assert world.inner_text() != before[0]
    assert labels.inner_text() != before[1]
    assert shown.widget.state["moments"][3]["zh"] in labels.inner_text()
    rev = shown.rev
    sentences.nth(0).press("Enter")
    shown.settled(rev)
    assert (world.inner_text(), labels.inner_text()) == before
    whole = shown.root.get_by_label("The whole story in the tasks").inner_text()
    assert shown.widget.state["summary"] in whole
    assert "not told" in whole
    keep_screenshot(shown.page, "stories-light", ".gw-root")
    shown.page.emulate_media(color_scheme="dark")
    keep_screenshot(shown.page, "stories-dark", ".gw-root")


def test_other_stories(shown):
    rev = shown.rev
    shown.root.get_by_role("button", name="Next story").press("Enter")
    shown.settled(rev)
    assert shown.widget.state["index"] == 2
    shown.control("story").first.fill("12")
    shown.page.wait_for_function("document.querySelector('.gw-note').textContent.length > 0")
    shown.settled(rev + 1)
    assert shown.widget.state["index"] == 12
    shown.control("story").first.fill("-4")
    shown.root.get_by_role("alert").filter(has_text="no story -4").wait_for()
