"""Attention: readable against fused against torch; masks; the cache."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from gptlib import GPTConfig
from gptlib.attention import (
    CausalSelfAttention,
    KVCache,
    causal_mask,
    scaled_dot_product_attention,
)

SCHEMES = ["learned", "rotary", "alibi", "none"]


def make(positions="learned", n_head=3, head_dim=4, dropout=0.0):
    torch.manual_seed(0)
    config = GPTConfig(
        n_embd=n_head * head_dim, n_head=n_head, positions=positions, dropout=dropout
    )
    attention = CausalSelfAttention(config)
    for parameter in attention.parameters():
        parameter.data.normal_(std=0.5)  # far from the timid initial weights
    return attention


sizes = st.integers(1, 6)


@given(B=sizes, Q=sizes, K=sizes, D=sizes, Dv=sizes, scale=st.sampled_from([1.0, 100.0]))
def test_readable_equals_torch(B, Q, K, D, Dv, scale):
    generator = torch.Generator().manual_seed(B * 7 + Q)
    q, k, v = (
        torch.randn(B, n, d, generator=generator, dtype=torch.float64) * scale
        for n, d in ((Q, D), (K, D), (K, Dv))
    )
    out, weights = scaled_dot_product_attention(q, k, v)
    torch.testing.assert_close(out, F.scaled_dot_product_attention(q, k, v))
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(B, Q, dtype=torch.float64))


@given(Q=sizes, past=st.integers(0, 5))
def test_causal_mask_lets_each_query_see_itself_and_what_came_before(Q, past):
    mask = causal_mask(Q, past + Q)
    for query in range(Q):
        for key in range(past + Q):
            assert mask[query, key] == (key <= past + query)


@pytest.mark.parametrize("positions", SCHEMES)
@pytest.mark.parametrize("masked", [False, True])
def test_fused_equals_readable_in_forward_and_gradient(positions, masked):
    attention = make(positions).double()  # so that only the mathematics can differ
    x = torch.randn(2, 7, 12, dtype=torch.float64)
    mask = None
    if masked:
        mask = causal_mask(7, 7).expand(2, 1, 7, 7).clone()
        mask[0, 0, 3:, 1] = False
    results = []
    for fused in (True, False):
        attention.fused = fused
        attention.zero_grad()
        leaf = x.clone().requires_grad_()
        out = attention(leaf, mask=mask)
        out.square().sum().backward()
        results.append([out, leaf.grad, *(p.grad.clone() for p in attention.parameters())])
    for fast, plain in zip(*results, strict=True):
        torch.testing.assert_close(fast, plain)


@pytest.mark.parametrize("positions", SCHEMES)
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("pieces", [[7], [1] * 7, [3, 1, 2, 1], [1, 6]])
def test_cache_gives_what_reading_at_once_gives(positions, fused, pieces):
    attention = make(positions)
    attention.fused = fused
    x = torch.randn(2, 7, 12)
    cache = KVCache(n_layer=1, n_positions=7)
    parts = []
    for piece in x.split(pieces, dim=1):
        parts.append(attention(piece, cache=cache))
        cache.length += piece.shape[1]
    torch.testing.assert_close(torch.cat(parts, dim=1), attention(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("fused", [True, False])
def test_equals_torch_multihead_attention(fused):
    attention = make(n_head=3)
    attention.fused = fused
    oracle = torch.nn.MultiheadAttention(12, 3, batch_first=True)
    oracle.in_proj_weight.data = attention.c_attn.weight.data
    oracle.in_proj_bias.data = attention.c_attn.bias.data
    oracle.out_proj.weight.data = attention.c_proj.weight.data
    oracle.out_proj.bias.data = attention.c_proj.bias.data
    x = torch.randn(2, 5, 12)
    expected, _ = oracle(x, x, x, attn_mask=~causal_mask(5, 5))  # theirs is True where hidden
    torch.testing.assert_close(attention(x), expected, atol=1e-5, rtol=1e-5)


def test_without_positions_and_mask_attention_does_not_know_order():
    attention = make("none").double()
    x = torch.randn(1, 6, 12, dtype=torch.float64)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    everywhere = torch.ones(1, 1, 6, 6, dtype=torch.bool)
    torch.testing.assert_close(
        attention(x[:, order], mask=everywhere), attention(x, mask=everywhere)[:, order]
    )
    assert not torch.allclose(attention(x[:, order]), attention(x)[:, order])


def test_watching_the_weights_takes_the_readable_path_by_itself(monkeypatch):
    attention = make()
    monkeypatch.setattr(F, "scaled_dot_product_attention", None)  # would fail if called
    seen = []
    handle = attention.hook_attn_weights.register_forward_hook(lambda m, i, o: seen.append(o))
    attention(torch.randn(1, 5, 12))
    handle.remove()
    assert torch.equal(seen[0].triu(1), torch.zeros_like(seen[0]))
    torch.testing.assert_close(seen[0].sum(-1), torch.ones(1, 3, 5))
    with pytest.raises(TypeError):
        attention(torch.randn(1, 5, 12))


@pytest.mark.parametrize("fused", [True, False])
def test_dropout_acts_in_training_only(fused):
    attention = make(dropout=0.5)
    attention.fused = fused
    x = torch.randn(1, 5, 12)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))


def test_a_full_cache_and_another_batch_are_refused():
    cache = KVCache(n_layer=1, n_positions=4)
    cache.update(0, torch.zeros(2, 1, 3, 2), torch.zeros(2, 1, 3, 2))
    with pytest.raises(ValueError, match=r"batch of 2.*batch of 1"):
        cache.update(0, torch.zeros(1, 1, 1, 2), torch.zeros(1, 1, 1, 2))
    cache.length = 3
    with pytest.raises(ValueError, match="room for 4 tokens and would hold 5"):
        cache.update(0, torch.zeros(2, 1, 2, 2), torch.zeros(2, 1, 2, 2))


def test_a_cache_follows_its_rows():
    attention = make()
    torch.manual_seed(1)
    x = torch.randn(3, 5, 12)
    rows = torch.tensor([2, 0, 0, 1])
    cache = KVCache(n_layer=1, n_positions=5)
    attention(x[:, :4], cache=cache)
    cache.length = 4
    cache.select(rows)
    newest = attention(x[rows, 4:], cache=cache)
    torch.testing.assert_close(newest, attention(x[rows])[:, 4:])
