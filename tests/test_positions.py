"""Position schemes against transformers' own, and the properties they exist for."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.models.bloom.modeling_bloom import build_alibi_tensor
from transformers.models.gptj.modeling_gptj import apply_rotary_pos_emb, create_sinusoidal_positions

from gptlib.positions import alibi_bias, alibi_slopes, frequencies, rotary, sinusoidal


def test_sinusoidal_alternates_sine_and_cosine():
    table = sinusoidal(torch.arange(50), 8)
    for t in (0, 1, 49):
        for i in range(4):
            angle = t / 10_000 ** (2 * i / 8)
            assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


@given(st.integers(0, 500), st.integers(-200, 200))
def test_sinusoidal_shift_is_one_rotation_for_all_positions(position, shift):
    w = frequencies(16).double()
    start, end = (
        sinusoidal(torch.tensor([p]), 16)[0].double().reshape(8, 2)
        for p in (position, position + shift)
    )
    cos, sin = (w * shift).cos(), (w * shift).sin()
    turned = torch.stack(
        [start[:, 0] * cos + start[:, 1] * sin, start[:, 1] * cos - start[:, 0] * sin], dim=-1
    )
    torch.testing.assert_close(turned, end, atol=1e-3, rtol=0)


def test_rotary_equals_gptj():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 9, 8)
    position_ids = torch.stack([torch.arange(9), torch.arange(5, 14)])
    sin, cos = create_sinusoidal_positions(20, 8)[position_ids].split(4, dim=-1)
    theirs = apply_rotary_pos_emb(x.transpose(1, 2), sin, cos).transpose(1, 2)
    torch.testing.assert_close(rotary(x, position_ids), theirs, atol=1e-5, rtol=1e-5)


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 100))
def test_rotary_scores_depend_on_distance_alone(m, n, shift):
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 8, generator=generator)

    def score(m, n):
        at = torch.tensor([[m]]), torch.tensor([[n]])
        return (rotary(q, at[0]) * rotary(k, at[1])).sum()

    torch.testing.assert_close(score(m, n), score(m + shift, n + shift), atol=1e-3, rtol=1e-3)


def test_rotary_keeps_lengths_and_position_zero():
    x = torch.randn(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    turned = rotary(x, torch.arange(5)[None])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    torch.testing.assert_close(turned[:, :, 0], x[:, :, 0])


@pytest.mark.parametrize("n_head", [1, 2, 3, 6, 8, 12, 16, 25])
def test_alibi_equals_bloom_up_to_what_softmax_ignores(n_head):
    T = 7
    theirs = build_alibi_tensor(torch.ones(1, T), n_head, torch.float32).view(n_head, 1, T)
    ours = alibi_bias(n_head, 0, T, T)
    constant_per_row = ours - theirs
    torch.testing.assert_close(
        constant_per_row, constant_per_row[:, :, :1].expand_as(ours), atol=1e-5, rtol=0
    )


def test_alibi_is_zero_on_the_diagonal_and_falls_with_distance():
    bias = alibi_bias(4, query_start=3, n_query=2, n_key=5)
    assert bias.shape == (4, 2, 5)
    assert torch.equal(bias[:, 0, 3], torch.zeros(4))
    assert torch.equal(bias[:, 1, 4], torch.zeros(4))
    torch.testing.assert_close(bias[:, 1, 0], -4 * alibi_slopes(4))


def test_odd_dimension_is_refused():
    with pytest.raises(ValueError, match="dim=7"):
        frequencies(7)
