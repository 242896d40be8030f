"""The residual stream walk in a browser."""

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import ResidualWalk

from .chromium import keep_screenshot
from .plain_page import PlainPage

TEXT = "the cat sat on the mat"


@pytest.fixture
def shown(page):
    torch.manual_seed(1)
    tokenizer = Tokenizer.train(TEXT * 3, vocab_size=280)
    model = GPT(GPTConfig(n_layer=3, n_head=2, n_embd=16, n_positions=32, vocab_size=280))
    return PlainPage(page, ResidualWalk(model, tokenizer, TEXT))


def test_another_token_another_target_another_text(shown):
    chips = shown.root.get_by_label("Token to follow").locator("button")
    shown.changes("canvas", lambda: chips.nth(2).click())
    assert chips.nth(2).get_attribute("aria-pressed") == "true"
    shown.changes("canvas", lambda: chips.nth(0).press("Enter"))
    target = shown.control("explain the logit of")
    shown.changes("canvas", lambda: target.select_option(index=3))
    assert shown.widget.state["target"] == shown.widget.state["likeliest"][3][0]
    shown.changes("canvas", lambda: shown.control("Text to read").fill("the mat sat"))
    assert shown.root.get_by_label("The steps in numbers").locator("tbody tr").count() == 7
    keep_screenshot(shown.page, "residual-light", ".gw-root")
    shown.changes("canvas", lambda: shown.page.emulate_media(color_scheme="dark"))
    keep_screenshot(shown.page, "residual-dark", ".gw-root")


def test_wrong_text_is_said(shown):
    for wrong, says in (("", "empty"), ("cat " * 10_000, "32 can be shown")):
        shown.control("Text to read").fill(wrong)
        shown.root.get_by_role("alert").filter(has_text=says).wait_for()
