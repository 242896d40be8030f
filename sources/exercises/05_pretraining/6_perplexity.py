"""05.6: perplexity of several batches, and across tokenizers."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def perplexity(losses, counts):
    """The perplexity of several batches together, as a number.

    losses: each batch's mean loss, in nats per token. counts: how many tokens that mean is over; a
    batch of 0 tokens does not count, and its loss is nan. Raises ValueError if there is no token.
    """
    pairs = [(loss, n) for loss, n in zip(losses, counts, strict=True) if n > 0]
    tokens = sum(n for _, n in pairs)
    if tokens == 0:
        raise ValueError("no tokens")
    return math.exp(sum(loss * n for loss, n in pairs) / tokens)


def translated(value, n_tokens, n_other):
    """The perplexity per token of another tokenizer that means the same for the text.

    A text has n_tokens tokens, and a model's perplexity on it is `value`. Another tokenizer cuts
    it into n_other. Which perplexity gives the whole text the same probability there?
    """
    return value ** (n_tokens / n_other)


def once(draw, *cases):
    """In one dtype, as plain numbers have none."""
    return cases if draw.dtype == torch.float64 else []


def losses_of(draw, n):
    return [draw.integer(10, 90) / 16 for _ in range(n)]


def one_batch(draw):
    return once(draw, call(losses_of(draw, 1), [draw.integer(2, 99)], to="perplexity"))


def several(draw):
    n = draw.integer(3, 5)
    losses = losses_of(draw, n)
    return once(
        draw,
        call([0.5, *losses], draw.sizes(n + 1, high=60), to="perplexity"),
        call([1000.0, 0.25], [1, 999], to="perplexity"),
    )


def empty(draw):
    a, b = losses_of(draw, 2)
    n, m = draw.sizes(2, high=30)
    return once(
        draw,
        call([a, float("nan"), b], [n, 0, m], to="perplexity"),
        call([a + 1, float("nan")], [n, 0], to="perplexity"),
        call([0.5, b], [1, m], to="perplexity"),
        call([a, 0.0], [n, m], to="perplexity"),
    )


def nothing(draw):
    return once(
        draw,
        call([], [], to="perplexity", raises="ValueError"),
        call([float("nan")] * 2, [0, 0], to="perplexity", raises="ValueError"),
    )


def other_tokenizer(draw):
    n, m = draw.sizes(2, low=20, high=60)
    value = draw.integer(8, 400) / 4
    return once(draw, call(value, n, m, to="translated"), call(value, m, n, to="translated"))


def mean_of_perplexities(losses, counts):
    pairs = [(loss, n) for loss, n in zip(losses, counts, strict=True) if n > 0]
    if not pairs:
        raise ValueError("no tokens")
    return sum(math.exp(min(loss, 700)) * n for loss, n in pairs) / sum(n for _, n in pairs)


def equal_weights(losses, counts):
    kept = [loss for loss, n in zip(losses, counts, strict=True) if n > 0]
    if not kept:
        raise ValueError("no tokens")
    return math.exp(sum(kept) / len(kept)) if sum(kept) / len(kept) < 700 else math.inf


def nan_spoils(losses, counts):
    tokens = sum(counts)
    if tokens == 0:
        raise ValueError("no tokens")
    return math.exp(sum(loss * n for loss, n in zip(losses, counts, strict=True)) / tokens)


def by_product(losses, counts):
    tokens = sum(counts)
    if not tokens:
        raise ValueError("no tokens")
    shares = [(loss, n / tokens) for loss, n in zip(losses, counts, strict=True) if n]
    return math.prod(math.e ** (loss * share) for loss, share in shares)


def by_total_loss(value, n_tokens, n_other):
    return math.exp(math.log(value) * n_tokens / n_other)


MEAN = "sum(loss * n for loss, n in pairs) / tokens"

EXERCISE = Exercise(
    title="Perplexity",
    trains="units, and means that may be taken",
    minutes=15,
    level="easy",
    section="05.2",
    solution=(perplexity, translated),
    checks=[
        Check(
            "One batch",
            1,
            "Perplexity is e to the power of the loss: a model of loss ln 3 is as unsure as one "
            "that picks from three.",
            one_batch,
        ),
        Check(
            "Several batches",
            4,
            "First the mean loss over all *tokens*, then the exponential, once. Large batches "
            "weigh more.",
            several,
        ),
        Check(
            "Batches without tokens",
            2,
            "A batch of 0 tokens has nothing to say. Note that 0 times nan is nan.",
            empty,
        ),
        Check(
            "No token at all",
            1,
            "Without any token there is no perplexity: refuse by a ValueError.",
            nothing,
        ),
        Check(
            "Another tokenizer",
            3,
            "The loss of the *whole text*, in nats, is the same for both. Fewer tokens: more nats "
            "for each.",
            other_tokenizer,
        ),
    ],
    hints=[
        "A batch of 1 token has loss 4, one of 99 tokens has loss 2. How many nats do all 100 "
        "tokens cost together?",
        "Loss times tokens is a batch's total. Add the totals, divide by all tokens, exponentiate. "
        "For the other tokenizer: logarithm of the perplexity, times n_tokens, gives the text's "
        "nats; divide them by n_other, and exponentiate.",
        "Keep the pairs with `n > 0` first. exp(ln(value) · n / m) is value to the power of n / m.",
    ],
    wrong=[
        written(
            mean_of_perplexities,
            translated,
            says="You take the mean of perplexities. Average the losses, then exponentiate: one "
            "hopeless token would rule everything.",
        ),
        written(
            equal_weights,
            translated,
            says="All your batches weigh the same. Each should count as often as it has tokens.",
        ),
        written(
            nan_spoils,
            translated,
            says="Right, but for a batch of 0 tokens: 0 times nan is nan.",
        ),
        edit(
            "math.exp(" + MEAN + ")", MEAN, "This is the mean loss. Perplexity is its exponential."
        ),
        edit(
            "math.exp(" + MEAN + ")",
            "2 ** (" + MEAN + ")",
            "You raise 2 to the loss. It is in nats, so it takes e.",
        ),
        edit(
            "math.exp(" + MEAN + ")",
            "math.exp(-" + MEAN + ")",
            "This is the mean probability of a token, in a way. Perplexity is one over it: check "
            "the sign.",
        ),
        edit(
            MEAN,
            "sum(loss for loss, n in pairs) / tokens",
            "You divide the sum of means by the number of tokens. Multiply each mean by its "
            "tokens first.",
        ),
        edit(
            'raise ValueError("no tokens")',
            "return 0.0",
            "Without any token you answer 0. There is no answer: refuse by a ValueError.",
        ),
        edit(
            'raise ValueError("no tokens")',
            'return float("nan")',
            "Without any token you answer nan. Refuse by a ValueError: nan hides where it came "
            "from.",
        ),
        edit(
            '    if tokens == 0:\n        raise ValueError("no tokens")\n',
            "",
            "Without any token you divide by 0. Say by a ValueError what is wrong.",
        ),
        edit("if n > 0", "if n > 1", "You leave out batches of one token. They count, too."),
        edit(
            "n_tokens / n_other",
            "n_other / n_tokens",
            "Translating, you divide the wrong way round: fewer tokens must each cost more.",
        ),
        edit(
            "value ** (n_tokens / n_other)",
            "value * n_tokens / n_other",
            "Translating, you scale the perplexity itself. What adds up over a text is its "
            "logarithm.",
        ),
        edit(
            "value ** (n_tokens / n_other)",
            "value",
            "Translating, you change nothing: perplexities per token of two tokenizers can't be "
            "compared as they are.",
        ),
    ],
    right=[written(by_product, by_total_loss)],
    survivors={
        "zip(losses, counts) ": "there are as many counts as losses",
        "strict=False": "there are as many counts as losses",
        "for n, loss in pairs": "a product has no order",
    },
)
