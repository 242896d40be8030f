"""07.3: what a model says after the last real token of each row."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def last_logits(logits, mask):
    """The logits at the last real token of each row, and the likeliest next token.

    Padding, where the mask is 0, may stand on the left, on the right, or on both sides. Of equally
    likely tokens the one with the smallest id is taken.
    logits (B, T, V), mask (B, T) of 0 and 1, with a 1 in each row -> (B, V), (B,) whole numbers
    """
    T = mask.shape[1]
    last = (mask * torch.arange(1, T + 1, device=mask.device)).argmax(dim=1)  # (B,)
    chosen = logits[torch.arange(len(logits), device=mask.device), last]
    largest = chosen == chosen.amax(dim=1, keepdim=True)
    return chosen, largest.long().argmax(dim=1)


def masked(rows):
    return torch.tensor([[int(c) for c in row] for row in rows])


def batch(draw, rows):
    mask = masked(draw.shuffled(rows))
    V = draw.choice([v for v in (3, 4, 5, 6, 7) if v not in mask.shape])
    return call(draw.normal(*mask.shape, V) + torch.arange(V) / 64, mask)


def on_the_right(draw):
    return batch(draw, ["11100", "11000", "11111", "10000"])


def on_the_left(draw):
    return batch(draw, ["0001", "0111", "1111"])


def on_both_sides(draw):
    return batch(draw, ["011100", "001000", "000111", "111110"])


def alone(draw):
    return batch(draw, ["110"]), batch(draw, ["1"])


def ties(draw):
    logits = draw.integers(4, 3, 5, below=2).to(draw.dtype)
    logits[0] = -torch.inf
    logits[0, :, 3] = 0.5
    return call(logits, masked(["110", "111", "100", "011"]))


def likeliest(chosen):
    return chosen, (chosen == chosen.amax(dim=-1, keepdim=True)).long().argmax(dim=-1)


def at(logits, column):
    return likeliest(logits[torch.arange(len(logits)), column])


def last_column(logits, mask):
    return likeliest(logits[:, -1])


def by_count(logits, mask):
    return at(logits, mask.sum(dim=1) - 1)


def one_too_far(logits, mask):
    last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(dim=1)
    return at(logits, (last + 1).clamp(max=mask.shape[1] - 1))


def one_too_early(logits, mask):
    last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(dim=1)
    return at(logits, (last - 1).clamp(min=0))


def first_real(logits, mask):
    return at(logits, mask.argmax(dim=1))


def mean(logits, mask):
    weight = mask[:, :, None].to(logits.dtype)
    return likeliest((logits.nan_to_num(neginf=-1e4) * weight).sum(dim=1) / weight.sum(dim=1))


def largest_logits(logits, mask):
    return likeliest(logits.masked_fill(mask[:, :, None] == 0, -torch.inf).amax(dim=1))


def all_pairs(logits, mask):
    last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(dim=1)
    chosen = logits[:, last]
    return chosen, likeliest(chosen)[1]


def the_first_rows_end(logits, mask):
    last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(dim=1)
    return likeliest(logits[:, last[0]])


def largest_id(logits, mask):
    chosen, _ = last_logits(logits, mask)
    tied = chosen == chosen.amax(dim=-1, keepdim=True)
    return chosen, (tied * torch.arange(1, chosen.shape[-1] + 1)).argmax(dim=-1)


def least_likely(logits, mask):
    chosen, _ = last_logits(logits, mask)
    return chosen, likeliest(-chosen)[1]


def over_the_batch(logits, mask):
    chosen, _ = last_logits(logits, mask)
    return chosen, likeliest(chosen.T)[1]


def probabilities(logits, mask):
    chosen, tokens = last_logits(logits, mask)
    return chosen.softmax(dim=-1), tokens


def by_loops(logits, mask):
    rows, tokens = [], []
    for row, real in zip(logits, mask.tolist(), strict=True):
        t = max(i for i, one in enumerate(real) if one)
        values = row[t].tolist()
        rows.append(row[t])
        tokens.append(values.index(max(values)))
    return torch.stack(rows), torch.tensor(tokens)


def by_gather(logits, mask):
    last = mask.shape[1] - 1 - mask.flip(1).argmax(dim=1)
    chosen = logits.gather(1, last[:, None, None].expand(-1, 1, logits.shape[-1]))[:, 0]
    return likeliest(chosen)


EXERCISE = Exercise(
    title="After the last real token",
    trains="indexing with two index tensors",
    minutes=20,
    level="medium",
    section="07.4",
    solution=last_logits,
    checks=[
        Check(
            "Padded on the right",
            4,
            "Each row has its own last column. Read off a pad, the next token means nothing.",
            on_the_right,
        ),
        Check(
            "Padded on the left",
            3,
            "Here all rows end in the last column, however many tokens they have.",
            on_the_left,
        ),
        Check(
            "Padded on both sides",
            4,
            "How many tokens a row has is not where it ends. Which 1 of the mask is the last one?",
            on_both_sides,
        ),
        Check(
            "A batch of one",
            2,
            "One row gives (1, V) logits and (1,) tokens: the dimension of the batch stays.",
            alone,
        ),
        Check(
            "Ties",
            2,
            "Logits of 0 and 1 alone tie often. The smallest id among the largest is the answer.",
            ties,
        ),
    ],
    hints=[
        "For the mask 0 1 1 1 0 0: how would you find the column of the last 1 with `argmax`, "
        "which finds the largest?",
        "Multiply the mask by 1, 2, 3, ...: the last 1 gives the largest product. Then take one "
        "column for each row: index with row numbers and columns.",
        "`logits[torch.arange(B), last]` pairs the two, row by row; `logits[:, last]` takes all "
        "columns of all rows. Mark what equals the largest, and take the `argmax` of the marks as "
        "numbers.",
    ],
    wrong=[
        written(
            last_column, says="You take the last column. With padding on the right it is a pad."
        ),
        written(
            by_count,
            says="You count the tokens of a row. That is its last column only if it begins in the "
            "first one.",
        ),
        written(one_too_far, says="You look one column behind the last token."),
        written(one_too_early, says="You look one column before the last token."),
        written(first_real, says="You take the first real token. `argmax` of a mask finds it."),
        written(mean, says="You average over the row. The last token has read all of it."),
        written(largest_logits, says="You take the largest logit of each column. Take one column."),
        written(
            all_pairs,
            says="Your index takes the columns of *all* rows from each row: (B, B, V). Pair row "
            "numbers with columns.",
        ),
        written(the_first_rows_end, says="You read all rows where the first one ends."),
        written(largest_id, says="Where several are largest you take the last. Smaller ids first."),
        written(least_likely, says="Your token is the least likely one."),
        written(over_the_batch, says="Your tokens are chosen over the batch, not in each row."),
        written(probabilities, says="You return probabilities. The logits are asked for."),
    ],
    right=[written(by_loops), written(by_gather)],
    survivors={
        "T = logits.shape[1]": "logits and mask have as many columns",
        "torch.arange(len(mask)": "logits and mask have as many rows",
        "torch.arange(len(last)": "each row has one last token",
    },
)
