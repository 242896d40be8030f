"""04.1: LayerNorm as a function of its weights."""

import torch
import torch.nn.functional as F

from tools.exercises import Check, Exercise, call, edit, written


def layer_norm(x, weight, bias, epsilon=1e-5):
    """Shift and scale each vector to mean 0 and variance 1, then apply gain and bias.

    x (..., C), weight (C,), bias (C,) -> (..., C); epsilon is added to the variance.
    """
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)
    return centred / (variance + epsilon).sqrt() * weight + bias


# The inputs that each check draws.


def drawn(draw, *shape, x=None, **more):
    """A case with a gain and a bias that are not trivial."""
    weight, bias = draw.normal(shape[-1]), draw.normal(shape[-1])
    return call(draw.normal(*shape) if x is None else x, weight, bias, **more)


def vectors(draw):
    a, b, c = draw.sizes(3, low=3, high=6)
    return drawn(draw, a, b, c), drawn(draw, c)


def small(draw):
    a, c = draw.sizes(2, low=3, high=6)
    x = draw.normal(a, c, scale=2.0**-9)
    return drawn(draw, a, c, x=x), drawn(draw, a, c, epsilon=0.25)


def constant(draw):
    a, c = draw.sizes(2, low=3, high=6)
    return drawn(draw, a, c, x=draw.integers(a, 1, below=50).to(draw.dtype).repeat(1, c))


def far(draw):
    a, c = draw.sizes(2, low=4, high=7)
    return drawn(draw, a, c, x=draw.normal(a, c) + 512)


def gradients(draw):
    a, b, c = draw.sizes(3, low=3, high=6)
    return drawn(draw, a, b, c, gradient=True)


# Wrong answers that are no small change of the reference.


def in_one_pass(x, weight, bias, epsilon=1e-5):
    mean = x.mean(dim=-1, keepdim=True)
    variance = x.square().mean(dim=-1, keepdim=True) - mean.square()
    return (x - mean) / (variance + epsilon).sqrt() * weight + bias


def statistics_as_constants(x, weight, bias, epsilon=1e-5):
    mean = x.mean(dim=-1, keepdim=True).detach()
    variance = (x - mean).square().mean(dim=-1, keepdim=True).detach()
    return (x - mean) / (variance + epsilon).sqrt() * weight + bias


def over_the_first(x, weight, bias, epsilon=1e-5):
    centred = x - x.mean(dim=0, keepdim=True)
    variance = centred.square().mean(dim=0, keepdim=True)
    return centred / (variance + epsilon).sqrt() * weight + bias


def over_everything(x, weight, bias, epsilon=1e-5):
    return (x - x.mean()) / (x.var(correction=0) + epsilon).sqrt() * weight + bias


def not_centred(x, weight, bias, epsilon=1e-5):
    return x / (x.square().mean(dim=-1, keepdim=True) + epsilon).sqrt() * weight + bias


# Other right answers.


def torchs_own(x, weight, bias, epsilon=1e-5):
    return F.layer_norm(x, weight.shape, weight, bias, epsilon)


def by_var(x, weight, bias, epsilon=1e-5):
    variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + epsilon) * weight + bias


def row_by_row(x, weight, bias, epsilon=1e-5):
    rows = []
    for row in x.reshape(-1, x.shape[-1]):
        deviations = row - sum(row) / len(row)
        variance = (deviations @ deviations) / len(row)
        rows.append(deviations / (variance + epsilon) ** 0.5 * weight + bias)
    return torch.stack(rows).view(x.shape)


SQUARES = "centred.square().mean(dim=-1, keepdim=True)"

EXERCISE = Exercise(
    title="LayerNorm",
    trains="a formula into code, to the last term",
    minutes=15,
    level="easy",
    section="04.1",
    solution=layer_norm,
    checks=[
        Check(
            "Vectors of any batch",
            4,
            "Each vector has its own mean and its own variance: the mean of its squared "
            "deviations. Then entry i is multiplied by gain i, and bias i is added.",
            vectors,
        ),
        Check(
            "Vectors that hardly vary",
            3,
            "Where the variance is as small as epsilon, it matters where epsilon stands, and that "
            "it is the one that was given. Read the formula once more.",
            small,
        ),
        Check(
            "Constant vectors",
            2,
            "A constant vector has no deviations. What does the formula make of it?",
            constant,
        ),
        Check(
            "Far from 0",
            2,
            "If this one fails alone: the mean of the squares minus the square of the mean takes "
            "two large numbers from each other, and few digits remain. Take the mean away first.",
            far,
        ),
        Check(
            "It can learn",
            3,
            "The mean and the variance depend on x, so gradients must pass through them, too.",
            gradients,
        ),
    ],
    hints=[
        "Take the vector (1, 1, 5, 5) through the formula on paper. Which numbers do you need "
        "before you can write the first entry of the result?",
        "Mean along the last dimension, deviations from it, the mean of their squares. With "
        "`keepdim=True` a mean can be broadcast back. `x.var()` divides by C - 1, unless you say "
        "otherwise.",
        "`centred = x - x.mean(dim=-1, keepdim=True)`; the variance is the mean of its squares, "
        "taken the same way. Divide by the root of the *sum* of variance and epsilon.",
    ],
    wrong=[
        edit(
            "(variance + epsilon).sqrt()",
            "(variance.sqrt() + epsilon)",
            "You add epsilon to the standard deviation. It belongs inside the root, beside the "
            "variance.",
        ),
        edit(
            "(variance + epsilon).sqrt()",
            "variance.sqrt()",
            "You don't use epsilon: a constant vector becomes 0/0.",
        ),
        edit(
            "(variance + epsilon).sqrt()",
            "(x.std(dim=-1, keepdim=True) + epsilon)",
            "Two things: `x.std()` divides the squares by C - 1, LayerNorm by C. And epsilon "
            "belongs inside the root, beside the variance.",
        ),
        edit(
            "(variance + epsilon)",
            "variance.clamp(min=epsilon)",
            "You take the larger of variance and epsilon. The formula adds them.",
        ),
        edit(
            "(variance + epsilon)",
            "(variance + 1e-5)",
            "Your epsilon is always 1e-5. Use the one that is given.",
        ),
        edit(
            SQUARES,
            "x.var(dim=-1, keepdim=True)",
            "You divide the squares by C - 1, as `x.var()` does. LayerNorm divides by C.",
        ),
        edit(
            SQUARES,
            "centred.square().sum(dim=-1, keepdim=True)",
            "You divide by the length of the vector: your variance is a sum, not a mean.",
        ),
        edit(
            SQUARES,
            "centred.abs().mean(dim=-1, keepdim=True).square()",
            "You take the mean of the absolute deviations. The variance is the mean of their "
            "squares.",
        ),
        edit(".sqrt()", "", "You divide by the variance, not by its root."),
        edit(
            SQUARES,
            "x.square().mean(dim=-1, keepdim=True)",
            "Your variance is the mean of the squares of x itself. Take the mean away first.",
        ),
        written(
            not_centred,
            says="You never subtract the mean. That is RMSNorm, which later models use.",
        ),
        edit(" * weight", "", "The gain `weight` is not applied."),
        edit(" + bias", "", "The bias is not added."),
        edit(
            "centred / (variance + epsilon).sqrt() * weight + bias",
            "(centred / (variance + epsilon).sqrt() + bias) * weight",
            "You add the bias before the gain, so it is multiplied, too.",
        ),
        edit(
            "* weight",
            "* (1 + weight)",
            "You multiply by 1 + weight. In GPT-2 the gain itself starts at 1.",
        ),
        written(
            over_the_first,
            says="You average over the first dimension: each vector needs its own mean.",
        ),
        written(
            over_everything,
            says="You take one mean and one variance of all vectors together: tokens would see "
            "each other, and the future.",
        ),
        written(
            in_one_pass,
            says="Right on paper: E[x²] - E[x]². But far from 0 these are two large numbers that "
            "nearly cancel. Average the squared deviations.",
        ),
        written(
            statistics_as_constants,
            says="The numbers are right, but mean and variance are cut off from the gradient.",
        ),
    ],
    right=[written(torchs_own), written(by_var), written(row_by_row)],
    # Far from 0 the mean alone costs two of float32's digits.
    tolerance={"float32": 1e-4, "float64": 1e-9},
)
