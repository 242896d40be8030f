"""03.1: sines and cosines of any positions."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def sinusoidal(position_ids, n_embd):
    """The rows of the sinusoidal table at the given positions.

    position_ids (...), whole numbers in any order -> (..., n_embd), float32; n_embd is even.
    """
    speeds = 10_000.0 ** (-torch.arange(0, n_embd, 2) / n_embd)  # (C/2,)
    angles = position_ids[..., None] * speeds  # (..., C/2)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


# The inputs that each check draws.


def from_zero(draw):
    return call(torch.arange(draw.integer(4, 7)), 2 * draw.integer(3, 6))


def anywhere(draw):
    shape, width = draw.sizes(2), 2 * draw.integer(3, 6)
    return call(draw.integers(*shape, below=50), width), call(torch.tensor(7), width)


def far(draw):
    positions = 500 + draw.integers(draw.integer(3, 5), below=500)
    return call(positions, 2 * draw.integer(3, 6))


def one_hand(draw):
    return call(5 + draw.integers(draw.integer(3, 5), below=40), 2)


# Wrong answers that are no small change of the reference.


def angles_of(position_ids, n_embd):
    return position_ids[..., None] * 10_000 ** (-torch.arange(0, n_embd, 2) / n_embd)


def halves(position_ids, n_embd):
    angles = angles_of(position_ids, n_embd)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


def each_its_own_speed(position_ids, n_embd):
    j = torch.arange(n_embd)
    angles = position_ids[..., None] * 10_000 ** (-j / n_embd)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())


def each_its_own_speed_doubled(position_ids, n_embd):
    j = torch.arange(n_embd)
    angles = position_ids[..., None] * 10_000 ** (-2 * j / n_embd)
    return torch.where(j % 2 == 0, angles.sin(), angles.cos())


def product(position_ids, n_embd):
    columns = torch.arange(n_embd) / 10
    return (position_ids[..., None] / 10).sin() * columns.cos()


def always_from_zero(position_ids, n_embd):
    n = position_ids.shape[-1] if position_ids.dim() else 1
    table = sinusoidal(torch.arange(n), n_embd)
    return table.expand(*position_ids.shape, n_embd) if position_ids.dim() else table[0]


def ends_at_the_base(position_ids, n_embd):
    steps = torch.arange(n_embd // 2) / max(n_embd // 2 - 1, 1)
    angles = position_ids[..., None] * 10_000**-steps
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)


# Other right answers.


def by_loops(position_ids, n_embd):
    rows = []
    for t in position_ids.flatten().tolist():
        for i in range(n_embd // 2):
            angle = t / 10_000 ** (2 * i / n_embd)
            rows += [math.sin(angle), math.cos(angle)]
    return torch.tensor(rows).view(*position_ids.shape, n_embd)


def by_filling(position_ids, n_embd):
    speeds = torch.exp(-math.log(10_000) * torch.arange(0, n_embd, 2).float() / n_embd)
    table = torch.zeros(*position_ids.shape, n_embd)
    table[..., 0::2] = torch.sin(position_ids.unsqueeze(-1).float() * speeds)
    table[..., 1::2] = torch.cos(position_ids.unsqueeze(-1).float() * speeds)
    return table


STACKED = "torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)"

EXERCISE = Exercise(
    title="The sinusoidal table",
    trains="indexing by a formula",
    minutes=15,
    level="easy",
    section="03.2",
    solution=sinusoidal,
    checks=[
        Check(
            "Positions from 0 on",
            6,
            "Compute row 0 and row 1 on paper for a width of 4, and compare. Which dimensions "
            "share a speed, and which of the two is the sine?",
            from_zero,
        ),
        Check(
            "Any positions",
            4,
            "Positions come in any shape and order, even a single number without dimensions. Each "
            "of them becomes one row: the shape only grows by a last dimension.",
            anywhere,
        ),
        Check(
            "Far positions",
            4,
            "Hundreds of steps on, a small error in a speed has become a large one in the angle. "
            "Is the exponent exact?",
            far,
        ),
        Check(
            "A single hand",
            3,
            "Two dimensions are one hand: sine and cosine of the position itself.",
            one_hand,
        ),
    ],
    hints=[
        "Write the first row of exponents, 2i/C, for C = 6. How many are there, and which one "
        "belongs to dimension 3?",
        "One speed for each *pair* of dimensions: `torch.arange(0, n_embd, 2)` counts 2i. Multiply "
        "each position by each speed: a new last dimension broadcasts. Then let sine and cosine "
        "alternate: `stack` them along a new last dimension, and `flatten` it away.",
        "`angles = position_ids[..., None] * speeds` has a shape of (..., C/2). Then "
        "`torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)`.",
    ],
    wrong=[
        written(
            halves,
            says="All your sines come first, then all cosines. In the paper they alternate.",
        ),
        edit(
            "[angles.sin(), angles.cos()]",
            "[angles.cos(), angles.sin()]",
            "Sine and cosine are swapped: the sine stands in the even dimensions.",
        ),
        edit(
            "[angles.sin(), angles.cos()]",
            "[angles.sin(), angles.sin()]",
            "You write the sine twice. Its partner is the cosine of the same angle.",
        ),
        edit(
            "torch.arange(0, n_embd, 2)",
            "torch.arange(n_embd // 2)",
            "Your exponent is i/C. It is 2i/C, so that the last hand is almost 10000 times slower.",
        ),
        written(
            each_its_own_speed,
            says="Your odd dimensions have speeds of their own. Dimension 2i + 1 shares its speed "
            "with dimension 2i.",
        ),
        written(
            each_its_own_speed_doubled,
            says="You use the number of the dimension as i. Two neighbours share one i.",
        ),
        edit(
            "position_ids[..., None]",
            "(position_ids[..., None] + 1)",
            "You count positions from 1. Position 0 is (0, 1, 0, 1, ...).",
        ),
        written(always_from_zero, says="You count from 0, whatever the given positions are."),
        edit(
            "(-torch.arange",
            "(torch.arange",
            "Your speeds grow from pair to pair. The exponent is negative.",
        ),
        edit("10_000.0", "1_000.0", "Your base is 1000. In the paper it is 10000."),
        edit(
            "angles = position_ids",
            "angles = 2 * torch.pi * position_ids",
            "You turn by whole circles. The angle is position times speed, in radians.",
        ),
        edit(
            STACKED,
            STACKED.replace("angles.", "angles.deg2rad()."),
            "You take the angles for degrees. They are radians.",
        ),
        written(
            ends_at_the_base,
            says="Your slowest hand has speed 1/10000: you divide by C/2 - 1. The paper divides by "
            "C/2, so its slowest hand is a bit faster.",
        ),
        written(
            product,
            says="This is the product formula that 03.3 rejects: position and dimension never "
            "meet under one sine.",
        ),
    ],
    right=[written(by_loops), written(by_filling)],
    # At position 1000 an angle has 4 of float32's 7 digits behind the point.
    tolerance={"float32": 2e-4, "float64": 2e-4},
)
