"""02.3: attention that can't see the future, also for queries that come late."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def causal_attention(q, k, v):
    """Attention of tokens to themselves and to all before them.

    The queries are those of the last Q of the K positions.
    q (..., Q, D), k (..., K, D), v (..., K, Dv) -> (..., Q, Dv)
    """
    n_query, n_key = q.shape[-2], k.shape[-2]
    mask = torch.ones(n_query, n_key, dtype=torch.bool, device=q.device).tril(n_key - n_query)
    attn_scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return attn_scores.masked_fill(~mask, -math.inf).softmax(dim=-1) @ v


def whole_sequence(draw):
    T, D, Dv = draw.sizes(3, low=3, high=6)
    return call(draw.normal(T, D), draw.normal(T, D), draw.normal(T, Dv))


def newest_tokens(draw):
    K, D, Dv = draw.sizes(3, low=4, high=7)
    k, v = draw.normal(K, D), draw.normal(K, Dv)
    return call(draw.normal(2, D), k, v), call(draw.normal(1, D), k, v)


def many(draw):
    H, T, D, Dv = draw.sizes(4)
    q, k, v = draw.normal(1, H, T, D), draw.normal(1, H, T, D), draw.normal(1, H, T, Dv)
    return call(q, k, v)


def large_scores(draw):
    T, D, Dv = draw.sizes(3, low=3, high=6)
    q, k, v = draw.normal(T, D).abs() + 1, draw.normal(T, D).abs() + 1, draw.normal(T, Dv)
    return call(q * 2.0**16, k * -(2.0**16), v)  # all scores are below -1e9


def multiplied_weights(q, k, v):
    n_query, n_key = q.shape[-2], k.shape[-2]
    mask = torch.ones(n_query, n_key).tril(n_key - n_query).to(q)
    attn_scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    return (attn_scores.softmax(dim=-1) * mask) @ v


def renormalised(q, k, v):
    n_query, n_key = q.shape[-2], k.shape[-2]
    mask = torch.ones(n_query, n_key).tril(n_key - n_query).to(q)
    attn_weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(dim=-1) * mask
    return attn_weights / attn_weights.sum(dim=-1, keepdim=True) @ v


def plain_mean(q, k, v):
    n_query, n_key = q.shape[-2], k.shape[-2]
    mask = torch.ones(n_query, n_key).tril(n_key - n_query).to(q)
    return mask / mask.sum(dim=-1, keepdim=True) @ v


def torchs_own(q, k, v):
    n_query, n_key = q.shape[-2], k.shape[-2]
    mask = torch.ones(n_query, n_key, dtype=torch.bool, device=q.device).tril(n_key - n_query)
    return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def by_positions(q, k, v):
    n_query, n_key = q.shape[-2], k.shape[-2]
    where = torch.arange(n_key, device=q.device)
    future = where > where[n_key - n_query :, None]
    attn_scores = torch.einsum("...qd,...kd->...qk", q, k) * q.shape[-1] ** -0.5
    attn_scores = attn_scores + torch.zeros_like(attn_scores).masked_fill(future, -torch.inf)
    return torch.einsum("...qk,...kd->...qd", attn_scores.softmax(dim=-1), v)


def row_by_row(q, k, v):
    n_query, n_key = q.shape[-2], k.shape[-2]
    rows = []
    for t in range(n_query):
        seen = n_key - n_query + t + 1
        scores = (q[..., t : t + 1, :] @ k[..., :seen, :].transpose(-2, -1)) / q.shape[-1] ** 0.5
        rows.append(scores.softmax(dim=-1) @ v[..., :seen, :])
    return torch.cat(rows, dim=-2)


EXERCISE = Exercise(
    title="Causal mask",
    trains="masks, and what -inf is for",
    minutes=20,
    level="medium",
    section="02.6",
    solution=causal_attention,
    checks=[
        Check(
            "A whole sequence",
            5,
            "Row 0 can only see position 0, so it must equal v[0]. The last row sees everything. "
            "Which side of the diagonal do you hide, and do you hide it before the softmax?",
            whole_sequence,
        ),
        Check(
            "The newest tokens of a sequence",
            5,
            "With fewer queries than keys the last query is still the last position: it sees all "
            "keys. The query before it sees all but one.",
            newest_tokens,
        ),
        Check(
            "Batches and heads",
            3,
            "The mask has two dimensions, queries and keys, and is the same for every sequence and "
            "head. Count the other dimensions from the end.",
            many,
        ),
        Check(
            "Scores of any size",
            3,
            "A large negative number hides the future only while the true scores are not smaller "
            "still.",
            large_scores,
        ),
    ],
    hints=[
        "At which position of the sequence stands query 0 when there are 2 queries and 5 keys? "
        "Which keys may it see?",
        "Make a table of True and False, (Q, K), that is True where a query may look: `tril` with "
        "the right diagonal. Put -inf where it is False, then softmax.",
        "Query i stands at position K - Q + i, so its row is True up to there: "
        "`torch.ones(n_query, n_key, dtype=torch.bool).tril(n_key - n_query)`.",
    ],
    wrong=[
        edit(".tril(n_key - n_query)", ".triu(n_key - n_query)", "You hide the past."),
        edit(
            ".tril(n_key - n_query)",
            ".tril(n_key - n_query - 1)",
            "A token may look at itself. Yours can't, so the first one looks nowhere.",
        ),
        edit(
            ".tril(n_key - n_query)",
            ".tril(n_key - n_query + 1)",
            "Each of your tokens sees one token too many: the next one.",
        ),
        edit(
            ".tril(n_key - n_query)",
            ".tril()",
            "You treat the first query as position 0. It stands K - Q positions later.",
        ),
        edit(
            ".tril(n_key - n_query)",
            ".tril(n_query - n_key)",
            "Your diagonal is moved the wrong way when there are more keys than queries.",
        ),
        edit(".masked_fill(~mask, -math.inf)", "", "Nothing is hidden."),
        edit("~mask", "mask", "Your mask is the wrong way round: you hide where it may look."),
        edit(
            "-math.inf",
            "0",
            "A score of 0 is a score like any other: its weight is not 0. Which score makes it 0?",
        ),
        edit(
            "-math.inf",
            "-1e9",
            "You hide by a large negative number. Scores can be smaller still; -inf is the least.",
        ),
        edit(
            "math.sqrt(q.shape[-1])",
            "math.sqrt(v.shape[-1])",
            "You divide by the root of the values' width. Scores are sums over the queries' width.",
        ),
        edit(" / math.sqrt(q.shape[-1])", "", "Your scores are not divided by the root of d_k."),
        edit("softmax(dim=-1)", "softmax(dim=-2)", "Your softmax runs over the queries."),
        written(
            multiplied_weights,
            says="You hide after the softmax: what remains no longer sums to 1, and the future has "
            "been counted.",
        ),
        written(
            renormalised,
            says="You hide after the softmax and divide again. That is right as long as the sums "
            "are not 0: with larger scores they are.",
        ),
        written(plain_mean, says="This is the plain mean of the past: queries and keys count."),
    ],
    right=[written(torchs_own), written(by_positions), written(row_by_row)],
    survivors={
        "(q.shape[-2], v.shape[-2])": "there are as many values as keys",
        "math.sqrt(k.shape[-1])": "queries and keys share their width",
    },
)
