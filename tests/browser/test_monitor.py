"""The training monitor in a browser."""

import pytest
import torch

from gptlib import GPT, GPTConfig, TrainingConfig, train
from gptlib.widgets import TrainingMonitor

from .chromium import keep_screenshot
from .plain_page import PlainPage


def batches():
    generator = torch.Generator().manual_seed(0)
    while True:
        starts = torch.randint(20, (8, 1), generator=generator)
        rows = (starts + torch.arange(9)) % 20
        yield rows[:, :-1], rows[:, 1:]


def begin(monitor, steps=60, **more):
    torch.manual_seed(0)
    model = GPT(GPTConfig(n_layer=1, n_head=1, n_embd=16, n_positions=8, vocab_size=20))
    config = TrainingConfig(steps=steps, lr=1e-2, validate_every=10)
    validation = [next(batches())]
    return train(model, batches(), config, validation=validation, callbacks=[monitor], **more)


def test_before_training_it_says_how_to_begin(page):
    shown = PlainPage(page, TrainingMonitor())
    assert "train(callbacks=[...])" in shown.root.get_by_role("status").inner_text()
    assert shown.root.get_by_role("button", name="Stop").is_disabled()
    assert shown.root.locator("canvas").is_hidden()


def test_the_curves_of_a_training(page):
    monitor = TrainingMonitor(floor=0.0, sample=lambda model: "one two three", sample_every=20)
    shown = PlainPage(page, monitor)
    history = begin(monitor)
    shown.push()
    text = shown.root.get_by_role("status").inner_text()
    assert "step 60 of 60" in text
    assert f"validation {history.validation_loss[-1]:.3f}" in text
    assert "above the floor" in text
    assert "finished after" in text
    assert shown.root.locator(".gw-samples li").count() == 3
    shown.changes("canvas", lambda: page.emulate_media(color_scheme="dark"))
    keep_screenshot(page, "monitor-dark", ".gw-root")
    page.emulate_media(color_scheme="light")
    shown.settled()
    keep_screenshot(page, "monitor-light", ".gw-root")


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_the_stop_button(page, by):
    """Pressed in the middle of a training: it ends after that step."""
    monitor = TrainingMonitor(every_seconds=0)
    shown = PlainPage(page, monitor)

    class Person(TrainingMonitor):
        def on_step(self, run):
            if run.step == 5:
                shown.push()
                button = shown.root.get_by_role("button", name="Stop")
                button.click() if by == "mouse" else button.press("Enter")
                shown.settled(shown.rev - 1)

    torch.manual_seed(0)
    model = GPT(GPTConfig(n_layer=1, n_head=1, n_embd=16, n_positions=8, vocab_size=20))
    config = TrainingConfig(steps=1000)
    history = train(model, batches(), config, callbacks=[Person(), monitor])
    assert history.stopped == "stopped by hand"
    assert len(history.step) <= 6
    shown.push()
    assert "stopped by hand" in shown.root.get_by_role("status").inner_text()
