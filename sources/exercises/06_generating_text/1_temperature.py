"""06.1: probabilities at a temperature, and a token drawn from them."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def heat(logits, temperature):
    """Probabilities at a temperature: those at temperature 1 to the power 1/T, shared out anew.

    At temperature 0 the likeliest token has everything; several that are equally likely share it
    evenly. A logit of -inf is a probability of 0.
    logits (..., V), temperature a number of at least 0 -> (..., V), of the dtype of logits
    """
    if temperature == 0:
        likeliest = (logits == logits.amax(dim=-1, keepdim=True)).to(logits.dtype)
        return likeliest / likeliest.sum(dim=-1, keepdim=True)
    return (logits / temperature).softmax(dim=-1)


def draw(weights, u):
    """The token on whose stretch u falls, when the weights lie end to end in the order of ids.

    The whole line has length 1 to u, whatever the weights sum to. A border belongs to the token
    after it, so that a token of weight 0 is never drawn.
    weights (..., V) of at least 0, u (...) from 0 to below 1 -> (...), whole numbers
    """
    ends = weights.cumsum(dim=-1)
    return (ends <= u[..., None] * ends[..., -1:]).sum(dim=-1)


def moderate(random):
    return (
        call(random.normal(random.integer(4, 6)), 0.5, to="heat"),
        call(random.normal(*random.sizes(3)), 2.0, to="heat"),
    )


def extreme(random):
    x = random.normal(*random.sizes(2), scale=1000)
    return call(x - 5000, 0.125, to="heat"), call(x, 1000.0, to="heat")


def frozen(random):
    logits = random.normal(3, *random.sizes(2, low=3))
    logits[:, 0, 1] = logits[:, 0, 2] = logits[:, 0].amax(dim=-1)  # two or three that are equal
    logits[0, 1] = -1.0
    return call(logits, 0, to="heat")


def impossible(random):
    logits = random.normal(*random.sizes(2, low=3))
    logits[0, 1:] = -torch.inf
    logits[1, 0] = -torch.inf
    return call(logits, 0.5, to="heat"), call(logits, 0, to="heat")


def shares(random, *shape):
    """Weights in sixteenths that sum to 1, the same on every machine to the last bit."""
    rows = torch.Size(shape[:-1]).numel()
    parts = [random.shuffled([7, 4, 2, 2, 1] + [0] * (shape[-1] - 5)) for _ in range(rows)]
    return torch.tensor(parts, dtype=random.dtype).view(shape) / 16


def drawn(random):
    shape = random.sizes(2)
    u = (random.integers(*shape, below=16).to(random.dtype) + 0.5) / 16
    return (
        call(shares(random, *shape, 6), u, to="draw"),
        call(shares(random, 5), torch.tensor(0.71875, dtype=random.dtype), to="draw"),
    )


def borders(random):
    weights = torch.tensor([0, 4, 0, 8, 4, 0], dtype=random.dtype) / 16
    u = torch.tensor([0, 4, 12, 15], dtype=random.dtype) / 16
    return call(weights.expand(4, 6).contiguous(), u, to="draw")


def any_sum(random):
    n = random.integer(3, 5)
    u = (random.integers(n, below=16).to(random.dtype) + 0.5) / 16
    u[0] = 31 / 32
    scale = torch.tensor([0.5, 4.0, 8.0, 0.25, 16.0], dtype=random.dtype)[:n, None]
    return call(shares(random, n, 6) * scale, u, to="draw")


def naive(logits, temperature):
    if temperature == 0:
        return heat(logits, 0)
    e = (logits / temperature).exp()
    return e / e.sum(dim=-1, keepdim=True)


def first_of_the_likeliest(logits, temperature):
    if temperature == 0:
        return torch.nn.functional.one_hot(logits.argmax(dim=-1), logits.shape[-1]).to(logits)
    return heat(logits, temperature)


def tiny_temperature(logits, temperature):
    return (logits / (temperature + 1e-6)).softmax(dim=-1)


def not_shared_out(logits, temperature):
    if temperature == 0:
        return heat(logits, 0)
    return logits.softmax(dim=-1) ** (1 / temperature)


def argmax(weights, u):
    return weights.argmax(dim=-1)


def strictly(weights, u):
    ends = weights.cumsum(dim=-1)
    return torch.searchsorted(ends, u[..., None] * ends[..., -1:])[..., 0]


def by_power(logits, temperature):
    if temperature == 0:
        top = logits.max(dim=-1, keepdim=True).values
        return (logits == top) / (logits == top).to(logits.dtype).sum(dim=-1, keepdim=True)
    scaled = logits * (1 / temperature)
    return (scaled - scaled.logsumexp(dim=-1, keepdim=True)).exp()


def by_search(weights, u):
    ends = weights.cumsum(dim=-1)
    return torch.searchsorted(ends, u[..., None] * ends[..., -1:], right=True)[..., 0]


def by_loops(weights, u):
    if weights.dim() > 1:
        rows = [by_loops(*row) for row in zip(weights, u, strict=True)]
        return torch.stack(rows)
    end, total = 0.0, float(weights.sum())
    for token, weight in enumerate(weights.tolist()):
        end += weight
        if float(u) * total < end:
            return torch.tensor(token)
    raise AssertionError("u is below 1")


EXERCISE = Exercise(
    title="Temperature, and a draw",
    trains="softmax, cumulative sums, borders",
    minutes=20,
    level="easy",
    section="06.2",
    solution=(heat, draw),
    checks=[
        Check(
            "Warmer and colder",
            3,
            "Divide logits, not probabilities, and do it before the softmax. Below 1 the likely "
            "must become likelier.",
            moderate,
        ),
        Check(
            "Logits and temperatures of any size",
            2,
            "At a low temperature logits become very large. `softmax` stands that, `exp` doesn't.",
            extreme,
        ),
        Check(
            "Temperature 0",
            2,
            "Nothing can be divided by 0, but the limit is known: which tokens are left, and how "
            "do those that are equally likely share?",
            frozen,
        ),
        Check(
            "Impossible tokens",
            2,
            "A logit of -inf stays a probability of 0 at each temperature, and disturbs no other.",
            impossible,
        ),
        Check(
            "A draw",
            3,
            "Count the stretches that end at or before u. Each row of the batch has its own u.",
            drawn,
        ),
        Check(
            "Borders and zeros",
            2,
            "A u on a border belongs to the token that begins there. A token of weight 0 has no "
            "stretch: nothing may fall on it, at u = 0 either.",
            borders,
        ),
        Check(
            "Weights of any sum",
            2,
            "After top-k the rest sums to less than 1, and by rounding every sum may. So which "
            "part of the *whole* line does u point to?",
            any_sum,
        ),
    ],
    hints=[
        "What does a temperature of one half do to a probability that is twice another one? And "
        "where on a ruler of 0.5, 0.25, 0.25 does 0.6 lie?",
        "`heat` is a softmax of divided logits; at 0, mark the tokens that equal the largest logit "
        "and divide by how many are marked. In `draw`, `cumsum` says where stretches end; count "
        "the ends that are not beyond u.",
        "At 0: `likeliest = logits == logits.amax(dim=-1, keepdim=True)`, turned into numbers of "
        "the right dtype. For a draw `u[..., None]` stands beside all ends of its row; multiply it "
        "by the last end.",
    ],
    wrong=[
        edit("logits / temperature", "logits * temperature", "You multiply by the temperature."),
        edit(
            "(logits / temperature).softmax(dim=-1)",
            "logits.softmax(dim=-1) / temperature",
            "You divide the probabilities, after the softmax: they no longer sum to 1.",
        ),
        edit(
            "(logits / temperature).softmax(dim=-1)",
            "(logits.softmax(dim=-1) / temperature).softmax(dim=-1)",
            "You take a softmax, divide, and take a softmax again. Divide the logits, then one.",
        ),
        edit(
            "(logits / temperature).softmax(dim=-1)",
            "logits / temperature",
            "Your `heat` returns logits. Which function makes probabilities of them?",
        ),
        written(
            not_shared_out,
            draw,
            says="You raise the probabilities to 1/T, which is right, and forget to share out "
            "anew: they don't sum to 1.",
        ),
        written(naive, draw, says="You exponentiate without softmax: large logits overflow."),
        written(
            first_of_the_likeliest,
            draw,
            says="At temperature 0 you give all to the first of the likeliest. Those that are "
            "equally likely share.",
        ),
        written(
            tiny_temperature,
            draw,
            says="You add a small number to the temperature. Then no answer is "
            "quite right. Treat 0 by itself.",
        ),
        edit(
            "return likeliest / likeliest.sum(dim=-1, keepdim=True)",
            "return likeliest",
            "At temperature 0 each of the likeliest gets 1. They are to share 1.",
        ),
        edit(
            "logits.amax(dim=-1, keepdim=True)",
            "logits.amax()",
            "At temperature 0 you look for the largest logit of the whole batch. Each row has one.",
        ),
        written(heat, argmax, says="Your `draw` takes the heaviest token, whatever u is."),
        written(
            heat,
            strictly,
            says="On a border you take the token before it, and at u = 0 a token of weight 0. "
            "Borders belong to the token after them.",
        ),
        edit(
            " * ends[..., -1:]",
            "",
            "You take weights to sum to 1. Where they sum to less, u may fall behind the last one.",
        ),
        edit(
            "u[..., None] * ends",
            "(1 - u[..., None]) * ends",
            "You measure u from the far end of the line.",
        ),
        edit(
            "(ends <= u[..., None]",
            "(ends > u[..., None]",
            "You count the stretches that end *after* u. Count those before it.",
        ),
        edit(
            "ends = weights.cumsum(dim=-1)",
            "ends = weights",
            "You compare u with each weight by itself. Lay them end to end first.",
        ),
    ],
    right=[written(by_power, by_search), written(heat, by_loops)],
    # By way of logarithms, logits of thousands leave 3 or 4 of float32's digits.
    tolerance={"float32": 1e-3, "float64": 1e-9},
)
