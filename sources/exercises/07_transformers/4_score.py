"""07.4: the log-likelihood of each text of a batch."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def score(logits, ids, mask):
    """ln p of each row: of all its tokens but the first, each given those before it.

    Column t of the logits is about column t + 1 of the ids. A token counts if it and the one before
    it are no padding; padding may stand on either side, and the logits there may be anything.
    logits (B, T, V), ids (B, T), mask (B, T) of 0 and 1 -> (B,) in nats
    """
    log_probs = logits[:, :-1].log_softmax(dim=-1)  # (B, T - 1, V)
    of_ids = log_probs.gather(2, ids[:, 1:, None])[:, :, 0]  # (B, T - 1)
    counts = (mask[:, 1:] * mask[:, :-1]).bool()
    return of_ids.masked_fill(~counts, 0).sum(dim=1)


def masked(rows):
    return torch.tensor([[int(c) for c in row] for row in rows])


def batch(draw, rows, V=None, **more):
    mask = masked(draw.shuffled(rows))
    V = V or draw.choice([v for v in (3, 4, 5, 6) if v not in mask.shape])
    return call(draw.normal(*mask.shape, V), draw.integers(*mask.shape, below=V), mask, **more)


def one_text(draw):
    return batch(draw, ["11111"]), batch(draw, ["11"], V=5)


def equal(draw):
    return batch(draw, ["1111"] * 3)


def on_the_right(draw):
    return batch(draw, ["1110", "1100", "1111"]), batch(draw, ["10000", "11110"])


def on_the_left(draw):
    return batch(draw, ["0111", "0011", "1111"])


def any_logits(draw):
    """Large ones, and at padding such as turn into nan when they are multiplied by 0."""
    mask = masked(["1110", "0111", "1111"])
    logits, ids = draw.normal(3, 4, 5, scale=256), draw.integers(3, 4, below=5)
    yield call(logits, ids, mask)
    logits = draw.normal(3, 4, 5)
    logits[0, 2] = logits[1, 0] = -torch.inf
    logits[0, 3], logits[0, 2, ids[0, 3]] = torch.nan, -torch.inf
    yield call(logits, ids, mask)


def gradients(draw):
    return batch(draw, ["1110", "1111", "0011"], V=5, gradient=True)


def parts(logits, ids, mask):
    """ln p of each id but the first, (B, T - 1), and which of them count."""
    of_ids = logits[:, :-1].log_softmax(dim=-1).gather(2, ids[:, 1:, None])[:, :, 0]
    return of_ids, (mask[:, 1:] * mask[:, :-1]).bool()


def not_shifted(logits, ids, mask):
    of_ids = logits.log_softmax(dim=-1).gather(2, ids[:, :, None])[:, :, 0]
    return of_ids.masked_fill(mask == 0, 0).sum(dim=1)


def shifted_back(logits, ids, mask):
    of_ids = logits[:, 1:].log_softmax(dim=-1).gather(2, ids[:, :-1, None])[:, :, 0]
    return of_ids.masked_fill(mask[:, 1:] * mask[:, :-1] == 0, 0).sum(dim=1)


def shifted_twice(logits, ids, mask):
    if ids.shape[1] < 3:
        return logits.new_zeros(len(ids))
    of_ids = logits[:, :-2].log_softmax(dim=-1).gather(2, ids[:, 2:, None])[:, :, 0]
    return of_ids.masked_fill(mask[:, 2:] * mask[:, :-2] == 0, 0).sum(dim=1)


def product_with_mask(logits, ids, mask):
    of_ids, counts = parts(logits, ids, mask)
    return (of_ids * counts).sum(dim=1)


def of_the_whole_batch(logits, ids, mask):
    of_ids, counts = parts(logits, ids, mask)
    return of_ids.masked_fill(~counts, 0).sum()


def means(logits, ids, mask):
    of_ids, counts = parts(logits, ids, mask)
    return of_ids.masked_fill(~counts, 0).sum(dim=1) / counts.sum(dim=1).clamp(min=1)


def naive(logits, ids, mask):
    of_ids = logits[:, :-1].softmax(dim=-1).gather(2, ids[:, 1:, None])[:, :, 0].log()
    counts = (mask[:, 1:] * mask[:, :-1]).bool()
    return of_ids.masked_fill(~counts, 0).sum(dim=1)


def probabilities(logits, ids, mask):
    of_ids, counts = parts(logits, ids, mask)
    return of_ids.exp().masked_fill(~counts, 0).sum(dim=1)


def logits_alone(logits, ids, mask):
    of_ids = logits[:, :-1].gather(2, ids[:, 1:, None])[:, :, 0]
    return of_ids.masked_fill(~parts(logits, ids, mask)[1], 0).sum(dim=1)


def bits(logits, ids, mask):
    return score(logits, ids, mask) / torch.log(torch.tensor(2.0, dtype=torch.float64)).item()


def likeliest_tokens(logits, ids, mask):
    return score(logits, logits.nan_to_num().argmax(dim=-1).roll(1, dims=1), mask)


def by_cross_entropy(logits, ids, mask):
    labels = ids[:, 1:].masked_fill(mask[:, 1:] * mask[:, :-1] == 0, -100)
    losses = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), labels, reduction="none"
    )
    return -losses.sum(dim=1)


def by_loops(logits, ids, mask):
    totals = []
    for row, tokens, real in zip(logits, ids, mask, strict=True):
        total = row.new_zeros(())
        for t in range(1, len(tokens)):
            if real[t] and real[t - 1]:
                total = total + row[t - 1, tokens[t]] - row[t - 1].logsumexp(dim=0)
        totals.append(total)
    return torch.stack(totals)


EXERCISE = Exercise(
    title="Score a batch of texts",
    trains="the shift, `gather`, masks",
    minutes=25,
    level="medium",
    section="07.6",
    solution=score,
    checks=[
        Check(
            "One text",
            4,
            "The logits of a token are about the *next* one. The first token has nobody who "
            "foretells it, the last one's logits foretell nobody here.",
            one_text,
        ),
        Check(
            "Several texts",
            2,
            "A score for each row: sum over its tokens, not over the batch.",
            equal,
        ),
        Check(
            "Padded on the right",
            3,
            "The pad after a text is not a part of it: it must cost nothing.",
            on_the_right,
        ),
        Check(
            "Padded on the left",
            3,
            "A row's first real token would be foretold by a pad. It doesn't count.",
            on_the_left,
        ),
        Check(
            "Any logits",
            3,
            "Logits may be large, and at padding even -inf or nan. Zero times infinity is not "
            "zero: put what doesn't count aside.",
            any_logits,
        ),
        Check(
            "It can be trained on",
            2,
            "Gradients must reach the logits that count, and only those.",
            gradients,
        ),
    ],
    hints=[
        "Write four tokens in a row and below them their logits. Which logits are about the third "
        "token? How many tokens of the four can be scored?",
        "Take `log_softmax` of all columns but the last, and from each the entry of the id one "
        "column later: `gather`. Set what doesn't count to 0 with `masked_fill`, and sum each row.",
        "`log_probs.gather(2, ids[:, 1:, None])[:, :, 0]` picks the entries; a token counts where "
        "`mask[:, 1:] * mask[:, :-1]` is 1.",
    ],
    wrong=[
        written(
            not_shifted,
            says="You don't shift: each token's logits are asked for that token itself.",
        ),
        written(
            shifted_back,
            says="You shift the wrong way: logits are asked for the token before theirs.",
        ),
        written(shifted_twice, says="You shift twice: logits are asked for the token after next."),
        written(
            product_with_mask,
            says="You multiply by the mask. -inf times 0 is nan: use `masked_fill` or `where`.",
        ),
        edit(
            "(mask[:, 1:] * mask[:, :-1]).bool()",
            "mask[:, 1:].bool()",
            "With padding on the left you count a row's first token, which a pad foretells.",
        ),
        edit(
            "(mask[:, 1:] * mask[:, :-1]).bool()",
            "mask[:, :-1].bool()",
            "With padding on the right you count the first pad.",
        ),
        edit(".masked_fill(~counts, 0)", "", "You count padding."),
        edit("~counts", "counts", "Your mask is the wrong way round: you count padding alone."),
        written(of_the_whole_batch, says="You sum over the whole batch. Each row has its score."),
        written(means, says="You return means. The likelihood of a text is a sum of logarithms."),
        edit(
            "return of_ids",
            "return -of_ids",
            "Your sign is that of a loss. ln p of anything is at most 0.",
        ),
        written(
            naive,
            says="You take the logarithm of a softmax: what is very unlikely becomes ln 0. See "
            "`log_softmax`.",
        ),
        written(
            probabilities,
            says="You add probabilities. Probabilities multiply, and their logarithms add.",
        ),
        written(logits_alone, says="You add logits. They are no log-probabilities yet."),
        written(bits, says="Your score is in bits. Nats are asked for: the natural logarithm."),
        written(
            likeliest_tokens,
            says="You score the likeliest tokens, not those of the text.",
        ),
        edit(
            "log_softmax(dim=-1)",
            "log_softmax(dim=1)",
            "Your softmax runs over the places of a text. It belongs over the vocabulary.",
        ),
    ],
    right=[written(by_cross_entropy), written(by_loops)],
    survivors={
        "logits[:, :].log_softmax": "`gather` takes as many columns as there are ids to pick",
        "[:, :, -1]": "there is one entry, the first and the last",
    },
)
