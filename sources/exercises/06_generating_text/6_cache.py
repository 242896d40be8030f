"""06.6: attention that keeps the keys and values of what it has read."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def read(weights, idx, cache=None):
    """A model of one layer reads new tokens; return their logits, and the cache with them in it.

    A token's vector x is its row of wte plus the row of wpe for its position. q, k and v stand side
    by side in x @ c_attn. Attention is causal, scaled, with one head; its output times wte
    transposed gives logits. All tokens in the cache come before the new ones.
    weights {"wte": (V, C), "wpe": (N, C), "c_attn": (C, 3C)}, idx (B, n) new tokens,
    cache (keys, values), each (B, T, C), or None -> (B, n, V), (keys, values), each (B, T + n, C)
    """
    n_past = 0 if cache is None else cache[0].shape[1]
    n_all = n_past + idx.shape[1]
    x = weights["wte"][idx] + weights["wpe"][n_past:n_all]
    q, k, v = (x @ weights["c_attn"]).chunk(3, dim=-1)
    if cache is not None:
        k, v = torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)
    mask = torch.ones(idx.shape[1], n_all, dtype=torch.bool, device=idx.device).tril(n_past)
    scores = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).masked_fill(~mask, -math.inf)
    return scores.softmax(dim=-1) @ v @ weights["wte"].T, (k, v)


def model(draw, V, C):
    return {
        "wte": draw.normal(V, C),
        "wpe": draw.normal(9, C),
        "c_attn": draw.normal(C, 3 * C),
    }


def nothing_before(draw):
    B, n, C = draw.sizes(3, low=2, high=4)
    return call(model(draw, 5, C), draw.integers(B, n, below=5))


def after(draw, n_new, batch=None):
    """New tokens after keys and values that are drawn: no model needs to have made them."""
    B, T, C = draw.sizes(3, low=2, high=4)
    B = batch or B
    cache = draw.normal(B, T, C), draw.normal(B, T, C)
    return call(model(draw, 5, C), draw.integers(B, n_new, below=5), cache)


def one_more(draw):
    return after(draw, 1)


def several_more(draw):
    return after(draw, draw.integer(2, 3)), after(draw, 3, batch=1)


def in_pieces(draw):
    """What a model gives for the rest of a text, after a cache that it made itself."""
    C = draw.integer(2, 4)
    weights, idx = model(draw, 6, C), draw.integers(2, 6, below=6)
    _, cache = read(weights, idx[:, :3])
    return call(weights, idx[:, 3:], cache)


def empty(draw):
    C = draw.integer(2, 4)
    nothing = torch.zeros(2, 0, C, dtype=draw.dtype)
    return call(model(draw, 5, C), draw.integers(2, 3, below=5), (nothing, nothing))


def no_room_for_the_past(weights, idx, cache=None):
    logits, (k, v) = read(weights, idx, cache)
    n = idx.shape[1]
    return logits, (k[:, -n:], v[:, -n:])


def last_alone(weights, idx, cache=None):
    logits, cache = read(weights, idx, cache)
    return logits[:, -1], cache


def forgetful(weights, idx, cache=None):
    n_past = 0 if cache is None else cache[0].shape[1]
    shifted = weights | {"wpe": weights["wpe"][n_past:]}
    logits, (k, v) = read(shifted, idx)
    if cache is not None:
        k, v = torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)
    return logits, (k, v)


def only_the_past(weights, idx, cache=None):
    """Attention to the cache without the new tokens, where there is a cache."""
    if cache is None or not cache[0].shape[1]:
        return read(weights, idx)
    _, grown = read(weights, idx, cache)
    n_past, n_all = cache[0].shape[1], grown[0].shape[1]
    x = weights["wte"][idx] + weights["wpe"][n_past:n_all]
    q = (x @ weights["c_attn"]).chunk(3, dim=-1)[0]
    scores = q @ cache[0].transpose(-2, -1) / math.sqrt(q.shape[-1])
    return scores.softmax(dim=-1) @ cache[1] @ weights["wte"].T, grown


def by_torchs_own(weights, idx, cache=None):
    n_past = cache[0].shape[1] if cache else 0
    positions = torch.arange(n_past, n_past + idx.shape[1])
    x = weights["wte"][idx] + weights["wpe"][positions]
    q, k, v = (x @ part for part in weights["c_attn"].chunk(3, dim=1))
    if cache:
        k, v = (torch.cat(pair, dim=1) for pair in zip(cache, (k, v), strict=True))
    mask = torch.arange(k.shape[1]) <= positions[:, None]
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return torch.einsum("bnc,vc->bnv", out, weights["wte"]), (k, v)


def token_by_token(weights, idx, cache=None):
    C = weights["wte"].shape[1]
    keys, values = cache or (weights["wte"].new_zeros(len(idx), 0, C),) * 2
    rows = []
    for column in idx.T:
        x = weights["wte"][column] + weights["wpe"][keys.shape[1]]
        q, k, v = (x @ weights["c_attn"]).split(C, dim=1)
        keys = torch.cat([keys, k[:, None]], dim=1)
        values = torch.cat([values, v[:, None]], dim=1)
        weight = ((keys * q[:, None]).sum(dim=-1) / C**0.5).softmax(dim=-1)
        rows.append((weight[:, :, None] * values).sum(dim=1) @ weights["wte"].T)
    return torch.stack(rows, dim=1), [keys, values]


EXERCISE = Exercise(
    title="Cached equals uncached",
    trains="positions, masks and shapes of a cache",
    minutes=35,
    level="hard",
    section="06.6",
    solution=read,
    checks=[
        Check(
            "Nothing before",
            4,
            "Without a cache this is causal attention, as in chapter 02. Do q, k and v come in "
            "this order, and does the first token see only itself?",
            nothing_before,
        ),
        Check(
            "One new token",
            4,
            "The new token looks at all that is cached and at itself. Its position is the number "
            "of tokens before it.",
            one_more,
        ),
        Check(
            "Several at once",
            4,
            "New tokens see the whole cache, but none of them sees the next new one. Which "
            "diagonal does the mask need, when it is wider than high?",
            several_more,
        ),
        Check(
            "A text in pieces",
            3,
            "A text that is read in pieces must give what it gives at once. Old keys come first.",
            in_pieces,
        ),
        Check(
            "A cache that is still empty",
            2,
            "A cache of length 0 is like none.",
            empty,
        ),
    ],
    hints=[
        "A cache holds 5 tokens and 2 new ones come. Which positions have they? Which shape has "
        "the table of scores, and where in it is -inf?",
        "Compute q, k and v for the new tokens only. Join the cached keys and values with the new "
        "ones, along the dimension of tokens, the old ones first. Queries are the new tokens "
        "alone. The longer keys and values are the new cache.",
        "`n_past = cache[0].shape[1]`, positions `n_past` to `n_past + n - 1`; "
        "`k = torch.cat([cache[0], k], dim=1)`; the mask is `torch.ones(n, n_past + n)` as truth "
        "values, with `.tril(n_past)`.",
    ],
    wrong=[
        edit(
            'weights["wpe"][n_past:n_all]',
            'weights["wpe"][: idx.shape[1]]',
            "Your new tokens count their positions from 0. They come after the cached ones.",
        ),
        edit(
            'weights["wpe"][n_past:n_all]',
            'weights["wpe"][n_past + 1 : n_all + 1]',
            "Your positions are one too large: the first token of all has position 0.",
        ),
        edit(
            ' + weights["wpe"][n_past:n_all]',
            "",
            "You leave out the positions: `wpe` is not used.",
        ),
        edit(
            ".tril(n_past)",
            ".tril()",
            "Your mask takes the first new token for the first of all: it sees nearly nothing of "
            "the cache.",
        ),
        edit(
            ".masked_fill(~mask, -math.inf)",
            "",
            "Nothing is hidden: a new token sees those that come after it.",
        ),
        edit(
            ".tril(n_past)",
            ".tril(n_past - 1)",
            "Your new tokens don't see themselves.",
        ),
        edit(
            "torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)",
            "torch.cat([k, cache[0]], dim=1), torch.cat([v, cache[1]], dim=1)",
            "You put new keys and values before the old ones. They come behind.",
        ),
        edit(
            "torch.cat([cache[0], k], dim=1), torch.cat([cache[1], v], dim=1)",
            "torch.cat([cache[1], k], dim=1), torch.cat([cache[0], v], dim=1)",
            "Cached keys and values are swapped: keys are `cache[0]`.",
        ),
        written(
            no_room_for_the_past,
            says="The logits are right, but your cache holds the new tokens alone: the next step "
            "will have forgotten the rest.",
        ),
        written(
            forgetful,
            says="Your cache grows, but nobody looks into it: queries see only the new keys.",
        ),
        written(
            only_the_past,
            says="Your new tokens look at the cache alone, and not at themselves. Join first, then "
            "attend.",
        ),
        written(
            last_alone,
            says="You return the logits of the last new token. All new ones are asked for.",
        ),
        edit(
            "q, k, v = (x",
            "k, q, v = (x",
            "Queries and keys are swapped: q comes first in `c_attn`.",
        ),
        edit(
            " / math.sqrt(q.shape[-1])",
            "",
            "Your scores are not divided by the root of C.",
        ),
        edit(
            ' @ weights["wte"].T, (k, v)',
            ", (k, v)",
            "You return the mixed values. Times `wte` transposed they are logits.",
        ),
    ],
    right=[written(by_torchs_own), written(token_by_token)],
    survivors={
        "else cache[1].shape[1]": "there are as many values as keys",
        "else cache[-1].shape[1]": "there are as many values as keys",
        "torch.ones(x.shape[1]": "there is one vector for each new token",
        "torch.ones(q.shape[1]": "there is one query for each new token",
        "math.sqrt(x.shape[-1])": "vectors, queries, keys and values share their width",
        "math.sqrt(k.shape[-1])": "vectors, queries, keys and values share their width",
        "math.sqrt(v.shape[-1])": "vectors, queries, keys and values share their width",
    },
)
