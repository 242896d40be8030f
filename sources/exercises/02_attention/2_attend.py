"""02.2: scaled dot-product attention."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def attend(q, k, v):
    """Mix values by how well queries match keys; return the mixture and the weights.

    q (..., Q, D), k (..., K, D), v (..., K, Dv) -> (..., Q, Dv) and (..., Q, K)
    """
    attn_scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., Q, K)
    attn_weights = attn_scores.softmax(dim=-1)
    return attn_weights @ v, attn_weights


def one_sequence(draw):
    Q, K, D, Dv = draw.sizes(4)
    q, k, v = draw.normal(Q, D), draw.normal(K, D), draw.normal(K, Dv)
    return call(q, k, v)


def many(draw):
    Q, K, D, Dv = draw.sizes(4)
    q, k, v = draw.normal(1, 2, Q, D), draw.normal(1, 2, K, D), draw.normal(1, 2, K, Dv)
    return call(q, k, v)


def wide(draw):
    Q, K = draw.sizes(2, low=2, high=4)
    D = draw.choice([9, 16, 25])
    return call(draw.normal(Q, D), draw.normal(K, D), draw.normal(K, 7))


def large_scores(draw):
    Q, K, D, Dv = draw.sizes(4)
    return call(draw.normal(Q, D, scale=64), draw.normal(K, D, scale=64), draw.normal(K, Dv))


def overflowing(q, k, v):
    e = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).exp()
    attn_weights = e / e.sum(dim=-1, keepdim=True)
    return attn_weights @ v, attn_weights


def mixture_alone(q, k, v):
    return attend(q, k, v)[0]


def scores_beside(q, k, v):
    return attend(q, k, v)[0], q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])


def by_distance(q, k, v):
    attn_weights = (-torch.cdist(q, k)).softmax(dim=-1)
    return attn_weights @ v, attn_weights


def by_cosine(q, k, v):
    q, k = q / q.norm(dim=-1, keepdim=True), k / k.norm(dim=-1, keepdim=True)
    attn_weights = (q @ k.transpose(-2, -1)).softmax(dim=-1)
    return attn_weights @ v, attn_weights


def scaled_weights(q, k, v):
    attn_weights = (q @ k.transpose(-2, -1)).softmax(dim=-1) / math.sqrt(q.shape[-1])
    return attn_weights @ v, attn_weights


def by_loops(q, k, v):
    if q.dim() > 2:
        parts = [by_loops(*part) for part in zip(q, k, v, strict=True)]
        return tuple(torch.stack(part) for part in zip(*parts, strict=True))
    root = q.shape[1] ** 0.5
    rows = [torch.stack([(a * b).sum() / root for b in k]) for a in q]
    attn_weights = torch.stack([torch.softmax(row, dim=0) for row in rows])
    out = [sum(weight * b for weight, b in zip(row, v, strict=True)) for row in attn_weights]
    return torch.stack(out), attn_weights


def by_einsum(q, k, v):
    attn_scores = torch.einsum("...qd,...kd->...qk", q * q.shape[-1] ** -0.5, k)
    attn_weights = attn_scores.softmax(dim=-1)
    return torch.einsum("...qk,...kd->...qd", attn_weights, v), attn_weights


EXERCISE = Exercise(
    title="Scaled dot-product attention",
    trains="what each index means",
    minutes=15,
    level="easy",
    section="02.5",
    solution=attend,
    checks=[
        Check(
            "One sequence",
            4,
            "Each query has one weight for each key, and its weights sum to 1. Its output is the "
            "mean of the values with these weights.",
            one_sequence,
        ),
        Check(
            "Batches and heads",
            4,
            "Leading dimensions are only carried along: count the dimensions you transpose or sum "
            "over from the end.",
            many,
        ),
        Check(
            "Wide queries",
            4,
            "Scores of wider queries must not be larger on average. Whose width makes them grow, "
            "and how fast does the standard deviation of a sum grow with its terms?",
            wide,
        ),
        Check(
            "Large scores",
            2,
            "A score of some thousands overflows when it is exponentiated as it is: see 02.4.",
            large_scores,
        ),
    ],
    hints=[
        "Which two of q, k and v are compared, and which one is mixed? So which shape has the "
        "table of scores?",
        "Scores are all dot products of a query and a key: one matrix product. Divide them by the "
        "square root of the number of terms in each. Softmax over the keys, then mix the values by "
        "another matrix product.",
        "`attn_scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])`; the softmax runs over "
        "the last dimension, where the keys are.",
    ],
    wrong=[
        edit(
            "math.sqrt(q.shape[-1])",
            "math.sqrt(v.shape[-1])",
            "You divide by the root of the values' width. The scores are sums over the width of "
            "the queries.",
        ),
        edit(" / math.sqrt(q.shape[-1])", "", "Your scores are not divided by the root of d_k."),
        edit(
            "math.sqrt(q.shape[-1])",
            "q.shape[-1]",
            "You divide by the width, the paper by its square root.",
        ),
        edit(
            " / math.sqrt(q.shape[-1])",
            " * math.sqrt(q.shape[-1])",
            "You multiply by the square root where the paper divides.",
        ),
        edit(
            "math.sqrt(q.shape[-1])",
            "math.sqrt(k.shape[-2])",
            "You divide by the root of the number of keys, not of their width.",
        ),
        edit(
            "math.sqrt(q.shape[-1])",
            "math.sqrt(q.shape[-2])",
            "You divide by the root of the number of queries, not of their width.",
        ),
        edit(
            "softmax(dim=-1)",
            "softmax(dim=-2)",
            "Your softmax runs over the queries: the weights of a key sum to 1, those of a query "
            "do not.",
        ),
        written(scaled_weights, says="You divide the weights, after the softmax. Divide scores."),
        written(overflowing, says="You exponentiate the scores as they are: large ones overflow."),
        written(mixture_alone, says="Return two things: the mixture and the weights."),
        written(scores_beside, says="The mixture is right. Beside it you return the scores."),
        written(by_distance, says="You compare by distance. The paper takes the dot product."),
        written(by_cosine, says="You compare by angle alone: the vectors' lengths count, too."),
        edit("return attn_weights @ v, attn_weights", "return attn_weights, attn_weights @ v",
             "Right, in the wrong order: first the mixture, then the weights."),
    ],
    right=[written(by_loops), written(by_einsum)],
    survivors={"math.sqrt(k.shape[-1])": "queries and keys share their width"},
)  # fmt: skip
