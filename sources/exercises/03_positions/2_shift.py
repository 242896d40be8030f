"""03.2: the matrix that moves every position k further."""

import torch

from gptlib import positions
from tools.exercises import Check, Exercise, call, edit, written


def shift_matrix(k, n_embd):
    """The matrix M (C, C) for which M @ p[t] is p[t + k], for every position t.

    p[t] is row t of the sinusoidal table, C is n_embd. k may be 0 or negative. float32.
    """
    angles = k * 10_000.0 ** (-torch.arange(0, n_embd, 2) / n_embd)  # (C/2,)
    c, s = angles.cos(), angles.sin()
    blocks = torch.stack([torch.stack([c, s], -1), torch.stack([-s, c], -1)], -2)
    return torch.block_diag(*blocks)


def one_block(draw):
    return call(draw.integer(1, 6), 2), call(draw.integer(20, 40), 2)


def several_blocks(draw):
    return [call(draw.integer(1, 9), 2 * half) for half in draw.sizes(2)]


def backwards(draw):
    return call(-draw.integer(1, 9), 2 * draw.integer(2, 4)), call(0, 6)


def far(draw):
    return call(draw.integer(400, 900), 2 * draw.integer(2, 4))


def blocks_of(k, n_embd):
    angles = k * positions.frequencies(n_embd)
    c, s = angles.cos(), angles.sin()
    return torch.stack([torch.stack([c, s], -1), torch.stack([-s, c], -1)], -2)


def for_halves(k, n_embd):
    angles = k * positions.frequencies(n_embd)
    c, s = angles.cos().diag(), angles.sin().diag()
    return torch.cat([torch.cat([c, s], 1), torch.cat([-s, c], 1)])


def not_on_a_diagonal(k, n_embd):
    return blocks_of(k, n_embd)


def entries_to_the_power(k, n_embd):
    return torch.block_diag(*blocks_of(1, n_embd)) ** k


def k_times_one_step(k, n_embd):
    return torch.block_diag(*blocks_of(1, n_embd)) * k


def moves_rows(k, n_embd):
    return torch.eye(n_embd).roll(k, dims=0)


def from_the_table(k, n_embd):
    # The best of all matrices for 80 rows; in float64, as the slow hands are nearly parallel.
    speeds = 10_000 ** (-torch.arange(0, n_embd, 2, dtype=torch.float64) / n_embd)
    angles = torch.arange(min(0, k), max(0, k) + 80)[:, None] * speeds
    table = torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)
    before, after = (table[:-k], table[k:]) if k > 0 else (table[-k:], table[: len(table) + k])
    return torch.linalg.lstsq(before, after, driver="gelsd").solution.T.float()


def by_exponential(k, n_embd):
    turning = torch.zeros(n_embd, n_embd, dtype=torch.float64)  # how fast each entry changes
    speeds = 10_000 ** (-torch.arange(0, n_embd, 2, dtype=torch.float64) / n_embd)
    for i, speed in enumerate(speeds):
        turning[2 * i, 2 * i + 1], turning[2 * i + 1, 2 * i] = speed, -speed
    return torch.matrix_exp(k * turning).float()


def by_filling(k, n_embd):
    M, even = torch.zeros(n_embd, n_embd), torch.arange(0, n_embd, 2)
    angles = k / 10_000 ** (even / n_embd)
    M[even, even] = M[even + 1, even + 1] = torch.cos(angles)
    M[even, even + 1], M[even + 1, even] = torch.sin(angles), -torch.sin(angles)
    return M


EXERCISE = Exercise(
    title="The shift matrix",
    trains="linear algebra, blocks",
    minutes=20,
    level="medium",
    section="03.2",
    solution=shift_matrix,
    checks=[
        Check(
            "One block",
            5,
            "Multiply your matrix by (sin t, cos t) on paper. Is it the sine and the cosine of "
            "t + k, or of t - k?",
            one_block,
        ),
        Check(
            "Several blocks",
            6,
            "Every hand has a block of its own on the diagonal, and turns by k times its own "
            "speed. Everything off the blocks is 0.",
            several_blocks,
        ),
        Check(
            "Backwards, and not at all",
            3,
            "A shift by -k undoes one by k, and a shift by 0 changes nothing.",
            backwards,
        ),
        Check(
            "Far",
            3,
            "Hundreds of steps on, a small error in a speed has become a large one in the angle.",
            far,
        ),
    ],
    hints=[
        "How does sin(a + b) depend on sin a and cos a? And cos(a + b)?",
        "sin(tw + kw) is cos(kw) times the sine plus sin(kw) times the cosine: that is the first "
        "row of a block. Find the second. Make one block for each speed, and put them on a "
        "diagonal: `torch.block_diag`.",
        "A block is `[[c, s], [-s, c]]` with `c` and `s` the cosine and sine of k times the speed. "
        "`torch.block_diag(*blocks)` takes the blocks one by one.",
    ],
    wrong=[
        edit(
            "[torch.stack([c, s], -1), torch.stack([-s, c], -1)]",
            "[torch.stack([c, -s], -1), torch.stack([s, c], -1)]",
            "Your matrix shifts by -k. The minus stands in the second row, as the sine comes first "
            "in a pair; or you built it for rows, p @ M.",
        ),
        edit(
            "torch.stack([-s, c], -1)",
            "torch.stack([s, c], -1)",
            "The cosine of a sum has a minus: cos(a + b) = cos a cos b - sin a sin b.",
        ),
        edit(
            "torch.stack([-s, c], -1)",
            "torch.stack([s, -c], -1)",
            "Your blocks mirror. A shift turns: its determinant is 1, not -1.",
        ),
        edit(
            "[torch.stack([c, s], -1), torch.stack([-s, c], -1)]",
            "[torch.stack([s, c], -1), torch.stack([-c, s], -1)]",
            "Sine and cosine are swapped in your blocks: with k = 0 nothing should change.",
        ),
        written(
            for_halves,
            says="Your matrix fits a table with all sines first. Here sine and cosine alternate, "
            "so each block stands on the diagonal.",
        ),
        edit(
            "k * 10_000.0 ** (-torch.arange(0, n_embd, 2) / n_embd)",
            "k * torch.ones(n_embd // 2)",
            "All your blocks turn by k. Each has its own speed, as in the table.",
        ),
        edit(
            "torch.arange(0, n_embd, 2)",
            "torch.arange(n_embd // 2)",
            "Your exponent is i/C. It is 2i/C, as in the table.",
        ),
        edit(
            "(-torch.arange",
            "(torch.arange",
            "Your speeds grow from block to block. The exponent is negative.",
        ),
        edit(
            "angles = k * ",
            "angles = ",
            "You turn by one step, whatever k is.",
        ),
        edit(
            "block_diag(*blocks)",
            "block_diag(*blocks.flip(0))",
            "Your blocks stand in the opposite order: the first hand is the fastest.",
        ),
        written(
            not_on_a_diagonal,
            says="You return the blocks side by side. Put them on the diagonal of one matrix.",
        ),
        written(
            entries_to_the_power,
            says="You raise each entry to the power k. Repeated steps are matrix products, and the "
            "angle of k steps is k times the angle.",
        ),
        written(
            k_times_one_step,
            says="You multiply the matrix of one step by k. Multiply its angles.",
        ),
        written(
            moves_rows,
            says="You move the dimensions. The matrix acts on one row of the table and makes "
            "another row of it.",
        ),
    ],
    right=[written(from_the_table), written(by_exponential), written(by_filling)],
    survivors={
        "torch.stack([c, s], +1)": "of a stack of vectors, dimension 1 is the last",
        "torch.stack([-s, c], +1)": "of a stack of vectors, dimension 1 is the last",
    },
    # Hundreds of steps on, an angle has 4 of float32's 7 digits behind the point.
    tolerance={"float32": 2e-4, "float64": 2e-4},
)
