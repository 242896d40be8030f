"""Layers against torch and transformers, and their initial weights."""

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from transformers.activations import NewGELUActivation

from gptlib import GPTConfig
from gptlib.layers import MLP, Embedding, LayerNorm, Linear, gelu


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("epsilon", [1e-5, 1e-2])
def test_layer_norm_equals_torch(scale, epsilon):
    torch.manual_seed(0)
    x = torch.randn(3, 5, 24) * scale + scale
    mine, theirs = LayerNorm(24, epsilon), torch.nn.LayerNorm(24, eps=epsilon)
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        a.data = torch.randn(24)
        b.data = a.data.clone()
    torch.testing.assert_close(mine(x), theirs(x))


def test_layer_norm_is_its_formula_with_epsilon_inside_the_root():
    x = torch.tensor([[1.0, 2.0, 6.0]])
    norm = LayerNorm(3, epsilon=0.5)
    by_hand = (x - 3.0) / torch.sqrt(torch.tensor(14 / 3 + 0.5))
    torch.testing.assert_close(norm(x), by_hand)


@given(st.floats(0.1, 100), st.floats(-100, 100))
def test_layer_norm_ignores_scale_and_shift(scale, shift):
    x = torch.linspace(-1, 2, 16, dtype=torch.float64)[None] ** 3
    norm = LayerNorm(16, epsilon=1e-12).double()
    torch.testing.assert_close(norm(x * scale + shift), norm(x), atol=1e-6, rtol=1e-6)


def test_gelu_equals_transformers_gelu_new():
    x = torch.linspace(-8, 8, 2001)
    torch.testing.assert_close(gelu(x), NewGELUActivation()(x), atol=1e-6, rtol=1e-6)


def test_gelu_differs_from_the_exact_form_as_documented():
    x = torch.linspace(-8, 8, 20001, dtype=torch.float64)
    difference = (gelu(x) - torch.nn.functional.gelu(x)).abs().max().item()
    assert 4e-4 < difference < 5e-4


@pytest.mark.parametrize("n_inner", [None, 20])
def test_mlp_equals_transformers(n_inner):
    torch.manual_seed(0)
    config = GPTConfig(n_embd=12, n_head=3, n_inner=n_inner)
    theirs = transformers.models.gpt2.modeling_gpt2.GPT2MLP(
        n_inner or 48, transformers.GPT2Config(n_embd=12, n_head=3)
    ).eval()
    mine = MLP(config)
    for name in ("c_fc", "c_proj"):
        a, b = getattr(mine, name), getattr(theirs, name)
        b.weight.data = torch.randn_like(b.weight)
        b.bias.data = torch.randn_like(b.bias)
        a.weight.data, a.bias.data = b.weight.data.t(), b.bias.data
    x = torch.randn(2, 5, 12)
    torch.testing.assert_close(mine(x), theirs(x))


def test_fresh_weights_have_gpt2s_spread():
    torch.manual_seed(0)
    config = GPTConfig(n_embd=256, n_head=4, n_layer=8)
    mlp = MLP(config)
    assert mlp.c_fc.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert mlp.c_proj.weight.std().item() == pytest.approx(0.02 / 4, rel=0.02)  # sqrt(2 * 8) = 4
    assert Embedding(500, 256).weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert mlp.c_fc.bias.abs().max() == 0


def test_weights_are_drawn_once():
    torch.manual_seed(3)
    linear = Linear(6, 5)
    torch.manual_seed(3)
    assert torch.equal(linear.weight, torch.empty(5, 6).normal_(std=0.02))


def test_linear_without_bias():
    assert Linear(3, 2, bias=False).bias is None
