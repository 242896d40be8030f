"""06.5: beam search, with an end and a length penalty."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def beam_search(log_probs, first, n_beams, end, length_penalty):
    """The best of the sequences that n_beams beams find, as a list of new tokens, and its score.

    log_probs (n, V, V): log_probs[t, a, b] is the log-probability that new token t is b, if the
    token before it is a. Before new token 0 stands `first`, which is no part of the answer.
    In each step every open beam is continued by each of the V tokens; a beam whose newest token is
    `end` is complete and stays as it is. The n_beams with the largest sums go on to the next step.
    After n steps the winner is the beam with the largest score, which is its sum divided by its
    number of new tokens to the power length_penalty.
    """
    beams = [(0.0, [])]
    for step in log_probs.tolist():
        longer = []
        for total, said in beams:
            if said and said[-1] == end:
                longer.append((total, said))
                continue
            gains = step[said[-1] if said else first]
            longer += [(total + gain, [*said, token]) for token, gain in enumerate(gains)]
        beams = sorted(longer, key=lambda beam: beam[0], reverse=True)[:n_beams]
    scores = [total / len(said) ** length_penalty for total, said in beams]
    best = scores.index(max(scores))
    return beams[best][1], scores[best]


def on_grid(log_probs):
    """Rounded to 16 bits behind the point, so that inputs are the same on every machine."""
    return (log_probs * 2**16).round() / 2**16


def table(draw, n, V, end=None, weight=0.0):
    """Log-probabilities; those of `end` are raised by `weight`."""
    logits = draw.normal(n, V, V, scale=2)
    # Draws on a grid might tie. These differ by parts of a grid step that no sums make equal.
    logits = logits + torch.arange(n * V * V, dtype=draw.dtype).mul(0.618).frac().view(n, V, V) / 32
    if end is not None:
        logits[:, :, end] += weight
    return on_grid(logits.log_softmax(dim=-1))


NEVER = -1  # an end that no token is


def one_beam(draw):
    V = draw.integer(3, 5)
    return call(table(draw, 4, V), draw.integer(1, V - 1), 1, NEVER, 0.0)


def several(draw):
    """A modest first step that leads to the best whole, and tables where two beams miss it."""
    steps = torch.tensor([[0.10, 0.50, 0.40], [0.34, 0.33, 0.33], [0.05, 0.90, 0.05]])
    toy = on_grid(steps.to(draw.dtype).log()).expand(3, 3, 3).contiguous()
    yield call(toy, 0, 2, NEVER, 0.0)
    yield call(toy, 0, 9, NEVER, 0.0)
    for n_beams in (2, 3):
        V = draw.integer(3, 4)
        yield call(table(draw, 4, V), draw.integer(0, V - 1), n_beams, NEVER, 0.0)


def with_an_end(draw):
    for n_beams in (2, 4):
        V = draw.integer(3, 4)
        end = draw.integer(0, V - 1)
        first = (end + 1) % V
        yield call(table(draw, 5, V, end, 1.0), first, n_beams, end, 0.0)


def begins_with_its_end(draw):
    V = draw.integer(3, 5)
    end = draw.integer(0, V - 1)
    return call(table(draw, 4, V, end, -1.0), end, 2, end, 0.0)


def in_logs(draw, V, end, probs):
    """A table in which only the rows {(step, token before): probabilities} matter, renamed."""
    name = draw.shuffled(range(V))
    steps = torch.full((3, V, V), 1 / V, dtype=draw.dtype)
    for (t, before), row in probs.items():
        for token, p in enumerate(row):
            steps[t, name[before], name[token]] = p
    return on_grid(steps.log()), name[1], name[end]


def lengths(draw):
    """Sums prefer short sequences, means longer ones; so complete beams matter to the search."""
    # The complete beam 0 keeps its place, so that 2, the best beginning by far, is lost.
    frees = {(0, 1): [0.5, 0.3, 0.2], (1, 1): [0.3, 0.37, 0.33], (1, 2): [0.03, 0.02, 0.95]}
    log_probs, first, end = in_logs(draw, 3, 0, frees)
    yield call(log_probs[:2], first, 2, end, 3.0)
    # The complete beam 0 has a better sum than 1, 3, and a worse score.
    ranks = {
        (0, 1): [0.5, 0.4, 0.06, 0.04],
        (1, 1): [0.02, 0.03, 0.5, 0.45],
        (2, 2): [0.2, 0.25, 0.26, 0.29],
        (2, 3): [0.02, 0.01, 0.95, 0.02],
    }
    log_probs, first, end = in_logs(draw, 4, 0, ranks)
    yield call(log_probs, first, 2, end, 3.0)
    yield call(table(draw, 3, 3), 1, 2, NEVER, 1.0)  # all are equally long
    for n_beams, length_penalty in ((3, 1.0), (3, 0.5), (4, 3.0)):
        V = draw.integer(3, 4)
        end = draw.integer(0, V - 1)
        yield call(table(draw, 5, V, end, 1.5), (end + 1) % V, n_beams, end, length_penalty)


def impossible(draw):
    V = 4
    log_probs = table(draw, 3, V)
    log_probs[:, :, draw.integer(0, V - 1)] = -torch.inf
    log_probs[0, 0] = torch.tensor([-torch.inf, 0, -torch.inf, -torch.inf])
    yield call(log_probs, 0, 3, NEVER, 0.0)
    yield call(log_probs, 0, 2, 1, 1.0)  # its end is certain


def search(
    log_probs,
    first,
    n_beams,
    end,
    length_penalty,
    *,
    goes_on=False,  # beams are continued after their end
    first_may_end=False,
    leave=False,  # complete beams leave the search at once, and free their place
    ranked_by_score=False,
    multiplied=False,
    one_each=False,  # each beam keeps its own best continuation alone
    step_alone=False,  # beams are ranked by their last step
):
    """The reference with one thing done otherwise."""
    beams, done = [(0.0, [], 0.0)], []
    for t, step in enumerate(log_probs.tolist()):
        longer = []
        for total, said, _ in beams:
            newest = said[-1] if said else (first if first_may_end else None)
            if newest == end and not goes_on:
                longer.append((total, said, 0.0))
                continue
            gains = step[said[-1] if said else first]
            new = [
                (total * gain if multiplied and t else total + gain, [*said, token], gain)
                for token, gain in enumerate(gains)
            ]
            longer += [max(new)] if one_each and t else new

        def rank(beam):
            if step_alone:
                return beam[2]
            if ranked_by_score:
                return beam[0] / max(len(beam[1]), 1) ** length_penalty
            return beam[0]

        beams = sorted(longer, key=rank, reverse=True)[:n_beams]
        if leave:
            done += [beam for beam in beams if beam[1][-1] == end]
            beams = [beam for beam in longer if beam[1][-1] != end]
            beams = sorted(beams, key=rank, reverse=True)[:n_beams]
    every = beams + done
    scores = [total / max(len(said), 1) ** length_penalty for total, said, _ in every]
    best = scores.index(max(scores))
    return every[best][1], scores[best]


def variant(**how):
    def changed(log_probs, first, n_beams, end, length_penalty):
        return search(log_probs, first, n_beams, end, length_penalty, **how)

    return changed


def greedy(log_probs, first, n_beams, end, length_penalty):
    return beam_search(log_probs, first, 1, end, length_penalty)


def exhaustive(log_probs, first, n_beams, end, length_penalty):
    return beam_search(log_probs, first, 10**6, end, length_penalty)


def by_tensors(log_probs, first, n_beams, end, length_penalty):
    n, V, _ = log_probs.shape
    totals, said = log_probs.new_zeros(1), torch.empty(1, 0, dtype=torch.long)
    for t in range(n):
        open_ = torch.ones(len(said), dtype=torch.bool) if t == 0 else said[:, -1] != end
        newest = torch.full((1,), first) if t == 0 else said[:, -1].clamp(min=0)
        newest = torch.where(open_, newest, 0)
        gains = log_probs[t, newest]  # (beams, V)
        stay = torch.full_like(gains, -torch.inf)
        stay[:, 0] = 0.0
        ids = torch.arange(V).expand(len(said), V)
        both = totals[:, None] + torch.where(open_[:, None], gains, stay)
        top = both.flatten().topk(min(n_beams, both.numel()))
        row = top.indices // V
        new = torch.where(open_[row], ids.flatten()[top.indices], end)
        said, totals = torch.cat([said[row], new[:, None]], dim=1), top.values
    lists = [row[: row.index(end) + 1] if end in row else row for row in said.tolist()]
    scores = [s / len(row) ** length_penalty for s, row in zip(totals.tolist(), lists, strict=True)]
    score, best = max(zip(scores, range(len(scores)), strict=True), key=lambda one: one[0])
    return lists[best], score


EXERCISE = Exercise(
    title="Beam search",
    trains="search, book-keeping",
    minutes=40,
    level="hard",
    section="06.5",
    solution=beam_search,
    checks=[
        Check(
            "One beam",
            2,
            "One beam is greedy search: the likeliest token after the one before, at every step.",
            one_beam,
        ),
        Check(
            "Several beams",
            5,
            "Continue all beams by all tokens first, then keep the best of them all. One beam may "
            "have several children, another none.",
            several,
        ),
        Check(
            "An end",
            4,
            "A complete beam is not continued. It keeps its sum and its place among the beams, and "
            "may be overtaken.",
            with_an_end,
        ),
        Check(
            "It begins with its end",
            2,
            "Every story of the course begins after <|endoftext|> and ends with it. What is "
            "complete is a beam whose newest *new* token is `end`.",
            begins_with_its_end,
        ),
        Check(
            "Length penalty",
            3,
            "Beams are kept by their sums. Only at the end each sum is divided, by the number of "
            "its own new tokens to that power.",
            lengths,
        ),
        Check(
            "Impossible and certain tokens",
            1,
            "A sum of -inf is worse than any other. A certain token adds 0, and a sum of 0 does "
            "not mean that nothing was said.",
            impossible,
        ),
    ],
    hints=[
        "Take two beams and three tokens. How many candidates has the next step, and which of them "
        "may go on?",
        "Keep a list of pairs (sum, tokens). In each step make a longer list: complete beams as "
        "they are, the others once for each token. Sort by sum, keep n_beams. Divide at the end.",
        "`longer += [(total + gain, [*said, token]) for token, gain in enumerate(gains)]`, where "
        "`gains` is the row of this step for the beam's newest token, or for `first`. Then "
        "`sorted(longer, key=..., reverse=True)[:n_beams]`.",
    ],
    wrong=[
        written(greedy, says="This is greedy search: you follow one beam, whatever n_beams is."),
        written(
            exhaustive,
            says="You look at all sequences. That is sure, but no beam search: keep n_beams.",
        ),
        written(
            variant(one_each=True),
            says="Each of your beams keeps its own best continuation. Let all continuations of all "
            "beams compete.",
        ),
        written(variant(goes_on=True), says="You continue beams after their end."),
        written(
            variant(first_may_end=True),
            says="You take a beam for complete before it said anything, as `first` is the end.",
        ),
        written(
            variant(leave=True),
            says="Your complete beams leave the search, so that others take their places. Here "
            "they keep them.",
        ),
        written(
            variant(ranked_by_score=True),
            says="You apply the length penalty in each step. Beams are kept by their sums.",
        ),
        written(
            variant(multiplied=True),
            says="You multiply log-probabilities. Probabilities multiply; their logarithms add.",
        ),
        written(
            variant(step_alone=True),
            says="You keep beams by their last step alone. The sum since the beginning counts.",
        ),
        edit(
            "[total / len(said) ** length_penalty for total, said in beams]",
            "[total / len(log_probs) ** length_penalty for total, said in beams]",
            "You divide by the number of steps. Beams that ended early are shorter.",
        ),
        edit(
            "[total / len(said) ** length_penalty for total, said in beams]",
            "[total / (len(said) + 1) ** length_penalty for total, said in beams]",
            "You count `first` into the length. Only new tokens count.",
        ),
        edit(
            "[total / len(said) ** length_penalty for total, said in beams]",
            "[total / (len(said) * length_penalty or 1) for total, said in beams]",
            "You multiply the length by the penalty. It is a power.",
        ),
        edit(
            "[total / len(said) ** length_penalty for total, said in beams]",
            "[total for total, said in beams]",
            "Your score is the sum, whatever the length penalty.",
        ),
        edit(
            "step[said[-1] if said else first]",
            "step[first]",
            "All your steps begin at `first`. Look up the token said last.",
        ),
        edit(
            "return beams[best][1], scores[best]",
            "return [first, *beams[best][1]], scores[best]",
            "You return `first`, too. Only new tokens are asked for.",
        ),
        edit(
            "best = scores.index(max(scores))",
            "best = 0",
            "You return the beam with the largest sum. The penalty may prefer another one.",
        ),
    ],
    right=[written(by_tensors), written(variant())],
    survivors={
        "[(-0.0, [])]": "zero has no sign that matters",
        "for step in log_probs:": "the sums are tensors then, and as good",
        "sorted(longer, reverse=True)": "then tokens decide between equal sums, of which nothing "
        "is said",
    },
    # Sums may be made in float32, and be read as numbers afterwards.
    tolerance={"float32": 1e-5, "float64": 1e-5},
)
