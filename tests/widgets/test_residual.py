"""The residual stream walk: the parts add up to what the model says."""

import pytest
import torch

from gptlib.widgets import ResidualWalk
from gptlib.widgets.residual.walk import Walker

TEXT = "the cat sat on the mat"


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_the_contributions_sum_to_the_logit(make_model, tokenizer, positions):
    model = make_model(positions=positions)
    with torch.no_grad():  # a fresh model's LayerNorm has no scale and no bias to get wrong
        model.transformer.ln_f.weight.uniform_(0.5, 1.5)
        model.transformer.ln_f.bias.uniform_(-1, 1)
        logits = model(torch.tensor([tokenizer.encode(TEXT)]))[0]
    walker = Walker(model, tokenizer)
    for position in (0, 3, 5):
        walk = walker.walk(TEXT, position)
        assert walk.target == int(logits[position].argmax())
        assert walk.logit == pytest.approx(float(logits[position].max()), rel=1e-4)
        other = walker.walk(TEXT, position, target=5)
        assert other.logit == pytest.approx(float(logits[position, 5]), rel=1e-3, abs=1e-4)
        best = logits[position].softmax(-1).topk(6)
        assert [id for id, _ in walk.likeliest] == best.indices.tolist()


def test_lengths_are_those_of_the_stream(make_model, tokenizer):
    model = make_model()
    seen = []
    for block in model.transformer.h:
        block.register_forward_hook(lambda module, inputs, out: seen.append(out[0, -1]))
    walk = Walker(model, tokenizer).walk(TEXT)
    assert [step.name for step in walk.steps[:3]] == ["embedding", "attention 0", "MLP 0"]
    after = [step.stream for step in walk.steps if step.name.startswith("MLP")]
    assert after == pytest.approx([float(out.norm()) for out in seen], rel=1e-5)
    assert all(-1 <= step.along <= 1 for step in walk.steps)
    assert walk.steps[0].along == 0


def test_a_branch_without_weights_adds_nothing(make_model, tokenizer):
    model = make_model()
    with torch.no_grad():
        for parameter in model.transformer.h[1].mlp.parameters():
            parameter.zero_()
    step = Walker(model, tokenizer).walk(TEXT).steps[4]
    assert step.name == "MLP 1"
    assert (step.added, step.logit) == (0, 0)


def test_the_widget(make_model, tokenizer):
    widget = ResidualWalk(make_model(), tokenizer, TEXT)
    assert len(widget.state["steps"]) == 7
    widget.ask({"position": 0, "target": 3})
    assert (widget.state["position"], widget.state["target"]) == (0, 3)
    before = widget.state
    for question, says in (
        ({"text": ""}, "empty"),
        ({"text": "cat " * 10_000}, "48 can be shown"),
        ({"target": 10**6}, "target=1000000: the model has"),
    ):
        widget.ask(question)
        assert says in widget.problem
        assert widget.state == before
    assert "not a Linear" in ResidualWalk(torch.nn.Linear(2, 2), tokenizer).problem
    assert "through 3 blocks" in widget.describe()
    data, _ = ResidualWalk(make_model(), tokenizer, TEXT)._repr_mimebundle_()
    assert data["image/png"]
