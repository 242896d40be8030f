"""The attention explorer in a browser: every control, by mouse and by keyboard."""

import re

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import AttentionExplorer
from gptlib.widgets.attention.reader import Reader, Settings

from .chromium import keep_screenshot
from .plain_page import PlainPage

TEXT = "the cat sat on the mat"
HEADS, MATRIX, MARKS, LINES = (
    ".gw-heads canvas[tabindex]",
    ".gw-matrix canvas:first-child",
    ".gw-overlay",
    ".gw-lines canvas",
)


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.train(TEXT * 3, vocab_size=280)


def make_model(tokenizer, **changes):
    torch.manual_seed(1)
    fields = {"n_layer": 3, "n_head": 2, "n_embd": 20, "n_positions": 48, **changes}
    model = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **fields)).eval()
    with torch.no_grad():
        for block in model.transformer.h:
            block.attn.c_attn.weight.mul_(12)
            block.attn.c_proj.weight.mul_(12)
    return model


@pytest.fixture
def shown(page, tokenizer):
    return PlainPage(page, AttentionExplorer(make_model(tokenizer), tokenizer, TEXT))


def detail(shown):
    return shown.root.locator(".gw-detail-text").first.inner_text()


def move(shown, *keys):
    """Press keys inside of the matrix."""
    overlay = shown.root.locator(MARKS).first
    for key in keys:
        rev = shown.rev
        overlay.press(key)
        shown.settled(rev)


def predictions(shown):
    return shown.root.get_by_label("What the model predicts next").inner_text()


@pytest.mark.parametrize("positions", ["learned", "rotary", "alibi"])
def test_the_browser_computes_the_weights_that_the_model_used(page, tokenizer, positions):
    """Cell by cell, what the page says against what the forward pass had."""
    model = make_model(tokenizer, positions=positions)
    shown = PlainPage(page, AttentionExplorer(model, tokenizer, TEXT, layer=1, head=1))
    reader = Reader(model, tokenizer)
    n = len(reader.ids(TEXT))
    changed = Settings(scaled=False, temperature=2.0, causal=False)
    for settings in (Settings(), changed):
        if settings == changed:
            shown.control("divide by").click()
            shown.control("causal mask").click()
            shown.control("temperature").fill("2")
            shown.settled(shown.rev - 1)
        weights = reader.read(TEXT, settings).weights[1, 1]
        move(shown, "ArrowDown")  # begins in the last row
        for column in reversed(range(n)):
            found = re.search(r"weight ([\d.]+)", detail(shown))
            assert float(found[1]) == pytest.approx(float(weights[n - 1, column]), abs=1e-4)
            move(shown, "ArrowLeft") if column else move(shown, "Escape")


def test_hover_says_weight_score_query_and_key(shown):
    assert "Point at a cell" in detail(shown)
    strips = shown.pixels(".gw-detail canvas")
    shown.changes(LINES, lambda: shown.root.locator(MARKS).hover(position={"x": 80, "y": 150}))
    assert re.search(r"“·sat” looks at “the”: weight 0\.\d{4}, score -?[\d.]+ = q·k", detail(shown))
    assert "/ √10" in detail(shown)
    assert shown.pixels(".gw-detail canvas") != strips
    shown.root.locator(MARKS).hover(position={"x": 200, "y": 70})
    shown.settled()
    assert "hidden by the mask" in detail(shown)


def test_the_hovered_query_lights_its_lines(shown):
    lines = shown.root.locator(LINES)
    shown.changes(LINES, lambda: lines.hover(position={"x": 20, "y": 150}))
    shown.changes(MARKS, lambda: lines.hover(position={"x": 270, "y": 100}))


def test_choosing_a_head_by_mouse_keyboard_and_list(shown):
    heads = shown.root.locator(HEADS)
    shown.changes(MATRIX, lambda: heads.click(position={"x": 60, "y": 60}))
    assert shown.root.get_by_role("heading", name="Layer 1, head 0").is_visible()
    shown.changes(MATRIX, lambda: heads.press("ArrowRight"))
    shown.changes(MATRIX, lambda: heads.press("ArrowDown"))
    assert shown.root.get_by_role("heading", name="Layer 2, head 1").is_visible()
    rev = shown.rev
    heads.press("ArrowDown")  # the edge holds
    shown.settled(rev)
    assert shown.root.get_by_role("heading", name="Layer 2, head 1").is_visible()
    shown.changes(MATRIX, lambda: shown.control("layer").first.select_option("0"))
    shown.changes(MATRIX, lambda: shown.control("head").first.select_option("0"))
    assert shown.root.get_by_role("heading", name="Layer 0, head 0").is_visible()


@pytest.mark.parametrize("label", ["causal mask", "divide by"])
def test_a_switch_changes_picture_and_prediction_and_goes_back(shown, label):
    # The first token sees itself alone: the mask is told by any other row.
    before = shown.pixels(MATRIX), predictions(shown)
    shown.changes(MATRIX, lambda: shown.control(label).click())
    assert predictions(shown) != before[1]
    shown.changes(MATRIX, lambda: shown.control(label).press(" "))
    assert (shown.pixels(MATRIX), predictions(shown)) == before
    shown.control(label).click()
    shown.settled()
    shown.root.get_by_role("button", name="As trained").click()
    shown.settled()
    assert (shown.pixels(MATRIX), predictions(shown)) == before


def test_temperature_by_keyboard(shown):
    before = predictions(shown)
    slider = shown.control("temperature")
    slider.focus()
    shown.changes(MATRIX, lambda: slider.press("ArrowRight"))
    assert slider.get_attribute("aria-valuetext") == "1.1"
    assert predictions(shown) != before
    assert shown.widget.state["settings"]["temperature"] == 1.1


def test_a_head_switched_off_and_on(shown):
    before = predictions(shown)
    heads = shown.root.locator(HEADS)
    shown.changes(HEADS, lambda: heads.press(" "))
    assert "before" in predictions(shown)
    off = predictions(shown)
    assert shown.widget.state["settings"]["off"] == [(0, 0)]
    assert not shown.control("this head is on").is_checked()
    shown.changes(HEADS, lambda: shown.control("this head is on").click())
    assert predictions(shown) == before != off
    shown.changes(HEADS, lambda: heads.dblclick(position={"x": 60, "y": 20}))
    assert shown.widget.state["settings"]["off"] == [(0, 0)]


def test_text_typed_live(shown):
    text = shown.control("Text to read")
    text.press("End")
    shown.changes(MATRIX, lambda: text.type(". the cat"))
    assert shown.widget.state["text"] == TEXT + ". the cat"
    assert "at most 48 tokens" in shown.root.inner_text()
    assert text.input_value() == TEXT + ". the cat"
    assert "Next after “·cat”" in shown.root.inner_text()


def test_what_can_not_be_read_is_said_and_the_picture_stays(shown):
    picture = shown.pixels(MATRIX)
    text, alert = shown.control("Text to read"), shown.root.get_by_role("alert")
    assert not alert.is_visible()
    for wrong, says in (("", "empty"), ("cat " * 10_000, "48 can be shown")):
        text.fill(wrong)
        shown.root.get_by_role("alert").filter(has_text=says).wait_for()
        shown.settled()
        assert shown.pixels(MATRIX) == picture
    text.fill(TEXT)
    alert.wait_for(state="hidden")
    assert shown.pixels(MATRIX) == picture


def test_an_unreadable_model_shows_its_message_alone(page, tokenizer):
    shown = PlainPage(page, AttentionExplorer(torch.nn.Linear(2, 2), tokenizer))
    assert "not a Linear" in shown.root.get_by_role("alert").inner_text()
    assert shown.root.locator(MATRIX).count() == 0


def test_the_prediction_follows_the_chosen_query_and_the_lens_has_a_row_a_layer(shown):
    before = predictions(shown)
    move(shown, "ArrowUp", "ArrowUp", "Enter")
    assert predictions(shown) != before
    assert shown.widget.state["sides"][0]["position"] == 3
    shown.root.locator(MARKS).click(position={"x": 20, "y": 80})
    shown.settled()
    assert shown.widget.state["sides"][0]["position"] == 0
    lens = shown.root.get_by_label("What each layer would predict").locator("tbody tr")
    assert lens.count() == 3


def test_stale_questions_are_dropped(shown):
    """While an answer is on its way, only the newest question waits."""
    asked = []
    answer = shown.widget.ask
    shown.widget.ask = lambda question: (asked.append(question), answer(question))
    slider = shown.control("temperature")
    slider.evaluate(
        """(input) => {
            for (let n = 0; n < 30; n++) {
                input.value = 1 + n / 10;
                input.dispatchEvent(new Event("input"));
            }
        }"""
    )
    shown.settled()
    assert len(asked) == 2
    assert shown.widget.state["settings"]["temperature"] == 3.9


def test_two_models_share_the_controls(page, tokenizer):
    models = {
        "learned": make_model(tokenizer),
        "rotary": make_model(tokenizer, positions="rotary", n_layer=2),
    }
    shown = PlainPage(page, AttentionExplorer(models, tokenizer, TEXT))
    assert [h.inner_text() for h in shown.root.locator("h3").all()] == ["learned", "rotary"]
    pictures = shown.root.locator(MATRIX)
    first, second = (pictures.nth(n).evaluate("c => c.toDataURL()") for n in (0, 1))
    assert first != second
    for _ in range(2):  # the other model has no third layer
        rev = shown.rev
        shown.root.locator(HEADS).first.press("ArrowDown")
        shown.settled(rev)
    headings = shown.root.locator(".gw-matrix h4").all_inner_texts()
    assert headings == ["Layer 2, head 0", "Layer 1, head 0"]
    keep_screenshot(page, "attention-two", ".gw-root")


def test_keys_faster_than_the_drawing_all_count(shown):
    """Two keys within one frame go two heads on."""
    rev = shown.rev
    shown.root.locator(HEADS).evaluate(
        """(canvas) => {
            for (const key of ["ArrowDown", "ArrowDown"])
                canvas.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        }"""
    )
    shown.settled(rev)
    assert shown.root.locator(".gw-matrix h4").inner_text() == "Layer 2, head 0"


def test_keys_stay_inside_of_the_widget(shown):
    shown.page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', e => heard.push(e.key)); }"
    )
    for selector in (HEADS, MARKS, "textarea", "input[type=range]"):
        shown.root.locator(selector).press("ArrowDown")
    assert shown.page.evaluate("window.heard") == []


def test_the_picture_follows_theme_and_width(shown):
    shown.changes(MATRIX, lambda: shown.page.emulate_media(color_scheme="dark"))
    shown.changes(LINES, lambda: shown.page.set_viewport_size({"width": 420, "height": 900}))
    widest = shown.page.evaluate(
        "() => Math.max(...[...document.querySelectorAll('canvas')].map("
        "c => c.getBoundingClientRect().right))"
    )
    assert widest <= 420


def test_closing_removes_the_listeners(shown):
    shown.page.evaluate("window.closeWidget()")
    rev = shown.rev
    shown.widget.ask({"text": "the mat"})
    shown.page.evaluate("window.applyState({ rev: 99 })")
    shown.page.evaluate("() => new Promise(requestAnimationFrame)")
    assert shown.rev == rev


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screenshots(shown, scheme):
    shown.page.emulate_media(color_scheme=scheme)
    shown.root.locator(MARKS).hover(position={"x": 80, "y": 150})
    shown.settled()
    keep_screenshot(shown.page, f"attention-{scheme}", ".gw-root")
