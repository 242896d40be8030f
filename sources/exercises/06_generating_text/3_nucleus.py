"""06.3: the smallest set of likeliest tokens that holds p."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def nucleus(probs, p):
    """Keep the smallest set of likeliest tokens that holds at least p; share out anew.

    Of equally likely tokens the one with the smaller id counts as likelier. Tokens outside get 0;
    those inside are divided by their sum.
    probs (..., V) that sum to 1, p above 0 and at most 1 -> (..., V)
    """
    ranked, order = probs.sort(descending=True, stable=True)
    held_before = ranked.cumsum(dim=-1) - ranked  # by the likelier tokens together
    kept = torch.zeros_like(probs).scatter(-1, order, ranked.masked_fill(held_before >= p, 0))
    return kept / kept.sum(dim=-1, keepdim=True)


# Sixteenths: sums of them are exact, so a border is a border on every machine.
DISTINCT = ([6, 5, 3, 2], [7, 4, 3, 2], [8, 4, 3, 1], [5, 6, 4, 1])
TIED = ([4, 4, 4, 2, 2], [3, 3, 3, 3, 4], [2, 2, 5, 5, 2])


def rows(draw, options, *shape):
    """Rows of probabilities, each in an order of its own, filled up with zeros."""
    n = torch.Size(shape[:-1]).numel()
    drawn = []
    for _ in range(n):
        row = draw.choice(options)
        drawn.append(draw.shuffled([*row, *[0] * (shape[-1] - len(row))]))
    return torch.tensor(drawn, dtype=draw.dtype).view(shape) / 16


def one_row(draw):
    probs = torch.tensor(
        draw.shuffled([0.3125, 0.25, 0.1875, 0.09375, 0.09375, 0.0625]), dtype=draw.dtype
    )
    return call(probs, 0.8)


def many(draw):
    B, T, V = draw.sizes(3, low=2, high=4)
    return (
        call(rows(draw, DISTINCT, B, T, V + 3), 0.53),
        call(rows(draw, DISTINCT, B, 5), 0.84),
    )


def on_the_border(draw):
    row = torch.tensor(draw.shuffled([8, 4, 2, 1, 1]), dtype=draw.dtype) / 16
    return call(row[None], 0.5), call(row, 0.875)


def ties(draw):
    probs = rows(draw, TIED, 4, 6)
    even = torch.full((1, 8), 0.125, dtype=draw.dtype)
    return call(probs, 0.7), call(even, 0.25), call(even, 0.3)


def ends(draw):
    probs = rows(draw, DISTINCT, 3, 6)
    sure = torch.tensor([[0.0, 1.0, 0.0]], dtype=draw.dtype)
    return call(probs, 1.0), call(probs, 2.0**-20), call(sure, 0.9)


def kept_where(probs, keep):
    kept = probs * keep
    return kept / kept.sum(dim=-1, keepdim=True)


def without_the_crossing(probs, p):
    ranked, order = probs.sort(dim=-1, descending=True, stable=True)
    keep = ranked.cumsum(dim=-1) <= p
    keep[..., 0] = True  # or nothing might be left
    return kept_where(probs, torch.zeros_like(keep).scatter(-1, order, keep))


def in_sorted_order(probs, p):
    ranked = probs.sort(dim=-1, descending=True, stable=True).values
    held_before = ranked.cumsum(dim=-1) - ranked
    return kept_where(probs, held_before < p)


def by_gather(probs, p):
    ranked, order = probs.sort(dim=-1, descending=True, stable=True)
    keep = (ranked.cumsum(dim=-1) - ranked) < p
    return kept_where(probs, keep.gather(-1, order))


def all_ties(probs, p):
    ranked = probs.sort(dim=-1, descending=True, stable=True).values
    outside = ranked.cumsum(dim=-1) - ranked >= p
    least = ranked.masked_fill(outside, 2).amin(dim=-1, keepdim=True)
    return kept_where(probs, probs >= least)


def later_first(probs, p):
    return nucleus(probs.flip(-1), p).flip(-1)


def in_order_of_ids(probs, p):
    return kept_where(probs, probs.cumsum(dim=-1) - probs < p)


def above_p(probs, p):
    keep = probs >= p
    keep |= probs == probs.amax(dim=-1, keepdim=True)
    return kept_where(probs, keep)


def above_the_rest(probs, p):
    keep = (probs >= 1 - p) | (probs == probs.amax(dim=-1, keepdim=True))
    return kept_where(probs, keep)


def sorted_out(probs, p):
    ranked = probs.sort(dim=-1, descending=True, stable=True).values
    return kept_where(ranked, ranked.cumsum(dim=-1) - ranked < p)


def softmax_again(probs, p):
    kept = nucleus(probs, p)
    return (kept.log()).softmax(dim=-1) if p == 1 else probs.where(kept > 0, -torch.inf).softmax(-1)


def one_of_the_batch(probs, p):
    flat = nucleus(probs.flatten() / probs.sum(), p).view(probs.shape)
    return kept_where(probs, flat > 0).nan_to_num(0)


def by_loops(probs, p):
    if probs.dim() > 1:
        return torch.stack([by_loops(row, p) for row in probs])
    out, held = torch.zeros_like(probs), 0.0
    for token in sorted(range(len(probs)), key=lambda i: (-probs[i].item(), i)):
        if held >= p:
            break
        out[token] = probs[token]
        held += probs[token].item()
    return out / held


def by_comparing(probs, p):
    ids = torch.arange(probs.shape[-1], device=probs.device)
    mine, other = probs[..., :, None], probs[..., None, :]
    likelier = (other > mine) | ((other == mine) & (ids < ids[:, None]))
    held_before = (likelier * other).sum(dim=-1)
    return kept_where(probs, held_before < p)


EXERCISE = Exercise(
    title="Top-p, exactly",
    trains="sorting there and back",
    minutes=30,
    level="medium",
    section="06.3",
    solution=nucleus,
    checks=[
        Check(
            "One row",
            3,
            "Add up from the likeliest token down. A token is needed as long as those before it "
            "hold *less* than p; so the one that crosses p is needed, too.",
            one_row,
        ),
        Check(
            "Batches",
            4,
            "Each row has its own order. After deciding in sorted order, bring the decision back "
            "to the tokens it is about.",
            many,
        ),
        Check(
            "Exactly p",
            3,
            "A set that holds exactly p holds at least p. Then the next token is not needed.",
            on_the_border,
        ),
        Check(
            "Ties",
            4,
            "The *smallest* set: of equally likely tokens some may stay and others go. The smaller "
            "ids come first: does your sort keep the order of equal ones?",
            ties,
        ),
        Check(
            "All, or one",
            2,
            "At p = 1 nothing is lost. A tiny p leaves the likeliest token, never none.",
            ends,
        ),
    ],
    hints=[
        "Sort by hand 0.2, 0.5, 0.3 and take p = 0.6. Which tokens stay? What do the tokens before "
        "each of them hold together?",
        "Sort descending, with `stable=True`. What stands before a token is `cumsum` minus itself; "
        "where that is p or more, put 0. `scatter` with the order puts numbers back where they "
        "came from. Divide by the sum.",
        "`ranked, order = probs.sort(dim=-1, descending=True, stable=True)`; then "
        "`torch.zeros_like(probs).scatter(-1, order, what_stays)`, which is what `gather` is not: "
        "the way back.",
    ],
    wrong=[
        written(
            without_the_crossing,
            says="You leave out the token that crosses p, so that your set holds less than p.",
        ),
        written(
            in_sorted_order,
            says="You decide in sorted order and apply it in the order of ids. Bring it back.",
        ),
        written(
            by_gather,
            says="You bring the decision back with `gather`. It sorts once more; the way back is "
            "`scatter`.",
        ),
        written(
            all_ties,
            says="You keep everything as likely as the last one. The smallest set takes only as "
            "many as it needs.",
        ),
        written(
            later_first, says="Of equally likely tokens you take the later ones. Smaller ids first."
        ),
        written(in_order_of_ids, says="You add up in the order of ids. Begin with the likeliest."),
        written(
            above_p, says="You keep tokens of probability p or more. p is what they hold together."
        ),
        written(
            above_the_rest,
            says="You keep tokens of probability 1 - p or more. Add up, from the likeliest down.",
        ),
        written(
            sorted_out,
            says="Your numbers are right, but they stand in sorted order, not with their tokens.",
        ),
        written(
            one_of_the_batch,
            says="You make one set for the whole batch. Each row has its own.",
        ),
        written(
            softmax_again,
            says="You take a softmax of probabilities. Divide by the sum of those that stay.",
        ),
        edit(
            "held_before >= p",
            "held_before > p",
            "Where the likelier ones hold exactly p, you take one more.",
        ),
        edit("descending=True, ", "", "You begin with the least likely."),
        edit(
            "return kept / kept.sum(dim=-1, keepdim=True)",
            "return kept",
            "What stays sums to less than 1. Share out anew: divide by the sum.",
        ),
        edit(
            "return kept / kept.sum(dim=-1, keepdim=True)",
            "return kept / kept.sum()",
            "You divide by the sum of the whole batch. Each row sums to 1 by itself.",
        ),
    ],
    right=[written(by_loops), written(by_comparing)],
    survivors={
        "descending=True)": "on a CPU sorting keeps the order of equal ones anyway",
        "stable=False": "on a CPU sorting keeps the order of equal ones anyway",
        "zeros_like(held_before)": "it has the shape and dtype of probs",
        "zeros_like(ranked)": "it has the shape and dtype of probs",
    },
)
