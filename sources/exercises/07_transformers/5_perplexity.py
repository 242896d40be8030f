"""07.5: perplexity of each text and of all, and bits per byte."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def perplexity(log_probs, mask, n_bytes):
    """Perplexity of each text, that of all texts together, and bits per byte of all together.

    Together means: as if the texts were one, so that a long text counts for more. Where the mask is
    0 there is padding, and log_probs may be anything, also nan.
    log_probs (B, T) ln p of each token, mask (B, T) of 0 and 1, with a 1 in each row, n_bytes (B,)
    the length of each text in bytes -> (B,), a number, a number
    """
    n_tokens = mask.sum(dim=1)  # (B,)
    nats = -log_probs.masked_fill(mask == 0, 0).sum(dim=1)  # (B,)
    together = float((nats.sum() / n_tokens.sum()).exp())
    bits_per_byte = float(nats.sum() / n_bytes.sum()) / math.log(2)
    return (nats / n_tokens).exp(), together, bits_per_byte


def masked(rows):
    return torch.tensor([[int(c) for c in row] for row in rows])


def batch(draw, rows):
    mask = masked(draw.shuffled(rows))
    log_probs = -draw.normal(*mask.shape).abs() - draw.integers(len(rows), 1, below=3) / 4
    n_bytes = mask.sum(dim=1) * 4 + draw.integers(len(rows), below=9)
    return log_probs, mask, n_bytes


def one_text(draw):
    half_and_eighth = torch.tensor([[-0.6875, -2.0625]], dtype=draw.dtype)  # about 1/2, 1/8
    ones = torch.ones(1, 2, dtype=torch.long)
    return call(half_and_eighth, ones, torch.tensor([5])), call(*batch(draw, ["11111"]))


def equal(draw):
    return call(*batch(draw, ["1111"] * 3))


def unequal(draw):
    return call(*batch(draw, ["11110", "01000", "00011"])), call(
        *batch(draw, ["1111111", "1000000"])
    )


def anything_at_padding(draw):
    log_probs, mask, n_bytes = batch(draw, ["1110", "0011", "1111"])
    log_probs[mask == 0] = draw.choice([torch.nan, -torch.inf])
    return call(log_probs, mask, n_bytes)


def sure_and_impossible(draw):
    log_probs, mask, n_bytes = batch(draw, ["1111", "1110"])
    sure = torch.zeros_like(log_probs)
    never = log_probs.clone()
    never[0, 1] = -torch.inf
    return call(sure, mask, n_bytes), call(never, mask, n_bytes)


def sums(log_probs, mask):
    return -log_probs.masked_fill(mask == 0, 0).sum(dim=1), mask.sum(dim=1)


def by_powers(log_probs, mask, n_bytes):
    bits = torch.where(mask.bool(), log_probs, 0) / -math.log(2)
    of_each = 2 ** (bits.sum(dim=1) / mask.sum(dim=1))
    return of_each, float(2 ** (bits.sum() / mask.sum())), float(bits.sum() / n_bytes.sum())


def by_loops(log_probs, mask, n_bytes):
    rows = [row[real.bool()].tolist() for row, real in zip(log_probs, mask, strict=True)]
    every = [value for row in rows for value in row]

    def of(values):
        mean = -math.fsum(values) / len(values) if -math.inf not in values else math.inf
        return math.exp(mean)

    total = sum(every)
    bits = -total / math.log(2) / n_bytes.sum().item()
    return torch.tensor([of(row) for row in rows], dtype=log_probs.dtype), of(every), bits


EXERCISE = Exercise(
    title="Perplexity, and bits per byte",
    trains="which mean is meant",
    minutes=20,
    level="medium",
    section="07.6",
    solution=perplexity,
    checks=[
        Check(
            "One text",
            3,
            "Perplexity is e to the mean cost of a token, in nats. With one text, each and all are "
            "the same. A bit is ln 2 nats.",
            one_text,
        ),
        Check(
            "Texts of equal length",
            2,
            "A mean of perplexities is not the perplexity of all: average inside the exponent.",
            equal,
        ),
        Check(
            "Texts of unequal length",
            3,
            "Each text is divided by its own number of tokens; all together by the number of all "
            "tokens, padding left out.",
            unequal,
        ),
        Check(
            "Anything at padding",
            2,
            "What stands at padding must be put aside before you add: nan times 0 is nan.",
            anything_at_padding,
        ),
        Check(
            "Sure and impossible",
            2,
            "A model that is always sure has perplexity 1. One that held a token to be impossible "
            "has an infinite one.",
            sure_and_impossible,
        ),
    ],
    hints=[
        "Two texts cost 8 nats for 2 tokens and 4 nats for 10. What does a token cost on average, "
        "over all tokens? Is that the mean of 4 and 0.4?",
        "Set what is padding to 0, sum each row, count its tokens. Divide, then exponentiate: row "
        "by row, and once more with the sums of all rows. For bits divide nats by ln 2, for bytes "
        "by their number.",
        "`nats = -log_probs.masked_fill(mask == 0, 0).sum(dim=1)`. All together is e to the power "
        "`nats.sum() / n_tokens.sum()`; the bits per byte need `n_bytes.sum()` and `math.log(2)`.",
    ],
    wrong=[
        edit(
            "float((nats.sum() / n_tokens.sum()).exp())",
            "float((nats / n_tokens).exp().mean())",
            "Your perplexity of all is the mean of perplexities. Average inside the exponent.",
        ),
        edit(
            "float((nats.sum() / n_tokens.sum()).exp())",
            "float((nats / n_tokens).mean().exp())",
            "Your perplexity of all gives each *text* the same weight. Each token should have it.",
        ),
        edit(
            "(nats / n_tokens).exp(), together",
            "(nats / mask.shape[1]).exp(), together",
            "You divide each text by the width of the batch. Count its own tokens.",
        ),
        edit(
            "n_tokens.sum()",
            "mask.numel()",
            "All together you divide by the number of columns, padding counted.",
        ),
        edit(
            ".masked_fill(mask == 0, 0)",
            "",
            "You count what stands at padding.",
        ),
        edit(
            "log_probs.masked_fill(mask == 0, 0)",
            "(log_probs * mask)",
            "You multiply by the mask. At padding stand nan and -inf, and times 0 they are nan.",
        ),
        edit("nats = -log", "nats = log", "Your sign is wrong: a perplexity is never below 1."),
        edit(
            "(nats / n_tokens).exp(), together",
            "nats / n_tokens, together",
            "For each text you return nats per token. Perplexity is e to that power.",
        ),
        edit(
            "(nats / n_tokens).exp(), together",
            "nats.exp(), together",
            "You exponentiate the whole cost of a text. Perplexity is about one token: divide.",
        ),
        edit(
            "return (nats / n_tokens).exp()",
            "return (nats / n_tokens).exp2()",
            "You raise 2 to nats. To nats belongs e, to bits 2.",
        ),
        edit(
            " / math.log(2)",
            "",
            "Yours are nats per byte. How many nats is a bit?",
        ),
        edit(
            " / math.log(2)",
            " * math.log(2)",
            "You multiply by ln 2. A nat is more than a bit: 1 / ln 2 of them.",
        ),
        edit(
            "n_bytes.sum()",
            "n_tokens.sum()",
            "Yours are bits per token. Bytes make tokenizers comparable.",
        ),
        edit(
            "float(nats.sum() / n_bytes.sum())",
            "float((nats / n_bytes).mean())",
            "Your bits per byte give each text the same weight. Each byte should have it.",
        ),
    ],
    right=[written(by_powers), written(by_loops)],
    # Numbers may be computed in float32 and read afterwards.
    tolerance={"float32": 1e-4, "float64": 1e-4},
    survivors={"mask.sum()).exp()": "the mask has a 1 for each token"},
)
