"""02.1: softmax along any dimension, for any scores."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def softmax(x, dim):
    """Turn scores into weights: positive, summing to 1 along dimension `dim`.

    Scores may be of any size. Where all of them are -inf, the weights are 0.
    """
    largest = x.amax(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).min)
    e = (x - largest).exp()  # -inf minus the smallest number is -inf, and its exponential 0
    total = e.sum(dim=dim, keepdim=True)  # at least e^0 = 1, unless all scores are -inf
    return e / total.clamp(min=1)


# The inputs that each check draws.


def last_dimension(draw):
    x = draw.normal(*draw.sizes(3))
    return call(x, -1), call(x, -1, gradient=True)


def any_dimension(draw):
    x = draw.normal(*draw.sizes(3))
    return [call(x, dim) for dim in (0, 1, -2)]


def large_scores(draw):
    x = draw.normal(*draw.sizes(2), scale=1000)
    x[0] = x[0].sign() - 5000  # small beside the other rows, yet its own softmax is as good
    return call(x, 1), call(x.T.contiguous(), 0)


def nothing_to_choose(draw):
    x = draw.normal(*draw.sizes(2, low=3))
    x[1] = -torch.inf
    x[2, 0] = -torch.inf
    return call(x, 1)


# Wrong answers that are no small change of the reference.


def naive(x, dim):
    e = x.exp()
    return e / e.sum(dim=dim, keepdim=True)


def along_the_last(x, dim):
    return torch.softmax(x, dim=-1).nan_to_num(0)


def without_exp(x, dim):
    return x / x.sum(dim=dim, keepdim=True)


def all_masked_is_nan(x, dim):
    return torch.softmax(x, dim)


def all_masked_is_even(x, dim):
    return torch.softmax(x, dim).nan_to_num(1 / x.shape[dim])


def logarithms(x, dim):
    return torch.log_softmax(x, dim).nan_to_num(0, neginf=-torch.inf)


# Other right answers.


def torchs_own(x, dim):
    return torch.softmax(x, dim).nan_to_num(0)


def by_logarithm(x, dim):
    return (x - x.logsumexp(dim=dim, keepdim=True)).exp().nan_to_num(0)


EXERCISE = Exercise(
    title="Stable softmax",
    trains="numerics, `keepdim`",
    minutes=10,
    level="easy",
    section="02.4",
    solution=softmax,
    checks=[
        Check(
            "Along the last dimension",
            3,
            "Every weight is its exponential over the sum of all exponentials beside it.",
            last_dimension,
        ),
        Check(
            "Along any dimension",
            3,
            "Sum your weights along `dim`: is it 1 everywhere? Do both the largest score and the "
            "sum belong to `dim`, and keep their place so that they can be broadcast?",
            any_dimension,
        ),
        Check(
            "Large scores",
            3,
            "The exponential of a large number is infinite, of a very negative one 0. Which number "
            "can be taken from the scores beside each other without changing their softmax?",
            large_scores,
        ),
        Check(
            "Nothing to choose from",
            3,
            "Where all scores are -inf, every weight is 0. Where one is, only that weight is.",
            nothing_to_choose,
        ),
    ],
    hints=[
        "What does softmax do when 5 is added to every score? So which score would you like to "
        "see at 0?",
        "Take the largest score along `dim` from all, then exponentiate, then divide by the sum "
        "along `dim`. With `keepdim=True` a maximum or a sum keeps its place. In a row of -inf the "
        "largest is -inf too: make it finite first, and the sum not 0.",
        "`largest = x.amax(dim=dim, keepdim=True).clamp(min=torch.finfo(x.dtype).min)`. Then the "
        "sum of `(x - largest).exp()` is at least 1, except in a row of nothing but -inf.",
    ],
    wrong=[
        written(naive, says="You exponentiate the scores as they are: large ones overflow."),
        written(along_the_last, says="Your weights run along the last dimension, whatever `dim`."),
        written(without_exp, says="You divide the scores by their sum. Where is the exponential?"),
        written(all_masked_is_nan, says="Right, but for rows of nothing but -inf: yours are nan."),
        written(
            all_masked_is_even,
            says="A row of nothing but -inf may look nowhere. You let it look everywhere.",
        ),
        written(logarithms, says="These are the logarithms of the weights."),
        edit(
            "x.amax(dim=dim, keepdim=True)",
            "x.amax()",
            "You subtract the largest score of the whole tensor. Rows far below it vanish.",
        ),
        edit(
            "x.amax(dim=dim, keepdim=True)",
            "x.amin(dim=dim, keepdim=True)",
            "You subtract something smaller than the largest score, which can still overflow.",
        ),
        edit(".exp()", ".exp2()", "You raise 2 to the scores, not e."),
        edit(
            "e.sum(dim=dim, keepdim=True)",
            "e.sum(dim=dim)",
            "Your sum loses its dimension, so it is broadcast along another one. See `keepdim`.",
        ),
        edit("total.clamp(min=1)", "(total + 1)", "You add 1 to the sum: the weights miss 1."),
        edit(
            "total.clamp(min=1)",
            "(total + 1e-6)",
            "You add a small number to the sum. It keeps 0/0 away, and makes every weight a bit "
            "too small.",
        ),
        edit(
            "total.clamp(min=1)",
            "e.amax(dim=dim, keepdim=True).clamp(min=1e-30)",
            "You divide by the largest exponential, not by the sum of all.",
        ),
    ],
    right=[written(torchs_own), written(by_logarithm)],
    # By way of logarithms, scores of thousands leave 3 or 4 of float32's digits.
    tolerance={"float32": 1e-3, "float64": 1e-9},
)
