"""05.4: several steps of AdamW, from the first."""

import torch
from torch import nn

from tools.exercises import Check, Exercise, call, edit, written


def adamw(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    """The weights after one step of AdamW for each gradient, beginning with fresh moments.

    w, of any shape, stays as it was. gradients: a list of tensors of its shape. rates: a list with
    the learning rate of each step. Decay acts on weights with two dimensions or more.
    """
    m = v = torch.zeros_like(w)
    if w.dim() < 2:
        decay = 0.0
    for t, (g, lr) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        mean, size = m / (1 - beta1**t), (v / (1 - beta2**t)).sqrt()
        w = w - lr * decay * w - lr * mean / (size + epsilon)
    return w


def rates_of(draw, n):
    """Learning rates that no two steps share; exact numbers, for the same result everywhere."""
    return [rate / 64 for rate in draw.sizes(n, low=1, high=16)]


def gradients_of(draw, shape, n, scale=1.0):
    """Gradients without zeros, for which 0/0 would stand."""
    drawn = [draw.normal(*shape, scale=scale) for _ in range(n)]
    return [g.where(g != 0, scale / 2) for g in drawn]


def first_step(draw):
    a, b = draw.sizes(2)
    return [
        call(draw.normal(n), gradients_of(draw, (n,), 1, scale), rates_of(draw, 1))
        for n, scale in ((a, 1.0), (b, 2.0**10))
    ]


def vector(draw):
    n = draw.integer(3, 6)
    return call(draw.normal(n), gradients_of(draw, (n,), 4), rates_of(draw, 4)), call(
        draw.normal(n), gradients_of(draw, (n,), 3), rates_of(draw, 3), beta1=0.5, beta2=0.75
    )


def matrix(draw):
    a, b = draw.sizes(2)
    big = 4 * draw.normal(a, b)
    return call(big, gradients_of(draw, (a, b), 3), rates_of(draw, 3)), call(
        draw.normal(2, a, b), gradients_of(draw, (2, a, b), 2), rates_of(draw, 2), decay=0.5
    )


def tiny_gradients(draw):
    n = draw.integer(3, 6)
    return (
        call(draw.normal(n), gradients_of(draw, (n,), 2, 2.0**-26), rates_of(draw, 2)),
        call(draw.normal(n), gradients_of(draw, (n,), 3), rates_of(draw, 3), epsilon=0.25),
        call(draw.normal(n), [torch.zeros(n, dtype=draw.dtype)] * 2, rates_of(draw, 2)),
    )


def as_l2(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    m = v = torch.zeros_like(w)
    if w.dim() < 2:
        decay = 0.0
    for t, (g, lr) in enumerate(zip(gradients, rates, strict=True), start=1):
        g = g + decay * w
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        w = w - lr * m / (1 - beta1**t) / ((v / (1 - beta2**t)).sqrt() + epsilon)
    return w


def one_size_for_all(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    m, v = torch.zeros_like(w), 0.0
    if w.dim() < 2:
        decay = 0.0
    for t, (g, lr) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g.square().mean()
        mean, size = m / (1 - beta1**t), (v / (1 - beta2**t)) ** 0.5
        w = w - lr * decay * w - lr * mean / (size + epsilon)
    return w


def plain_descent(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    for g, lr in zip(gradients, rates, strict=True):
        w = w - lr * decay * (w.dim() > 1) * w - lr * g
    return w


def signs(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    for g, lr in zip(gradients, rates, strict=True):
        w = w - lr * decay * (w.dim() > 1) * w - lr * g / (g.abs() + epsilon)
    return w


def by_torch(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    weight = nn.Parameter(w.clone())
    optimizer = torch.optim.AdamW(
        [weight], lr=1.0, betas=(beta1, beta2), eps=epsilon,
        weight_decay=decay if w.dim() > 1 else 0.0,
    )  # fmt: skip
    for g, lr in zip(gradients, rates, strict=True):
        optimizer.param_groups[0]["lr"] = lr
        weight.grad = g.clone()
        optimizer.step()
    return weight.data


def by_sums(w, gradients, rates, decay=0.1, beta1=0.9, beta2=0.95, epsilon=1e-8):
    for t, lr in enumerate(rates, start=1):
        seen = gradients[:t]
        m = sum((1 - beta1) * beta1 ** (t - 1 - i) * g for i, g in enumerate(seen))
        v = sum((1 - beta2) * beta2 ** (t - 1 - i) * g * g for i, g in enumerate(seen))
        step = (m / (1 - beta1**t)) / ((v / (1 - beta2**t)) ** 0.5 + epsilon)
        w = w * (1 - lr * decay * (w.dim() > 1)) - lr * step
    return w


MEAN, SIZE = "m / (1 - beta1**t)", "(v / (1 - beta2**t)).sqrt()"

EXERCISE = Exercise(
    title="AdamW, step by step",
    trains="state, and what each term is for",
    minutes=25,
    level="medium",
    section="05.4",
    solution=adamw,
    checks=[
        Check(
            "The first step",
            4,
            "A vector's first step has the length of the learning rate, whatever the gradient. "
            "That is what the corrections by 1 - β^t are for.",
            first_step,
        ),
        Check(
            "Several steps",
            5,
            "Both moments live on from step to step, t grows, and each step has its own learning "
            "rate. Follow the table in 05.4 of the chapter by hand.",
            vector,
        ),
        Check(
            "Weight decay",
            5,
            "A weight with two dimensions or more is pulled towards 0 by rate times decay times "
            "itself, apart from the gradient and its size. A vector is not.",
            matrix,
        ),
        Check(
            "Tiny gradients",
            4,
            "Epsilon is added to the root, after the correction. With gradients of its size it "
            "matters where it stands, and with gradients of 0 that it is there.",
            tiny_gradients,
        ),
    ],
    hints=[
        "What does a step need from the one before it? What are these at the first step?",
        "Before the loop: m and v, all 0. In the loop, in this order: update both, correct both, "
        "then take decay and step from w. `enumerate(..., start=1)` counts t.",
        "`m = beta1 * m + (1 - beta1) * g`, v likewise with `g**2`. Corrected: "
        "`m / (1 - beta1**t)`. The step is the corrected m over the root of the "
        "corrected v, plus epsilon.",
    ],
    wrong=[
        edit(
            MEAN + ", " + SIZE,
            "m, v.sqrt()",
            "Neither moment is corrected. Both start at 0, so early ones are too small.",
        ),
        edit(MEAN + ",", "m,", "The mean of the gradients, m, is not corrected by 1 - β₁^t."),
        edit(SIZE, "v.sqrt()", "The mean of the squares, v, is not corrected by 1 - β₂^t."),
        edit("start=1", "start=2", "You begin to count at t = 2. The first step is step 1."),
        edit(
            MEAN + ", " + SIZE,
            "m / (1 - beta1), (v / (1 - beta2)).sqrt()",
            "You correct by 1 - β at every step. It is 1 - β^t: from step to step there is less to "
            "correct.",
        ),
        edit(
            "mean / (size + epsilon)",
            "mean / (size**2 + epsilon).sqrt()",
            "Your epsilon stands inside the root. In Adam it is added to the root.",
        ),
        edit(
            "mean / (size + epsilon)",
            "mean / size",
            "You don't use epsilon: a gradient of 0 gives 0/0.",
        ),
        edit(
            "(size + epsilon)",
            "(size + 1e-8)",
            "Your epsilon is always 1e-8. Use the one that is given.",
        ),
        edit(SIZE, "v / (1 - beta2**t)", "You divide by v, not by its root."),
        edit(
            "(1 - beta2) * g**2",
            "(1 - beta2) * g.abs()",
            "v averages absolute gradients. It averages their squares.",
        ),
        edit(
            "m = beta1 * m + (1 - beta1) * g",
            "m = beta1 * m + g",
            "Your m is a sum, not a mean: the new gradient comes with 1 - β₁.",
        ),
        edit(
            "m = beta1 * m + (1 - beta1) * g",
            "m = (1 - beta1) * m + beta1 * g",
            "In m the weights are swapped: β₁ belongs to the old mean.",
        ),
        edit("lr * decay * w", "decay * w", "Your decay lacks the learning rate."),
        edit("lr * decay * w - ", "", "There is no weight decay."),
        edit(
            "    if w.dim() < 2:\n        decay = 0.0\n",
            "",
            "You decay vectors, too. Biases and gains are left alone.",
        ),
        edit(
            "w.dim() < 2", "w.dim() != 2", "You decay matrices alone. More dimensions decay, too."
        ),
        written(
            as_l2,
            says="You add the decay to the gradient: then it is divided by the gradient's size, "
            "too. AdamW keeps them apart.",
        ),
        written(
            one_size_for_all,
            says="You divide by one size for the whole tensor. Each entry has its own.",
        ),
        written(plain_descent, says="This is plain gradient descent: nothing is divided by size."),
        written(
            signs,
            says="Every step looks like the first: you forget the moments of the step before.",
        ),
        edit(
            "zip(gradients, rates, strict=True)",
            "zip(gradients, rates[:1] * len(rates), strict=True)",
            "Every step has the first learning rate. Each has its own.",
        ),
    ],
    right=[written(by_torch), written(by_sums)],
    survivors={
        "m.dim()": "moments have the shape of their weight",
        "v.dim()": "moments have the shape of their weight",
        "-0.0": "a zero with a sign is a zero",
        "zip(gradients, rates),": "there are as many rates as gradients",
        "strict=False": "there are as many rates as gradients",
    },
    tolerance={"float32": 1e-4, "float64": 1e-9},
)
