"""Telling attention where a token stands: sinusoidal, rotary and ALiBi positions.

Learned positions, GPT-2's own, need no formula: they are an embedding table in `gptlib.model`.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor


def frequencies(dim: int, base: float = 10_000.0) -> Float[Tensor, "half"]:
    """Angular speeds in radians per position, from 1 down to nearly 1/base: base^(-2i/dim).

    Raises `ValueError` for an odd `dim`: each speed serves a pair of dimensions.
    """
    if dim % 2:
        raise ValueError(f"dim={dim}: positions by angle need an even number of dimensions")
    return base ** (-torch.arange(0, dim, 2, dtype=torch.float32) / dim)


def sinusoidal(position_ids: Int[Tensor, "*batch"], n_embd: int) -> Float[Tensor, "*batch C"]:
    """The encoding of Vaswani et al. 2017, section 3.5, for any positions.

    Sine and cosine *alternate* over the dimensions: dimension 2i holds sin(t w_i) and dimension
    2i+1 holds cos(t w_i). `sinusoidal(torch.arange(T), C)` is the table that papers draw.
    """
    angles = position_ids[..., None] * frequencies(n_embd).to(position_ids.device)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)  # (.., C/2, 2) -> (.., C)


def rotary(
    x: Float[Tensor, "B H T D"], position_ids: Int[Tensor, "#B T"]
) -> Float[Tensor, "B H T D"]:
    """Turn each pair (x[2i], x[2i+1]) by the angle position * w_i.

    Two vectors turned so have a dot product that depends on their distance alone.
    Source: Su et al. 2021 (RoFormer), equation 34, with its pairing of neighbouring dimensions.
    """
    speeds = frequencies(x.shape[-1]).to(x.device)
    angles = position_ids[:, None, :, None] * speeds  # (B, 1, T, D/2)
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(-2)  # (B, H, T, D/2, 2) -> (B, H, T, D)


def alibi_slopes(n_head: int) -> Float[Tensor, "H"]:
    """One slope per head, a geometric series from 2^(-8/n) down to 2^(-8).

    For a head count that is no power of two: the series of the next smaller power, then every
    second entry of the series twice as fine. Source: Press et al. 2022, section 3, for powers of
    two; for other counts the code that the authors released (`get_slopes`).
    """
    power = 2 ** math.floor(math.log2(n_head))
    slopes = [2.0 ** (-8 * (i + 1) / power) for i in range(power)]
    finer = [2.0 ** (-8 * (i + 1) / (2 * power)) for i in range(0, 2 * power, 2)]
    return torch.tensor(slopes + finer[: n_head - power])


def alibi_bias(n_head: int, query_start: int, n_query: int, n_key: int) -> Float[Tensor, "H Q K"]:
    """What ALiBi adds to the scores: minus slope times distance, 0 on the diagonal.

    Queries stand at positions query_start, query_start + 1, ...; keys at 0, 1, .... Entries for
    keys in a query's future are positive, and hidden by the causal mask.
    Source: Press et al. 2022, section 3.
    """
    query = torch.arange(query_start, query_start + n_query)[:, None]
    key = torch.arange(n_key)[None, :]
    return -alibi_slopes(n_head)[:, None, None] * (query - key)
