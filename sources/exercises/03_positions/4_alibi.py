"""03.4: what ALiBi adds to the scores, for any number of heads."""

import math

import torch

from tools.exercises import Check, Exercise, call, edit, written


def alibi_bias(n_head, n_query, n_key):
    """What ALiBi adds to the scores: (H, Q, K), float32.

    Keys stand at 0, 1, ..., n_key - 1; the queries are the last n_query of these positions.
    Where a key lies in a query's future, the bias is -inf.
    """
    power = 2 ** int(math.log2(n_head))  # the largest one that is not above n_head
    slopes = [2.0 ** (-8 * h / power) for h in range(1, power + 1)]
    slopes += [2.0 ** (-4 * h / power) for h in range(1, 2 * power, 2)]
    query = torch.arange(n_key - n_query, n_key)[:, None]
    distance = query - torch.arange(n_key)  # (Q, K)
    bias = -torch.tensor(slopes[:n_head])[:, None, None] * distance
    return bias.masked_fill(distance < 0, -math.inf)


def square(draw):
    small, large = draw.sizes(2, low=3, high=7)
    return call(4, small, small), call(8, large, large)


def newest(draw):
    n_query, more = draw.sizes(2)
    return call(2, n_query, n_query + more), call(4, 1, n_query + more)


def few_heads(draw):
    n = draw.integer(4, 6)
    return call(1, n, n), call(2, n, n)


def other_counts(draw):
    n_query, more = draw.sizes(2)
    counts = (3, 6, draw.choice([11, 12, 13]))
    # Seven heads and two keys: more slopes than positions.
    return call(7, 1, 2), *(call(n_head, n_query, n_query + more) for n_head in counts)


def with_slopes(slopes, n_query, n_key, distance=None, hide=True):
    query = torch.arange(n_key - n_query, n_key)[:, None]
    far = query - torch.arange(n_key)
    bias = -torch.as_tensor(slopes)[:, None, None] * (far if distance is None else distance(far))
    return bias.masked_fill(far < 0, -math.inf) if hide else bias


def slopes_of(n_head):
    return -alibi_bias(n_head, 1, 2)[:, 0, 0]


def only_the_formula(n_head, n_query, n_key):
    slopes = [2.0 ** (-8 * h / n_head) for h in range(1, n_head + 1)]
    return with_slopes(slopes, n_query, n_key)


def first_ones_of_the_finer(n_head, n_query, n_key):
    power = 2 ** math.ceil(math.log2(n_head))
    slopes = [2.0 ** (-8 * h / power) for h in range(1, n_head + 1)]
    return with_slopes(slopes, n_query, n_key)


def from_nought(n_head, n_query, n_key):
    return with_slopes(slopes_of(n_head) * slopes_of(n_head)[0] ** -1, n_query, n_key)


def halved_each(n_head, n_query, n_key):
    return with_slopes([2.0**-h for h in range(1, n_head + 1)], n_query, n_key)


def sorted_slopes(n_head, n_query, n_key):
    return with_slopes(slopes_of(n_head).sort(descending=True).values, n_query, n_key)


def in_reverse(n_head, n_query, n_key):
    return alibi_bias(n_head, n_query, n_key).flip(0)


def nothing_hidden(n_head, n_query, n_key):
    return with_slopes(slopes_of(n_head), n_query, n_key, hide=False)


def both_sides(n_head, n_query, n_key):
    return with_slopes(slopes_of(n_head), n_query, n_key, distance=torch.abs, hide=False)


def future_is_nought(n_head, n_query, n_key):
    return alibi_bias(n_head, n_query, n_key).nan_to_num(neginf=0)


def squared(n_head, n_query, n_key):
    return with_slopes(slopes_of(n_head), n_query, n_key, distance=torch.square)


def by_key_alone(n_head, n_query, n_key):
    def before(far):
        return -torch.arange(n_key).expand_as(far)

    return with_slopes(slopes_of(n_head), n_query, n_key, distance=before)


def heads_last(n_head, n_query, n_key):
    return alibi_bias(n_head, n_query, n_key).permute(1, 2, 0)


def by_loops(n_head, n_query, n_key):
    power = 1
    while 2 * power <= n_head:
        power *= 2
    out = torch.empty(n_head, n_query, n_key)
    for h in range(n_head):
        m = 2 ** (-8 * (h + 1) / power) if h < power else 2 ** (-4 * (2 * (h - power) + 1) / power)
        for q in range(n_query):
            for s in range(n_key):
                t = n_key - n_query + q
                out[h, q, s] = -m * (t - s) if s <= t else -torch.inf
    return out


def by_relative_positions(n_head, n_query, n_key):
    def series(n):
        return (2 ** (-8 / n)) ** torch.arange(1, n + 1)

    power = 2 ** (n_head.bit_length() - 1)
    slopes = torch.cat([series(power), series(2 * power)[0::2]])[:n_head]
    relative = torch.arange(n_key)[None] - torch.arange(n_key)[-n_query:, None]
    hidden = torch.full((n_query, n_key), -torch.inf).triu(n_key - n_query + 1)
    return torch.einsum("h,qk->hqk", slopes, relative.float()) + hidden


EXERCISE = Exercise(
    title="The ALiBi bias",
    trains="broadcasting, off-by-one",
    minutes=25,
    level="medium",
    section="03.6",
    solution=alibi_bias,
    checks=[
        Check(
            "As many queries as keys",
            7,
            "Each head is a table: 0 on the diagonal, the fee below it, -inf above. Compare the "
            "first head of 8 with the one printed in 03.6.",
            square,
        ),
        Check(
            "The newest queries",
            5,
            "With a cache the queries are the newest tokens: the last row of the table can see "
            "all keys, and the last key lies at distance 0 from it.",
            newest,
        ),
        Check(
            "One head, and two",
            2,
            "The formula holds for 1 and 2 as well: the last slope is the same whatever the number "
            "of heads.",
            few_heads,
        ),
        Check(
            "Other numbers of heads",
            5,
            "For a number that is no power of two: first the slopes of the next smaller power, all "
            "of them, then every second one of the series twice as fine.",
            other_counts,
        ),
    ],
    hints=[
        "For 2 queries and 5 keys, at which position does query 0 stand? How far is it from key 0, "
        "and from key 4?",
        "Make the distances first, query minus key, (Q, K); then the slopes, (H,). Give the slopes "
        "two more dimensions, multiply, and hide what lies in the future. For 6 heads: the 4 "
        "slopes of 4 heads, then numbers 1 and 3 of 8 heads.",
        "`distance = torch.arange(n_key - n_query, n_key)[:, None] - torch.arange(n_key)`; then "
        "`-slopes[:, None, None] * distance`, with `masked_fill(distance < 0, -math.inf)`. The "
        "largest power is `2 ** int(math.log2(n_head))`.",
    ],
    wrong=[
        written(
            only_the_formula,
            says="Right for powers of two. For 6 heads the authors don't put 6 into the formula: "
            "they take 4 slopes of 4 heads, then some of 8.",
        ),
        written(
            first_ones_of_the_finer,
            says="For 6 heads you take the first 6 slopes of 8. Take the 4 of 4 heads, then "
            "numbers 1 and 3 of 8.",
        ),
        edit(
            "range(1, 2 * power, 2)",
            "range(2, 2 * power + 1, 2)",
            "For 6 heads you take numbers 2 and 4 of 8 heads. These are slopes you have already.",
        ),
        written(sorted_slopes, says="You sort the slopes. The authors append the finer ones."),
        written(
            from_nought,
            says="You count heads from 0, so that the first slope is 1. The formula counts from 1.",
        ),
        written(
            halved_each,
            says="You halve the slope from head to head, whatever their number. That is right for "
            "8 heads alone.",
        ),
        written(in_reverse, says="Your heads stand in the opposite order: the steepest is first."),
        written(nothing_hidden, says="The future is not hidden: there your bias is even positive."),
        written(
            both_sides,
            says="You charge for the future as for the past. It should be hidden, by -inf.",
        ),
        written(
            future_is_nought, says="Your bias of the future is 0. That hides nothing: -inf does."
        ),
        edit(
            "bias = -torch",
            "bias = torch",
            "You reward distance: a far key gets the larger score. It is a fee.",
        ),
        written(squared, says="You square the distance. The fee is proportional to it."),
        edit(
            "torch.arange(n_key - n_query, n_key)",
            "torch.arange(n_query)",
            "Your queries stand at the first positions. With a cache they are the last.",
        ),
        edit(
            "distance < 0",
            "distance <= 0",
            "You hide the token from itself. Its distance is 0, and it may look.",
        ),
        written(
            by_key_alone,
            says="You add slope times the key's position, as BLOOM does. Softmax can't tell the "
            "difference, but this is not minus slope times distance.",
        ),
        written(heads_last, says="Your dimensions are (Q, K, H). Heads come first."),
    ],
    right=[written(by_loops), written(by_relative_positions)],
    survivors={
        "range(1, 3 * power, 2)": "more slopes than are needed, and the rest is cut off",
        "range(1, 2 * n_head, 2)": "more slopes than are needed, and the rest is cut off",
    },
)
