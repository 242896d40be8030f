"""axe-core, the usual judge of accessible pages, finds nothing serious in any widget."""

import pytest
import torch

from gptlib import GPT, GPTConfig, TrainingConfig, train, widgets
from gptlib.tokenizer import Tokenizer

from .plain_page import PlainPage

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

TEXT = "the cat sat on the mat"
SERIOUS = {"serious", "critical"}


def subject():
    torch.manual_seed(1)
    tokenizer = Tokenizer.train(TEXT * 3, vocab_size=280)
    model = GPT(GPTConfig(n_layer=2, n_head=2, n_embd=16, n_positions=32, vocab_size=280))
    return model, tokenizer


def monitor():
    made = widgets.TrainingMonitor(floor=1.0, sample=lambda model: "once")
    idx = torch.arange(8)[None]
    config = TrainingConfig(steps=5, validate_every=2)
    train(subject()[0], iter([(idx, idx)] * 5), config, validation=[(idx, idx)], callbacks=[made])
    return made


WIDGETS = {
    "attention": lambda: widgets.AttentionExplorer(*subject(), TEXT),
    "two models": lambda: widgets.AttentionExplorer(
        {"one": subject()[0], "other": subject()[0]}, subject()[1], TEXT
    ),
    "a problem": lambda: widgets.AttentionExplorer(torch.nn.Linear(2, 2), subject()[1]),
    "devices": lambda: widgets.DeviceSwitch(seconds=0.001),
    "positions": widgets.PositionViewer,
    "residual": lambda: widgets.ResidualWalk(*subject(), TEXT),
    "sampling": lambda: widgets.SamplingStudio(*subject(), TEXT, top_k=4),
    "stories": widgets.StoryViewer,
    "tokens": lambda: widgets.TokenizerMicroscope(subject()[1], TEXT),
    "training": monitor,
}


@pytest.mark.parametrize("name", WIDGETS)
def test_no_serious_violation_in_light_and_dark(page, name):
    shown = PlainPage(page, WIDGETS[name]())
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        shown.settled()
        found = axe.Axe().run(page, context=".gw-root").response["violations"]
        assert [
            f"{scheme}: {one['id']}: {one['nodes'][0]['html'][:120]}"
            for one in found
            if one["impact"] in SERIOUS
        ] == []


def test_a_violation_would_be_found(page):
    page.set_content('<div class="gw-root"><button></button><input type="range"></div>')
    found = axe.Axe().run(page, context=".gw-root").response["violations"]
    assert {"button-name", "label"} <= {one["id"] for one in found}
