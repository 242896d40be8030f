"""Muon against torch's own, and the property that it is named for."""

import pytest
import torch

from gptlib.training import Muon, TrainingConfig, train
from gptlib.training.muon import orthogonal

from .children import small_model
from .test_optimizer import torch_adamw

CONFIG = TrainingConfig(
    steps=1, optimizer="muon", weight_decay=0.3, beta1=0.8, beta2=0.9, epsilon=1e-6
)


def torch_muon(parameters):
    return torch.optim.Muon(
        parameters, weight_decay=0.3, adjust_lr_fn="match_rms_adamw", momentum=0.95
    )


def test_steps_are_those_of_torch():
    """Matrices of blocks as torch's Muon moves them, q, k and v apart; all else by its AdamW."""
    mine, reference = small_model(), small_model()
    ours = Muon(mine, CONFIG)
    pieces, of = [], {}
    for name, parameter in reference.named_parameters():
        if name in ours.hidden:
            parts = parameter.chunk(3 if "c_attn" in name else 1, 1)
            of[name] = [torch.nn.Parameter(part.detach().clone()) for part in parts]
            pieces += of[name]
            parameter.requires_grad = False
    theirs, rest = torch_muon(pieces), torch_adamw(reference)
    for group in rest.param_groups:
        group["params"] = [p for p in group["params"] if p.requires_grad]
    for step in range(1, 13):
        for (name, p), q in zip(mine.named_parameters(), reference.parameters(), strict=True):
            p.grad = torch.randn_like(p) * 10.0 ** (step % 5 - 3)
            if name in of:
                for part, gradient in zip(of[name], p.grad.chunk(len(of[name]), 1), strict=True):
                    part.grad = gradient.clone()
            else:
                q.grad = p.grad.clone()
        lr = 0.01 * (step % 4)
        ours.step(lr)
        for optimizer in (theirs, rest):
            for group in optimizer.param_groups:
                group["lr"] = lr
            optimizer.step()
    assert of
    for (name, p), q in zip(mine.named_parameters(), reference.named_parameters(), strict=True):
        expected = torch.cat(list(of[name]), 1) if name in of else q[1]
        torch.testing.assert_close(p, expected, rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("shape", [(24, 24), (24, 96), (96, 24)])
def test_every_direction_becomes_about_equally_long(shape):
    torch.manual_seed(0)
    short = min(shape)  # a few long directions, most short, as gradients have
    u, _, vt = torch.linalg.svd(torch.randn(shape), full_matrices=False)
    matrix = u @ torch.diag(torch.logspace(0, -1.5, short)) @ vt
    before = torch.linalg.svdvals(matrix)
    after = torch.linalg.svdvals(orthogonal(matrix))
    assert before.max() > 10 * before.min()
    assert after.max() < 1.3
    assert (after > 0.5).double().mean() > 0.8
    assert (u.mT @ orthogonal(matrix) @ vt.mT).diagonal().min() > 0  # it keeps the directions


def test_embeddings_biases_and_scales_are_left_to_adamw():
    model = small_model()
    ours = Muon(model, CONFIG)
    assert all(".h." in name and name.endswith("weight") for name in ours.hidden)
    assert len(ours.hidden) == 4 * len(model.transformer.h)
    assert not {"transformer.wte.weight", "transformer.wpe.weight"} & set(ours.hidden)
    assert ours.second.keys() == ours.parameters.keys() - set(ours.hidden)


def test_a_model_without_blocks_is_refused():
    with pytest.raises(ValueError, match="adamw"):
        Muon(torch.nn.Linear(3, 3), CONFIG)


def test_a_run_goes_on_bit_for_bit(tmp_path):
    from gptlib.data import Batches

    def run(steps, out, resume=False):
        torch.manual_seed(1)
        model = small_model()
        tokens = torch.randint(model.config.vocab_size, (400,), generator=torch.manual_seed(2))
        batches = Batches(tokens, batch_size=2, length=8)
        config = TrainingConfig(steps=steps, optimizer="muon", schedule="constant", lr=1e-2)
        train(model, batches, config, out=tmp_path / out, resume=resume)
        return model.state_dict()

    whole = run(8, "whole")
    run(5, "parts")
    parts = run(8, "parts", resume=True)
    for name, tensor in whole.items():
        assert torch.equal(tensor, parts[name]), name
