"""The sampling studio in a browser."""

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import SamplingStudio

from .chromium import keep_screenshot
from .plain_page import PlainPage

PROMPT = "the cat sat on"


@pytest.fixture
def shown(page):
    torch.manual_seed(1)
    tokenizer = Tokenizer.train((PROMPT + " the mat. ") * 3, vocab_size=280)
    model = GPT(GPTConfig(n_layer=1, n_head=2, n_embd=16, n_positions=32, vocab_size=280))
    model.transformer.wte.weight.data.mul_(20)  # a model with preferences
    return PlainPage(page, SamplingStudio(model, tokenizer, PROMPT))


def candidates(shown):
    return shown.root.get_by_label("Candidates for the next token")


def rows(shown):
    return candidates(shown).locator("tbody tr")


def test_each_filter_by_keyboard(shown):
    for label, name, value in (
        ("repetition penalty", "repetition_penalty", 1.05),
        ("temperature", "temperature", 1.1),
        ("top-k", "top_k", 1),
        ("min-p", "min_p", 0.025),
    ):
        rev = shown.rev
        shown.control(label).press("ArrowRight")
        shown.settled(rev)
        assert shown.widget.state["settings"][name] == pytest.approx(value)
    rev = shown.rev
    shown.control("top-p").press("ArrowLeft")
    shown.settled(rev)
    assert shown.widget.state["settings"]["top_p"] == pytest.approx(0.95)
    assert "cut by top-k" in candidates(shown).inner_text()
    assert "top-k 1 →" in shown.root.inner_text()


def test_taking_tokens_drawing_and_the_tree(shown):
    first = rows(shown).first.locator("button")
    rev, name = shown.rev, first.inner_text()
    first.focus()
    first.press("Enter")
    shown.settled(rev)
    assert shown.widget.state["path"][0][1] == name
    assert shown.root.locator(".gw-written").inner_text().startswith(PROMPT)
    # The keyboard did not fall out of the table when it was drawn anew.
    inside = "document.querySelector('.gw-root').contains(document.activeElement)"
    assert shown.page.evaluate(inside)
    rev = shown.rev
    shown.root.get_by_role("button", name="Draw a token").click()
    shown.settled(rev)
    assert len(shown.widget.state["path"]) == 2
    for label in ("Back", "Back"):
        rev = shown.rev
        shown.root.get_by_role("button", name=label).press("Enter")
        shown.settled(rev)
    rev = shown.rev
    rows(shown).nth(1).locator("button").click()
    shown.settled(rev)
    tree = shown.root.locator(".gw-branches")
    assert tree.locator("button").count() == 3  # two roads from the prompt, one of them longer
    assert tree.locator("[aria-current=step]").count() == 1
    rev = shown.rev
    tree.locator("button").nth(1).click()
    shown.settled(rev)
    assert len(shown.widget.state["path"]) == 2
    keep_screenshot(shown.page, "studio-light", ".gw-root")
    shown.page.emulate_media(color_scheme="dark")
    keep_screenshot(shown.page, "studio-dark", ".gw-root")
    rev = shown.rev
    shown.root.get_by_role("button", name="From the prompt").click()
    shown.settled(rev)
    assert shown.widget.state["path"] == []


def test_a_new_prompt_begins_anew_and_a_wrong_one_is_said(shown):
    rev = shown.rev
    rows(shown).first.locator("button").click()
    shown.settled(rev)
    shown.control("Prompt").fill("the mat")
    shown.settled(shown.rev)
    assert shown.widget.state["prompt"] == "the mat"
    assert shown.root.locator(".gw-tree button").count() == 0
    shown.control("Prompt").fill("")
    shown.root.get_by_role("alert").filter(has_text="empty").wait_for()
    shown.control("Prompt").fill("cat " * 200)
    shown.root.get_by_role("alert").filter(has_text="32 can be shown").wait_for()
    assert rows(shown).count() > 0
