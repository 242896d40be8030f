"""The attention explorer where it is used: in JupyterLab, with a kernel behind it."""

import pytest

from .chromium import keep_screenshot
from .jupyterlab import errors, open_notebook, run_all, write_notebook

pytestmark = pytest.mark.slow

CELLS = (
    """
import torch
from gptlib import GPT, GPTConfig
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import AttentionExplorer

torch.manual_seed(1)
tokenizer = Tokenizer.train("the cat sat on the mat. the dog was happy. " * 3, vocab_size=280)
model = GPT(GPTConfig(n_layer=3, n_head=2, n_embd=20, n_positions=48, vocab_size=280)).eval()
for block in model.transformer.h:
    block.attn.c_attn.weight.data.mul_(12)
""".strip(),
    'explorer = AttentionExplorer(model, tokenizer, "the cat sat on the mat")\nexplorer',
    "explorer.state['text'], explorer.state['settings']['temperature']",
)


def settled(page, after=-1):
    page.wait_for_function(
        """(after) => {
            const root = document.querySelector(".gw-root");
            return root && root.dataset.ready === "true" && Number(root.dataset.rev) > after;
        }""",
        arg=after,
    )


@pytest.fixture
def page(lab_page):
    return lab_page


@pytest.fixture
def root(page, lab):
    write_notebook(lab, "attention.ipynb", CELLS)
    open_notebook(page, "attention.ipynb")
    assert errors(run_all(page)) == []
    settled(page)
    return page.locator(".gw-root")


def picture(root):
    return root.locator(".gw-matrix canvas").first.evaluate("(canvas) => canvas.toDataURL()")


def test_typing_switching_and_arrow_keys(page, root):
    before = picture(root)
    root.get_by_label("Text to read").press("End")
    root.get_by_label("Text to read").type(". the dog")
    root.get_by_text("Next after “·dog”").wait_for()
    settled(page)
    assert picture(root) != before

    slider, rev = root.get_by_label("temperature"), int(root.get_attribute("data-rev"))
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    settled(page, rev)
    assert slider.get_attribute("aria-valuetext") == "1.5"
    # JupyterLab has not taken the keys: the widget's cell is still the active one.
    active = "window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    heads = root.get_by_label("All heads")
    heads.click(position={"x": 40, "y": 20})
    index = page.evaluate(active)
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        heads.press(key)
    settled(page)
    assert root.get_by_role("heading", name="Layer 1, head 0").is_visible()
    assert page.evaluate(active) == index
    heads.press("d")  # twice it would delete the cell
    heads.press("d")
    count = page.evaluate("window.jupyterapp.shell.currentWidget.content.widgets.length")
    assert count == len(CELLS)


def test_python_and_screen_agree(page, root):
    """What was typed is in the kernel when a later cell asks."""
    root.get_by_label("Text to read").fill("the dog")
    root.get_by_text("Next after “·dog”").wait_for()
    page.evaluate(
        """async () => {
            const { commands, shell } = window.jupyterapp;
            shell.currentWidget.content.activeCellIndex = 2;
            await commands.execute("notebook:run-cell");
        }"""
    )
    output = page.locator(".jp-OutputArea-output pre").last
    assert output.inner_text().strip() == "('the dog', 1.0)"


def test_wrong_input_is_answered_inside_of_the_widget(page, root):
    root.get_by_label("Text to read").fill("")
    root.get_by_role("alert").filter(has_text="empty").wait_for()
    assert page.locator(".jp-RenderedText[data-mime-type*=stderr]").count() == 0


def test_dark_theme(page, root):
    rev, before = int(root.get_attribute("data-rev")), picture(root)
    page.evaluate(
        "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})"
    )
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    settled(page, rev)
    assert picture(root) != before  # names of tokens are light now
    keep_screenshot(page, "lab-attention-dark", ".gw-root")
    page.evaluate(
        "window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})"
    )
    page.wait_for_function("document.body.dataset.jpThemeLight === 'true'")
    settled(page)
    keep_screenshot(page, "lab-attention-light", ".gw-root")
