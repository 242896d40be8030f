"""The tokenizer microscope in a browser."""

import pytest

from gptlib.tokenizer import Tokenizer
from gptlib.widgets import TokenizerMicroscope

from .chromium import keep_screenshot
from .plain_page import PlainPage

TEXT = "the theme of the thesis, then there and these others "


@pytest.fixture
def shown(page):
    trained = Tokenizer.train(TEXT * 3, vocab_size=290)
    named = {"trained": trained, "bytes alone": Tokenizer([])}
    return PlainPage(page, TokenizerMicroscope(named, "the theme of others"))


def test_a_word_is_chosen_and_its_merges_replayed(shown):
    merges = shown.root.get_by_label("Merges of the chosen word").first
    before = merges.inner_text()
    rev = shown.rev
    chip = shown.root.locator(".gw-chip", has_text="·others").first
    chip.focus()
    chip.press("Enter")
    shown.settled(rev)
    assert merges.inner_text() != before
    assert shown.root.locator(".gw-chip[aria-pressed=true]").first.inner_text().startswith("·other")
    steps = merges.locator("tbody tr").count()
    slider = shown.control("merges replayed")
    rev = shown.rev
    slider.press("ArrowLeft")
    shown.settled(rev)
    assert merges.locator("tbody tr").count() == steps - 1
    keep_screenshot(shown.page, "microscope-light", ".gw-root")
    shown.page.emulate_media(color_scheme="dark")
    keep_screenshot(shown.page, "microscope-dark", ".gw-root")


def test_text_typed_live_and_wrong_text(shown):
    text = shown.control("Text to cut into tokens")
    chips = shown.root.locator("section").nth(1).locator(".gw-chip")
    rev, count = shown.rev, chips.count()
    text.press("End")
    text.type("!!")
    shown.settled(rev)
    assert chips.count() == count + 2
    text.fill("")
    shown.root.get_by_role("alert").filter(has_text="empty").wait_for()
    text.fill("x " * 5000)
    shown.root.get_by_role("alert").filter(has_text="600 can be shown").wait_for()
    assert chips.count() == count + 2
