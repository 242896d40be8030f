"""08.1: one vector for each text, from the last token that is no padding."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def pool_last(x, idx, pad):
    """The vector of each row's last token that is not `pad`; zeros where a row has none.

    Padding may stand on either side of a text, and the id `pad` may also occur inside of it. What
    stands in x at padding is arbitrary, also nan.
    x (B, T, C), idx (B, T) token ids, pad an id -> (B, C)
    """
    real = idx != pad  # (B, T)
    places = torch.arange(1, idx.shape[1] + 1, device=idx.device)
    last = (real * places).argmax(dim=1)  # (B,)
    pooled = x[torch.arange(len(idx), device=x.device), last]
    return pooled.masked_fill(~real.any(dim=1, keepdim=True), 0)


# The inputs that each check draws: "x" is a token, "." is padding.


def batch(draw, rows, nan=False, **more):
    rows = draw.shuffled(rows)
    B, T = len(rows), len(rows[0])
    C = draw.choice([c for c in (2, 3, 4, 5, 6, 7) if c not in (B, T)])
    pad = draw.integer(0, 9)
    idx = (pad + 1 + draw.integers(B, T, below=9)) % 10  # never `pad`
    real = torch.tensor([[c == "x" for c in row] for row in rows])
    x = draw.normal(B, T, C) + torch.arange(C) / 32
    if nan:
        x[~real] = torch.nan
    return call(x, idx.masked_fill(~real, pad), pad, **more)


def on_the_right(draw):
    return batch(draw, ["xxxx.", "xx...", "xxxxx", "x...."])


def on_the_left(draw):
    return batch(draw, [".xxx", "...x", "xxxx"])


def inside(draw):
    return batch(draw, ["x.xx..", ".x..x.", "xx.xxx", "x.x..."])


def only_padding(draw):
    return batch(draw, ["xxx.", "....", ".xx."]), batch(draw, ["xx...", ".....", "..xxx"], nan=True)


def gradients(draw):
    return batch(draw, ["xx..", ".x.x", "...."], gradient=True)


def end_of(idx, pad):
    return ((idx != pad) * torch.arange(1, idx.shape[1] + 1)).argmax(dim=1)


def at(x, columns):
    return x[torch.arange(len(x)), columns]


def emptied(pooled, idx, pad):
    return pooled.masked_fill((idx == pad).all(dim=1, keepdim=True), 0)


def last_column(x, idx, pad):
    return emptied(x[:, -1], idx, pad)


def by_count(x, idx, pad):
    return emptied(at(x, (idx != pad).sum(dim=1) - 1), idx, pad)


def before_the_first_pad(x, idx, pad):
    return emptied(at(x, (idx == pad).long().argmax(dim=1) - 1), idx, pad)


def first_token(x, idx, pad):
    return emptied(at(x, (idx != pad).long().argmax(dim=1)), idx, pad)


def mean(x, idx, pad):
    real = (idx != pad)[:, :, None]
    return x.masked_fill(~real, 0).sum(dim=1) / real.sum(dim=1).clamp(min=1)


def total(x, idx, pad):
    return x.masked_fill((idx == pad)[:, :, None], 0).sum(dim=1)


def largest(x, idx, pad):
    return emptied(x.masked_fill((idx == pad)[:, :, None], -torch.inf).amax(dim=1), idx, pad)


def one_too_early(x, idx, pad):
    return emptied(at(x, (end_of(idx, pad) - 1).clamp(min=0)), idx, pad)


def one_too_far(x, idx, pad):
    return emptied(at(x, (end_of(idx, pad) + 1).clamp(max=idx.shape[1] - 1)), idx, pad)


def all_pairs(x, idx, pad):
    return x[:, end_of(idx, pad)]


def the_first_rows_end(x, idx, pad):
    return emptied(x[:, end_of(idx, pad)[0]], idx, pad)


def times_the_mask(x, idx, pad):
    return at(x, end_of(idx, pad)) * (idx != pad).any(dim=1, keepdim=True)


def detached(x, idx, pad):
    return pool_last(x.detach(), idx, pad).requires_grad_()


def by_loops(x, idx, pad):
    rows = []
    for vectors, ids in zip(x, idx.tolist(), strict=True):
        real = [t for t, token in enumerate(ids) if token != pad]
        rows.append(vectors[real[-1]] if real else torch.zeros_like(vectors[0]))
    return torch.stack(rows)


def by_flipping(x, idx, pad):
    real = (idx != pad).flip(1)
    is_last = (real & (real.cumsum(dim=1) == 1)).flip(1)
    return x.masked_fill(~is_last[:, :, None], 0).sum(dim=1)


EXERCISE = Exercise(
    title="Pooling the last token",
    trains="indexing, masks, padding",
    minutes=20,
    level="medium",
    section="08.1",
    solution=pool_last,
    checks=[
        Check(
            "Padded on the right",
            4,
            "A classification head reads one vector for each text: that of its last token, which "
            "has read all the others. Each row ends in a column of its own.",
            on_the_right,
        ),
        Check(
            "Padded on the left",
            3,
            "Here every row ends in the last column, however many tokens it has.",
            on_the_left,
        ),
        Check(
            "The pad id inside of a text",
            4,
            "GPT-2 pads with <|endoftext|>, which may also stand between two texts. Neither the "
            "first pad nor the number of tokens says where a row ends.",
            inside,
        ),
        Check(
            "Nothing but padding",
            3,
            "A row without any token gives zeros, whatever x holds there. nan times 0 is nan.",
            only_padding,
        ),
        Check(
            "It can learn",
            3,
            "The gradient reaches the last token's vector in each row, and nothing else.",
            gradients,
        ),
    ],
    hints=[
        "For the row of tokens 5 0 7 0 0, padded with 0: how would you find the place of the 7 "
        "with one `argmax`?",
        "Mark what is not padding, and multiply the marks by 1, 2, 3, ...: the last token gives "
        "the largest product. Index x with row numbers and these places. In the end put zeros into "
        "the rows without any mark.",
        "`last = (real * places).argmax(dim=1)`, then `x[torch.arange(B), last]`. "
        "`masked_fill` with the rows where not `real.any(dim=1, keepdim=True)` puts the zeros.",
    ],
    wrong=[
        written(last_column, says="You take the last column. Padded on the right, it is a pad."),
        written(
            by_count,
            says="You count a row's tokens. That is its end only if no pad stands before it.",
        ),
        written(
            before_the_first_pad,
            says="You take what stands before the first pad. Look for the last token: pads may "
            "come first, or in between, or not at all.",
        ),
        written(first_token, says="You take the first token. It has read nothing but itself."),
        written(mean, says="You average over the text. The last token is asked for."),
        written(total, says="You add up the text. The last token is asked for."),
        written(
            largest, says="You take the largest entry of each column. Take one token's vector."
        ),
        written(one_too_early, says="You look one place before the last token."),
        written(one_too_far, says="You look one place behind the last token."),
        written(
            all_pairs,
            says="Your index takes the places of *all* rows from each row: (B, B, C). Pair row "
            "numbers with places.",
        ),
        written(the_first_rows_end, says="You read all rows where the first one ends."),
        edit(
            ".masked_fill(~real.any(dim=1, keepdim=True), 0)",
            "",
            "A row without any token gives whatever stands in its first column. It should be 0.",
        ),
        written(
            times_the_mask,
            says="You multiply by 0 what should be 0. If nan stands there it remains nan.",
        ),
        written(
            detached,
            says="Right, but no gradient comes back to x: the model below could not learn.",
        ),
    ],
    right=[written(by_loops), written(by_flipping)],
    survivors={
        "torch.arange(len(x)": "x and idx have as many rows",
        "torch.arange(len(last)": "each row has one last place",
        "torch.arange(len(real)": "each row has its marks",
        "torch.arange(1, x.shape[1] + 1": "x and idx have as many columns",
        "torch.arange(1, real.shape[1] + 1": "each id has its mark",
    },
)
