"""09.6: the best of the allowed answers."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def allowed_next(options, said, end):
    """The tokens that may come next, sorted: those with which some option goes on.

    An option that was said in full may be followed by `end`. Where no option begins with what was
    said, nothing is allowed.
    options: lists of token ids, said: a list of token ids -> a list of token ids
    """
    n = len(said)
    return sorted({[*option, end][n] for option in options if option[:n] == said})


def best_option(log_probs, first, options, end):
    """The number of the likeliest option, the first of them if there are several, and its ln p.

    log_probs (V, V): log_probs[a, b] is the log-probability of token b after token a. An option is
    said after the token `first`, and is followed by `end`, which counts as well.
    """
    totals = []
    for option in options:
        totals.append(float(log_probs[[first, *option], [*option, end]].sum()))
    best = totals.index(max(totals))
    return best, totals[best]


# The inputs that each check draws.


def to_allowed(*cases):
    return [call(*case, to="allowed_next") for case in cases]


def to_best(*cases):
    return [call(*case, to="best_option") for case in cases]


def on_grid(log_probs):
    """Rounded to 16 bits behind the point, so that inputs are the same on every machine."""
    return (log_probs * 2**16).round() / 2**16


def table(draw, V, scale=2):
    return on_grid(draw.normal(V, V, scale=scale).log_softmax(dim=-1))


def beginnings(draw):
    a, b, c, d = draw.shuffled([3, 5, 8, 11])
    options = [[a, b], [a, c], [d]]
    return to_allowed(
        (options, [], 0), (options, [a], 0), ([[a, b, c], [a, d, b]], [a, d], 0),
    )  # fmt: skip


def complete(draw):
    a, b, c, d = draw.shuffled([3, 5, 8, 11])
    options = [[a], [a, b], [c, b], [c, b, a, d]]
    end = draw.choice([0, 20])
    return to_allowed(
        (options, [a], end), (options, [a, b], end), (options, [c, b], end), ([[b]], [b], end)
    )


def nothing_fits(draw):
    a, b, c, d = draw.shuffled([3, 5, 8, 11])
    options = [[a, b], [a, c, a]]
    return to_allowed(
        (options, [b], 0),
        (options, [d, b], 0),
        (options, [a, b, c], 0),
        ([[a, b], [c, b]], [a, c], 0),
        (options, [a, b, 0], 0),
        (options, [a, c], 0),
    )


def same_length(draw):
    log_probs = table(draw, 6)
    first, *ids = draw.shuffled(range(1, 6))
    a, b, c = ids[:3]
    return to_best((log_probs, first, [[a, b], [b, a], [c, b]], 0), (log_probs, first, [[a]], 0))


def other_lengths(draw):
    for _ in range(2):
        log_probs = table(draw, 6)
        first, a, b, c, d = draw.shuffled(range(1, 6))
        yield from to_best((log_probs, first, [[a, b, c], [d], [a, b], [c, c, d, a]], 0))


def chain(V, **rows):
    """Log-probabilities of a table in which only these rows matter, "a" that of token 1."""
    probs = torch.full((V, V), 1 / V, dtype=torch.float64)
    for name, row in rows.items():
        probs["_abcdef".index(name)] = torch.tensor(row, dtype=torch.float64)
    return probs.log()


def no_greed(draw):
    """The likeliest first token leads into an unlikely answer, and `end` decides."""
    p, q = draw.choice([(0.1, 0.5), (0.15, 0.6)])
    greedy = chain(
        5,
        d=[0.02, 0.5, 0.4, 0.05, 0.03],
        a=[0.4, 0.1, 0.1, p, 0.4 - p],
        b=[0.1, 0.1, 0.1, 0.6, 0.1],
    )
    ends = chain(
        5, d=[0.1, 0.4, 0.3, 0.1, 0.1], a=[0.1, 0.3, 0.3, 0.2, 0.1], b=[q, 0.1, 0.1, 0.1, 0.1]
    )
    return to_best(
        (on_grid(greedy).to(draw.dtype), 4, [[1, 3], [2, 3]], 0),
        (on_grid(ends).to(draw.dtype), 4, [[1], [2]], 0),
    )


def impossible(draw):
    log_probs = table(draw, 5)
    first, a, b, c = draw.shuffled(range(1, 5))
    log_probs[a, b] = -torch.inf
    tied = on_grid(torch.full((5, 5), 0.2, dtype=draw.dtype).log())
    return to_best(
        (log_probs, first, [[a, b], [b, a], [c, a, b]], 0),
        (tied, first, [[a, b], [c, a], [b], [c]], 0),
        (log_probs, first, [[a, b], [c, a, b, c]], 0),
    )


def totals_of(log_probs, first, options, end, ended=True):
    return [
        sum(
            log_probs[x, y].item()
            for x, y in zip([first, *option], [*option, end], strict=True)
            if ended or y != end
        )
        for option in options
    ]


def chosen(totals):
    best = max(range(len(totals)), key=lambda n: totals[n])
    return best, totals[best]


def mean_of_tokens(log_probs, first, options, end):
    totals = totals_of(log_probs, first, options, end)
    return chosen([t / (len(o) + 1) for t, o in zip(totals, options, strict=True)])


def chosen_by_mean(log_probs, first, options, end):
    best, _ = mean_of_tokens(log_probs, first, options, end)
    return best, totals_of(log_probs, first, options, end)[best]


def no_end(log_probs, first, options, end):
    return chosen(totals_of(log_probs, first, options, end, ended=False))


def no_first(log_probs, first, options, end):
    return chosen(
        [
            sum(log_probs[x, y].item() for x, y in zip(option, [*option[1:], end], strict=True))
            for option in options
        ]
    )


def first_token_alone(log_probs, first, options, end):
    return chosen([log_probs[first, option[0]].item() for option in options])


def greedy(log_probs, first, options, end):
    said = []
    while True:
        row = log_probs[said[-1] if said else first]
        said.append(max(allowed_next(options, said, end), key=lambda token: row[token].item()))
        if said[-1] == end:
            best = options.index(said[:-1])
            return best, totals_of(log_probs, first, options, end)[best]


def renormalised(log_probs, first, options, end):
    totals = []
    for option in options:
        total, row = 0.0, first
        for n, token in enumerate([*option, end]):
            among = allowed_next(options, option[:n], end)
            total += (log_probs[row, token] - log_probs[row, among].logsumexp(0)).item()
            row = token
        totals.append(total)
    return chosen(totals)


def transposed(log_probs, first, options, end):
    return best_option(log_probs.T, first, options, end)


def probability(log_probs, first, options, end):
    best, total = best_option(log_probs, first, options, end)
    return best, float(torch.tensor(total).exp())


def tokens_themselves(log_probs, first, options, end):
    best, total = best_option(log_probs, first, options, end)
    return options[best], total


def last_of_equals(log_probs, first, options, end):
    totals = totals_of(log_probs, first, options, end)
    return len(totals) - 1 - totals[::-1].index(max(totals)), max(totals)


def worst(log_probs, first, options, end):
    totals = totals_of(log_probs, first, options, end)
    return totals.index(min(totals)), min(totals)


def share(log_probs, first, options, end):
    totals = torch.tensor(totals_of(log_probs, first, options, end), dtype=torch.float64)
    best = chosen(totals.tolist())[0]
    return best, totals.log_softmax(dim=0)[best].item()


def anywhere(options, said, end):
    n = len(said)
    return sorted({[*option, end][n] for option in options if n <= len(option)})


def by_last_token(options, said, end):
    if not said:
        return allowed_next(options, said, end)
    steps = {pair for o in options for pair in zip(o, [*o[1:], end], strict=True)}
    return sorted({after for before, after in steps if before == said[-1]})


def never_ends(options, said, end):
    return [token for token in allowed_next(options, said, end) if token != end]


def ends_when_all_do(options, said, end):
    found = allowed_next(options, said, end)
    return [token for token in found if token != end] or found


def end_always(options, said, end):
    return sorted({*allowed_next(options, said, end), end})


def unsorted_with_repeats(options, said, end):
    n = len(said)
    return [[*option, end][n] for option in options if option[:n] == said]


def by_dictionaries(options, said, end):
    tree = {}
    for option in options:
        node = tree
        for token in [*option, end]:
            node = node.setdefault(token, {})
    for token in said:
        tree = tree.get(token, {}) if token != end else {}
    return sorted(tree)


def by_loops(log_probs, first, options, end):
    return chosen(totals_of(log_probs, first, options, end))


EXERCISE = Exercise(
    title="Constrained answers",
    trains="beginnings of lists, sums of log-probabilities",
    minutes=25,
    level="medium",
    section="09.6",
    solution=(allowed_next, best_option),
    dtypes=(torch.float32,),
    checks=[
        Check(
            "What may come next",
            2,
            "Only options that begin with all that was said go on. Several may share a token, "
            "which is listed once.",
            beginnings,
        ),
        Check(
            "A complete option",
            3,
            "After 'red' both the end and 'ball' may come, if 'red' and 'red ball' are options.",
            complete,
        ),
        Check(
            "Nothing fits",
            2,
            "What was said may differ early from every option, or be longer. Then the list is "
            "empty.",
            nothing_fits,
        ),
        Check(
            "Options of one length",
            2,
            "Each token is read off the row of the token before it, the first one off the row of "
            "`first`. Log-probabilities add up.",
            same_length,
        ),
        Check(
            "Options of other lengths",
            2,
            "The sums themselves are compared, also of long and short options. `end` belongs to "
            "each.",
            other_lengths,
        ),
        Check(
            "Not token by token",
            2,
            "The likeliest first token may begin an unlikely answer. Compare whole answers.",
            no_greed,
        ),
        Check(
            "Impossible and tied",
            1,
            "A sum of -inf is less than any other. Of equal ones the first is taken.",
            impossible,
        ),
    ],
    hints=[
        "Options are 'red' and 'red ball'. Which tokens may come first, which after 'red', which "
        "after 'red ball', and which after 'ball'?",
        "With n tokens said, an option fits if its first n tokens are those. What comes next is "
        "token n of the option with `end` behind it. To score an option pair each of its tokens, "
        "and `end`, with the token before.",
        "`[*option, end][n]` is the next token of an option. Rows are `[first, *option]`, columns "
        "`[*option, end]`: indexing with two lists picks pairs. `totals.index(max(totals))` finds "
        "the best.",
    ],
    wrong=[
        written(
            anywhere, best_option,
            says="You look at the length of what was said alone. An option must begin with it.",
        ),
        written(
            by_last_token, best_option,
            says="You look at the last token alone. All that was said must fit.",
        ),
        written(
            never_ends, best_option,
            says="Your options never end: after a complete one `end` may come.",
        ),
        written(
            ends_when_all_do, best_option,
            says="A complete option may end, also where a longer one goes on.",
        ),
        written(
            end_always, best_option,
            says="You allow `end` everywhere. Half an option is none.",
        ),
        written(
            unsorted_with_repeats, best_option,
            says="Your list is not sorted, and names a token as often as options have it.",
        ),
        written(
            allowed_next, mean_of_tokens,
            says="You divide by the number of tokens. The sum is the answer's log-probability.",
        ),
        written(
            allowed_next, chosen_by_mean,
            says="You choose by the mean over tokens, which prefers long answers. Sums decide.",
        ),
        written(
            allowed_next, no_end,
            says="`end` does not count for you: then 'red' always beats 'red ball'.",
        ),
        written(
            allowed_next, no_first,
            says="The first token of an option does not count for you. It comes after `first`.",
        ),
        written(
            allowed_next, first_token_alone,
            says="You compare the options' first tokens alone.",
        ),
        written(
            allowed_next, greedy,
            says="You take the likeliest allowed token at each step. The best answer may begin "
            "with another one.",
        ),
        written(
            allowed_next, renormalised,
            says="You make the allowed tokens sum to 1 at each step. That forgives an option its "
            "unlikely tokens wherever it has no rival.",
        ),
        written(
            allowed_next, transposed,
            says="You look up the token before in the columns. Rows are the tokens before.",
        ),
        written(
            allowed_next, probability,
            says="You return the probability. Its logarithm is asked for.",
        ),
        written(
            allowed_next, share,
            says="You return the share among the options. The answer's own ln p is asked for.",
        ),
        written(
            allowed_next, tokens_themselves,
            says="You return the option itself. Its number is asked for.",
        ),
        written(allowed_next, last_of_equals, says="Of equal options you take the last."),
        written(allowed_next, worst, says="You take the least likely option."),
    ],
    right=[written(by_dictionaries, by_loops), written(allowed_next, by_loops)],
    # Sums may be made in float32, and be read as numbers afterwards.
    tolerance={"float32": 1e-5, "float64": 1e-5},
)  # fmt: skip
