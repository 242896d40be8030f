"""Widgets while a cell runs: the monitor's button is heard, the others wait for the end."""

import re

import pytest

from .jupyterlab import KERNEL, RUN, open_notebook, write_notebook

pytestmark = pytest.mark.slow

CELLS = (
    """
import torch
from gptlib import GPT, GPTConfig, TrainingConfig, train
from gptlib.tokenizer import Tokenizer
from gptlib.widgets import AttentionExplorer, TrainingMonitor

torch.manual_seed(0)
tokenizer = Tokenizer.train("the cat sat on the mat. " * 3, vocab_size=270)
model = GPT(GPTConfig(n_layer=1, n_head=1, n_embd=16, n_positions=16, vocab_size=270))
ids = torch.tensor(tokenizer.encode("the cat sat on the mat. " * 4)[:17])

def batches():
    while True:
        yield ids[None, :16], ids[None, 1:17]
""".strip(),
    'explorer = AttentionExplorer(model, tokenizer, "the cat")\nexplorer',
    "history = train(model, batches(), TrainingConfig(steps=10**7),"
    " callbacks=[TrainingMonitor()])\n"
    "print(history.stopped, history.step[-1] > 3, explorer.state['text'])",
)


def test_the_stop_button_ends_the_cell_and_a_question_waits_for_it(lab_page, lab):
    write_notebook(lab, "monitor.ipynb", CELLS)
    open_notebook(lab_page, "monitor.ipynb")
    lab_page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    status = lab_page.get_by_role("status").filter(has_text="tokens/s")
    status.wait_for(timeout=RUN)
    text = status.inner_text()
    lab_page.wait_for_function(
        "(text) => document.querySelector('.gw-training [role=status]').textContent !== text",
        arg=text,
    )
    lab_page.get_by_label("Text to read").fill("the mat")  # asked in the middle of training
    button = lab_page.get_by_role("button", name="Stop after this step")
    button.click()
    lab_page.wait_for_function(f"{KERNEL}.status === 'idle'")
    lab_page.locator("[role=status]", has_text=re.compile("(interrupted|by hand) after")).wait_for()
    output = lab_page.locator(".jp-OutputArea-output pre").last
    # The training saw no explorer's question: it was answered when the cell had ended.
    assert re.fullmatch("(interrupted|stopped by hand) True the cat", output.inner_text().strip())
    lab_page.locator(".gw-attention").get_by_text("Next after “·mat”").wait_for()
    assert button.is_disabled()
