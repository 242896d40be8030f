"""AdamW and clipping against torch's own, in both ways of computing them."""

import pytest
import torch

from gptlib import fastpath
from gptlib.training import AdamW, TrainingConfig, optimizer
from gptlib.training.optimizer import adamw, clip_gradients

from .children import small_model

CONFIG = TrainingConfig(steps=1, weight_decay=0.3, beta1=0.8, beta2=0.9, epsilon=1e-6)


def torch_adamw(model, **options):
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.3}, {"params": vectors, "weight_decay": 0.0}],
        betas=(0.8, 0.9),
        eps=1e-6,
        **options,
    )


def steps_of(ours, theirs, mine, reference):
    """Twenty steps of both on gradients of very different sizes, and learning rates that change."""
    for step in range(1, 21):
        for p, q in zip(mine.parameters(), reference.parameters(), strict=True):
            p.grad = torch.randn_like(p) * 10.0 ** (step % 5 - 3)
            q.grad = p.grad.clone()
        lr = 0.01 * (step % 4)
        ours.step(lr)
        for group in theirs.param_groups:
            group["lr"] = lr
        theirs.step()


def test_the_fused_kernel_gives_the_bits_of_torch_fused():
    assert fastpath.has_fused_adamw("cpu")  # torch is pinned, so this one has the kernel
    mine, reference = small_model(), small_model()
    steps_of(AdamW(mine, CONFIG), torch_adamw(reference, fused=True), mine, reference)
    for p, q in zip(mine.parameters(), reference.parameters(), strict=True):
        assert torch.equal(p, q)


def test_the_plain_way_gives_torchs_numbers(monkeypatch):
    monkeypatch.setattr(optimizer, "has_fused_adamw", lambda device_type: False)
    monkeypatch.setattr(optimizer, "fused_adamw", None)
    mine, reference = small_model().double(), small_model().double()
    steps_of(AdamW(mine, CONFIG), torch_adamw(reference, foreach=False), mine, reference)
    for p, q in zip(mine.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-14)


def test_both_ways_agree():
    results = []
    for update in (fastpath.fused_adamw, adamw):
        torch.manual_seed(0)
        tensors = [[torch.randn(5, 7), torch.randn(3)] for _ in range(2)]
        moments = [[torch.zeros(5, 7), torch.zeros(3)] for _ in range(2)]
        for steps in range(1, 6):
            update(*tensors, *moments, steps=steps, lr=0.1, beta1=0.9, beta2=0.95,
                   weight_decay=0.1, epsilon=1e-8)  # fmt: skip
        results.append([*tensors[0], *moments[0], *moments[1]])
    for fused, plain in zip(*results, strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-6)


def wrong(*tensors, **settings):
    """A kernel that runs and computes something else, as a changed private call might."""
    tensors[0][0].add_(1.0)


def absent(*tensors, **settings):
    raise AttributeError("module 'torch' has no attribute '_fused_adamw_'")


@pytest.mark.parametrize("kernel", [wrong, absent])
def test_a_kernel_that_is_absent_or_wrong_is_not_used(monkeypatch, kernel):
    monkeypatch.setattr(fastpath, "fused_adamw", kernel)
    assert not fastpath.has_fused_adamw.__wrapped__("cpu")


def test_only_matrices_decay():
    model = small_model()
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    AdamW(model, CONFIG).step(lr=0.5)
    for name, p in model.named_parameters():
        assert torch.allclose(p, before[name] * (1 - 0.5 * 0.3 if p.ndim == 2 else 1)), name


def test_frozen_parameters_and_those_without_gradient_stay():
    model = small_model()
    frozen = model.transformer.wte.weight.requires_grad_(False)
    without = model.transformer.wpe.weight
    before = frozen.clone(), without.detach().clone()
    adam = AdamW(model, CONFIG)
    for p in model.parameters():
        p.grad = None if p is without else torch.ones_like(p)
    adam.step(lr=0.5)
    assert torch.equal(frozen, before[0])
    assert torch.equal(without, before[1])
    assert "first.transformer.wte.weight" not in adam.state_dict()


def test_a_model_with_nothing_to_train_is_refused():
    with pytest.raises(ValueError, match="no parameter of the model wants a gradient"):
        AdamW(small_model().requires_grad_(False), CONFIG)


@pytest.mark.parametrize("longest", [None, 0.5, 1e6])
def test_clipping_is_torchs(longest):
    mine, reference = ([torch.nn.Parameter(torch.ones(4, 3)) for _ in range(3)] for _ in range(2))
    for p, q in zip(mine, reference, strict=True):
        p.grad = torch.randn(4, 3)
        q.grad = p.grad.clone()
    norm = clip_gradients(mine, longest)
    expected = torch.nn.utils.clip_grad_norm_(reference, longest or float("inf"))
    assert norm == pytest.approx(expected.item())
    for p, q in zip(mine, reference, strict=True):
        torch.testing.assert_close(p.grad, q.grad)
