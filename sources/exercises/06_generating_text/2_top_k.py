"""06.2: cutting the tail by number and by height."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def top_k(logits, k):
    """Keep the k largest logits of each row; the others become -inf.

    Those as large as the last one kept stay, too. With fewer than k logits all stay.
    logits (..., V), k a whole number of at least 1 -> (..., V)
    """
    last_kept = logits.topk(min(k, logits.shape[-1])).values[..., -1:]
    return logits.masked_fill(logits < last_kept, -math.inf)


def min_p(logits, p):
    """Keep tokens that are at least p times as likely as the likeliest; the others become -inf.

    logits (..., V), p from 0 (all stay) to 1 (the likeliest stay) -> (..., V)
    """
    probs = logits.softmax(dim=-1)
    return logits.masked_fill(probs < p * probs.amax(dim=-1, keepdim=True), -math.inf)


def distinct(draw, *shape):
    """Logits of which no two in a row are equal, as quarters."""
    rows = torch.Size(shape[:-1]).numel()
    V = shape[-1]
    values = [[n - V // 2 for n in draw.shuffled(range(V))] for _ in range(rows)]
    return torch.tensor(values, dtype=draw.dtype).view(shape) / 4


def k_of_some(draw):
    B, T, V = draw.sizes(3, low=3, high=6)
    return call(distinct(draw, B, T, V), 2, to="top_k"), call(distinct(draw, 5), 1, to="top_k")


def k_ties(draw):
    one = torch.tensor(draw.shuffled([3, 1, 1, 1, 0, -2]), dtype=draw.dtype)
    all_equal = torch.full((6,), 0.5, dtype=draw.dtype)
    return call(torch.stack([one, all_equal, one.flip(0)]), 2, to="top_k")


def k_beyond(draw):
    logits = distinct(draw, 3, 5)
    logits[1, 1:4] = -torch.inf
    return call(logits, 4, to="top_k"), call(logits, 9, to="top_k")


def p_of_some(draw):
    B, T, V = draw.sizes(3, low=3, high=6)
    return (
        call(draw.normal(9, scale=2), 0.2, to="min_p"),
        call(draw.normal(B, T, V, scale=2) + 3, 0.1, to="min_p"),
    )


def p_of_levels(draw):
    logits = distinct(draw, 4, 8) * 4
    return call(logits + 1000, 0.1, to="min_p"), call(logits - 1000, 0.02, to="min_p")


def p_ends(draw):
    logits = draw.normal(3, 6)
    logits[0, :2] = 4.0
    logits[1, 2] = -torch.inf
    return call(logits, 1.0, to="min_p"), call(logits, 0.0, to="min_p")


def exactly_k(logits, k):
    best = logits.topk(min(k, logits.shape[-1]), dim=-1)
    return torch.full_like(logits, -math.inf).scatter(-1, best.indices, best.values)


def of_the_whole_batch(logits, k):
    last_kept = logits.flatten().topk(min(k, logits.numel())).values[-1]
    return logits.masked_fill(logits < last_kept, -math.inf)


def probabilities(logits, k):
    return top_k(logits, k).softmax(dim=-1)


def only_the_kept(logits, k):
    return logits.topk(min(k, logits.shape[-1]), dim=-1).values


def of_the_batch_p(logits, p):
    probs = logits.softmax(dim=-1)
    return logits.masked_fill(probs < p * probs.max(), -math.inf)


def of_an_even_share(logits, p):
    probs = logits.softmax(dim=-1)
    return logits.masked_fill(probs < p / logits.shape[-1], -math.inf)


def of_logits(logits, p):
    return logits.masked_fill(logits < p * logits.amax(dim=-1, keepdim=True), -math.inf)


def k_by_sorting(logits, k):
    ranked = logits.sort(dim=-1, descending=True).values
    last_kept = ranked[..., min(k, ranked.shape[-1]) - 1].unsqueeze(-1)
    return torch.where(logits >= last_kept, logits, -math.inf)


def k_by_counting(logits, k):
    n_larger = (logits[..., None, :] > logits[..., :, None]).sum(dim=-1)
    return torch.where(n_larger < k, logits, -math.inf)


def p_by_distance(logits, p):
    if p == 0:
        return logits
    distance = logits.amax(dim=-1, keepdim=True) - logits
    return torch.where(distance <= -math.log(p), logits, -math.inf)


EXERCISE = Exercise(
    title="Top-k and min-p",
    trains="thresholds, ties",
    minutes=20,
    level="easy",
    section="06.3",
    solution=(top_k, min_p),
    checks=[
        Check(
            "The k largest",
            3,
            "Each row has its own k-th largest logit. What is below it becomes -inf, so that a "
            "softmax makes 0 of it; what stays is not changed.",
            k_of_some,
        ),
        Check(
            "Ties at the border",
            3,
            "Where several are as large as the last one kept, none of them is better than the "
            "others: all stay.",
            k_ties,
        ),
        Check(
            "More than there are",
            2,
            "k may be larger than the vocabulary, and than the number of logits that are not -inf. "
            "Then nothing is cut.",
            k_beyond,
        ),
        Check(
            "Min-p",
            3,
            "Compare probabilities, not logits, and compare each with p times the largest of its "
            "own row.",
            p_of_some,
        ),
        Check(
            "Logits at any level",
            2,
            "A thousand more for every logit changes no probability, so it must change nothing "
            "here.",
            p_of_levels,
        ),
        Check(
            "All and the likeliest",
            2,
            "At p = 1 the likeliest stay, all of them where they are equal. At p = 0 all stay, and "
            "what was -inf remains so.",
            p_ends,
        ),
    ],
    hints=[
        "Which single number of a row decides what stays? Can you find it without knowing *where* "
        "it stands?",
        "`topk` gives the k largest of each row in order; the last of them is the threshold. For "
        "min-p the threshold is p times the largest probability. `masked_fill` does the rest.",
        "The threshold must keep its dimension, to be compared with a whole row: `[..., -1:]` or "
        "`keepdim=True`. `topk` refuses more than there are: `min(k, logits.shape[-1])`.",
    ],
    wrong=[
        written(
            exactly_k,
            min_p,
            says="You keep exactly k, and which of several equal ones is chance. Keep what is as "
            "large as the last one.",
        ),
        written(
            of_the_whole_batch,
            min_p,
            says="You keep the k largest of the whole batch. Each row has its own.",
        ),
        written(
            probabilities, min_p, says="Your `top_k` returns probabilities. It should give logits."
        ),
        written(
            only_the_kept,
            min_p,
            says="Your `top_k` returns only those it keeps. A token is known by its place, so all "
            "places must stay.",
        ),
        edit(
            "logits < last_kept, -math.inf",
            "logits < last_kept, 0.0",
            "Your `top_k` sets what is cut to 0. To a softmax a logit of 0 is one like any other.",
        ),
        edit(
            "logits < last_kept, -math.inf",
            "logits < last_kept, -1e9",
            "You cut with a large negative number. Logits can be lower still; -inf is the least.",
        ),
        edit(
            "logits < last_kept",
            "logits <= last_kept",
            "The k-th largest itself is to stay. Yours goes.",
        ),
        edit(
            "logits < last_kept",
            "logits > last_kept",
            "Your `top_k` cuts the largest. It should keep them.",
        ),
        edit(
            "min(k, logits.shape[-1])",
            "k",
            "Right, but your `top_k` fails when k is larger than the vocabulary.",
        ),
        edit(
            "min(k, logits.shape[-1])",
            "min(k + 1, logits.shape[-1])",
            "You keep one more than k.",
        ),
        edit(
            "probs < p * probs.amax(dim=-1, keepdim=True)",
            "probs < p",
            "Your min-p compares with p itself. It is a share of the largest probability.",
        ),
        written(
            top_k,
            of_logits,
            says="Your min-p compares logits. It is probabilities that can be p times as large.",
        ),
        written(
            top_k,
            of_the_batch_p,
            says="Your min-p compares with the largest probability of the whole batch.",
        ),
        written(
            top_k,
            of_an_even_share,
            says="Your min-p compares with p times 1/V. Compare with the likeliest of the row.",
        ),
        edit(
            "return logits.masked_fill(probs",
            "return probs.masked_fill(probs",
            "Your `min_p` returns probabilities. It should give logits.",
        ),
        edit(
            "probs < p *",
            "probs <= p *",
            "A token *exactly* p times as likely stays. At p = 1 you cut even the likeliest.",
        ),
    ],
    right=[written(k_by_sorting, p_by_distance), written(k_by_counting, min_p)],
)
