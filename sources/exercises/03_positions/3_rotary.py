"""03.3: rotary positions."""

import torch

from gptlib import positions
from tools.exercises import Check, Exercise, call, edit, written


def rotary(x, position_ids):
    """Turn each pair (x[2i], x[2i+1]) by the angle position * w_i, with w_i = 10000^(-2i/D).

    x (B, H, T, D) queries or keys, position_ids (B, T) -> (B, H, T, D), of the dtype of x
    """
    speeds = 10_000.0 ** (-torch.arange(0, x.shape[-1], 2) / x.shape[-1])  # (D/2,)
    angles = position_ids[:, None, :, None] * speeds  # (B, 1, T, D/2)
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return turned.flatten(-2)


def one_pair(draw):
    H, T = draw.sizes(2)
    return call(draw.normal(1, H, T, 2), torch.arange(T)[None])


def several_pairs(draw):
    B, H, T, half = draw.sizes(4)
    return call(draw.normal(B, H, T, 2 * half), torch.arange(T).repeat(B, 1))


def own_positions(draw):
    B, H, T, half = draw.sizes(4)
    ids = 10 + draw.integers(B, T, below=300)
    return call(draw.normal(B, H, T, 2 * half), ids)


def gradients(draw):
    B, H, T, half = draw.sizes(4)
    return call(draw.normal(B, H, T, 2 * half), draw.integers(B, T, below=20), gradient=True)


def angles_of(x, position_ids):
    return position_ids[:, None, :, None] * positions.frequencies(x.shape[-1])


def pairs_across_halves(x, position_ids):
    angles = angles_of(x, position_ids)
    cos, sin = angles.cos(), angles.sin()
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, a * sin + b * cos], dim=-1)


def left_in_halves(x, position_ids):
    out = positions.rotary(x, position_ids)
    return torch.cat([out[..., 0::2], out[..., 1::2]], dim=-1)


def two_conventions(x, position_ids):
    angles = angles_of(x, position_ids)
    cos, sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)
    beside = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2)
    return x * cos + beside * sin


def written_over(x, position_ids):
    angles = angles_of(x, position_ids)
    cos, sin = angles.cos(), angles.sin()
    even = x[..., 0::2] * cos - x[..., 1::2] * sin
    odd = even * sin + x[..., 1::2] * cos
    return torch.stack([even, odd], dim=-1).flatten(-2)


def added(x, position_ids):
    return x + positions.sinusoidal(position_ids, x.shape[-1])[:, None]


def always_from_zero(x, position_ids):
    return positions.rotary(x, torch.arange(x.shape[2])[None])


def first_row_for_all(x, position_ids):
    return positions.rotary(x, position_ids[:1])


def along_the_heads(x, position_ids):
    ids = torch.arange(x.shape[1])[None, :, None, None]
    angles = ids * positions.frequencies(x.shape[-1])
    cos, sin = angles.cos(), angles.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)


def by_complex_numbers(x, position_ids):
    angles = angles_of(x, position_ids).to(x.dtype)
    plane = torch.view_as_complex(x.unflatten(-1, (-1, 2)).contiguous())
    return torch.view_as_real(plane * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def by_matrices(x, position_ids):
    angles = position_ids[..., None] / 10_000 ** (torch.arange(0, x.shape[-1], 2) / x.shape[-1])
    c, s = angles.cos().to(x.dtype), angles.sin().to(x.dtype)  # (B, T, D/2)
    R = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)
    pairs = x.unflatten(-1, (-1, 2))
    return torch.einsum("btpij,bhtpj->bhtpi", R, pairs).flatten(-2)


def by_turned_copy(x, position_ids):
    angles = angles_of(x, position_ids).repeat_interleave(2, dim=-1)
    beside = torch.stack([-x[..., 1::2], x[..., 0::2]], dim=-1).flatten(-2)
    return x * angles.cos() + beside * angles.sin()


EXERCISE = Exercise(
    title="Rotary positions",
    trains="pairs of dimensions, broadcasting",
    minutes=30,
    level="medium",
    section="03.5",
    solution=rotary,
    checks=[
        Check(
            "One pair",
            5,
            "With D = 2 every vector is turned by its position in radians: (1, 0) at position 1 "
            "becomes the cosine and the sine of 1. Which way round do you turn?",
            one_pair,
        ),
        Check(
            "Several pairs",
            7,
            "Neighbours make a pair and stay where they stand; pair i turns at speed w_i. All "
            "heads turn alike, all positions differently.",
            several_pairs,
        ),
        Check(
            "Each row has its own positions",
            5,
            "The angle comes from `position_ids`: rows that were padded on the left, or go on "
            "after a cache, don't start at 0.",
            own_positions,
        ),
        Check(
            "Gradients find their way",
            3,
            "Both entries of a turned pair depend on both entries of `x`.",
            gradients,
        ),
    ],
    hints=[
        "At which angle does the pair 2, 3 of the token at position 5 turn? Which axes of `x` does "
        "that depend on, and which not?",
        "Angles are positions times speeds, (B, 1, T, D/2): the 1 is for the heads. Take the even "
        "and the odd entries of `x`, turn each pair by [[cos, -sin], [sin, cos]], and let the two "
        "results alternate again.",
        "`even, odd = x[..., 0::2], x[..., 1::2]`. The new even entries are `even * cos - odd * "
        "sin`, the new odd ones `even * sin + odd * cos`. `torch.stack(..., dim=-1).flatten(-2)` "
        "lets them alternate.",
    ],
    wrong=[
        written(
            pairs_across_halves,
            says="You pair dimension i with i + D/2, as Llama does. Here neighbours are paired.",
        ),
        written(
            left_in_halves,
            says="The pairs are turned well, but you return all first entries, then all second "
            "ones. Let them alternate.",
        ),
        written(
            two_conventions,
            says="You mix two conventions: neighbours are paired, but the angles are laid out for "
            "halves. Repeat each angle twice in a row.",
        ),
        edit(
            "[even * cos - odd * sin, even * sin + odd * cos]",
            "[even * cos + odd * sin, odd * cos - even * sin]",
            "You turn the other way: by minus the angle. The minus belongs to the first entry.",
        ),
        edit(
            "even * cos - odd * sin",
            "even * cos + odd * sin",
            "Both of your signs are plus: that is no rotation, and vectors change their length.",
        ),
        edit(
            "[even * cos - odd * sin, even * sin + odd * cos]",
            "[even * cos, odd * cos]",
            "You multiply by the cosine alone. The other entry of the pair comes in by the sine.",
        ),
        written(
            written_over,
            says="Your second entry is computed from the first one *after* it was turned. Keep the "
            "old one.",
        ),
        written(
            added, says="You add the sinusoidal table. Rotary positions turn, and add nothing."
        ),
        written(always_from_zero, says="You count from 0, whatever `position_ids` says."),
        written(
            first_row_for_all, says="You turn all sequences by the positions of the first one."
        ),
        written(along_the_heads, says="You turn by the number of the head, not of the token."),
        edit(
            "position_ids[:, None, :, None]",
            "(position_ids[:, None, :, None] + 1)",
            "You count positions from 1. A vector at position 0 is not turned.",
        ),
        edit(
            "torch.arange(0, x.shape[-1], 2)",
            "torch.arange(x.shape[-1] // 2)",
            "Your exponent is i/D. It is 2i/D, as in the sinusoidal table.",
        ),
        edit(
            "[:, None, :, None] * speeds",
            "[:, None, :, None] * torch.ones_like(speeds)",
            "All your pairs turn at speed 1. Each has a speed of its own.",
        ),
        edit(
            "(-torch.arange",
            "(torch.arange",
            "Your speeds grow from pair to pair. The exponent is negative.",
        ),
        edit(
            "return turned.flatten(-2)",
            "return turned.detach().flatten(-2)",
            "The numbers are right, but the gradients are cut off.",
        ),
    ],
    right=[written(by_complex_numbers), written(by_matrices), written(by_turned_copy)],
    survivors={"x[..., ::2]": "a slice begins at 0 where nothing is said"},
    # Speeds may be made in float32, and at position 300 an angle then has 4 digits.
    tolerance={"float32": 2e-4, "float64": 2e-4},
)
