"""05.5: the gradient of a large batch, from its parts; then clipped."""

import torch
import torch.nn.functional as F

from tools.exercises import Check, Exercise, call, edit, written


def accumulate(weight, parts, max_norm):
    """The loss of a whole batch, read part by part, and its gradient, clipped.

    The model is a linear map: logits are x @ weight.T, with weight (V, C). Each part is a pair of
    x (N, C) and targets (N,), ids or -100. The loss is the mean over all targets of all parts that
    are not -100; at least one is. A gradient longer than max_norm is shortened to it.
    Returns the loss, without dimensions, and the gradient (V, C).
    """
    weight = weight.clone().requires_grad_()
    total = sum((targets != -100).sum() for _, targets in parts)
    loss = weight.new_zeros(())
    for x, targets in parts:
        share = F.cross_entropy(x @ weight.T, targets, reduction="sum") / total
        share.backward()
        loss += share.detach()
    gradient = weight.grad
    length = gradient.square().sum().sqrt()
    return loss, gradient * (max_norm / length.clamp(min=max_norm))


LARGE = 2.0**10  # as max_norm: longer than any gradient here


def part(draw, V, C, N, ignored=0, scale=1.0):
    """Some rows; the last `ignored` of them don't count."""
    targets = draw.integers(N, below=V)
    targets[N - ignored :] = -100
    return draw.normal(N, C, scale=scale), targets


def one_part(draw):
    V, C, N = draw.sizes(3, low=3, high=6)
    return call(draw.normal(V, C), [part(draw, V, C, N)], LARGE)


def unequal(draw):
    V, C = draw.sizes(2, low=3, high=6)
    parts = [part(draw, V, C, n) for n in draw.sizes(3, low=1, high=5)]
    return call(draw.normal(V, C), parts, LARGE)


def ignored(draw):
    V, C = draw.sizes(2, low=3, high=6)
    parts = [part(draw, V, C, 4, ignored=3), part(draw, V, C, 4, ignored=1)]
    return call(draw.normal(V, C), draw.shuffled(parts), LARGE)


def none_counts(draw):
    V, C = draw.sizes(2, low=3, high=6)
    parts = [part(draw, V, C, 3, ignored=3), part(draw, V, C, 2), part(draw, V, C, 3, ignored=1)]
    return call(draw.normal(V, C), draw.shuffled(parts), LARGE)


def clipped(draw):
    V, C = draw.sizes(2, low=3, high=6)
    parts = [part(draw, V, C, n, scale=4) for n in draw.sizes(2, low=2, high=5)]
    weight = draw.normal(V, C)
    return [call(weight, parts, norm) for norm in (2.0**-4, 2.0**-6)]


def accumulated(weight, parts, max_norm, losses, shares, clip=True, each=False):
    """The loss and gradient for the given losses of parts and their shares."""
    weight = weight.clone().requires_grad_()
    loss, gradient = 0, torch.zeros_like(weight)
    for one, share in zip(losses(weight), shares, strict=True):
        (added,) = torch.autograd.grad(share * one, weight)
        if each:
            added = added * (max_norm / added.norm().clamp(min=max_norm))
        loss, gradient = loss + (share * one).detach(), gradient + added
    if clip:
        gradient = gradient * (max_norm / gradient.norm().clamp(min=max_norm))
    return loss, gradient


def means(parts):
    return lambda w: (F.cross_entropy(x @ w.T, targets) for x, targets in parts)


def shares_of(parts):
    counts = [(targets != -100).sum().item() for _, targets in parts]
    return [n / sum(counts) for n in counts]


def equal_shares(weight, parts, max_norm):
    return accumulated(weight, parts, max_norm, means(parts), [1 / len(parts)] * len(parts))


def no_shares(weight, parts, max_norm):
    return accumulated(weight, parts, max_norm, means(parts), [1] * len(parts))


def by_rows(weight, parts, max_norm):
    rows = sum(len(targets) for _, targets in parts)
    shares = [len(targets) / rows for _, targets in parts]
    return accumulated(weight, parts, max_norm, means(parts), shares)


def nan_where_none_counts(weight, parts, max_norm):
    return accumulated(weight, parts, max_norm, means(parts), shares_of(parts))


def clip_each(weight, parts, max_norm):
    counted = [part for part in parts if (part[1] != -100).any()]
    return accumulated(
        weight, counted, max_norm, means(counted), shares_of(counted), clip=False, each=True
    )


def last_part_alone(weight, parts, max_norm):
    counted = [part for part in parts if (part[1] != -100).any()]
    loss, _ = accumulate(weight, parts, max_norm)
    weight = weight.clone().requires_grad_()
    share = shares_of(counted)[-1]
    (gradient,) = torch.autograd.grad(share * list(means(counted)(weight))[-1], weight)
    return loss, gradient * (max_norm / gradient.norm().clamp(min=max_norm))


def every_target(weight, parts, max_norm):
    """-100 counts in the divisor."""
    total = sum(targets.numel() for _, targets in parts)
    counted = [part for part in parts if (part[1] != -100).any()]
    shares = [(targets != -100).sum().item() / total for _, targets in counted]
    return accumulated(weight, counted, max_norm, means(counted), shares)


def at_once(weight, parts, max_norm):
    xs, targets = zip(*parts, strict=True)
    weight = weight.clone().requires_grad_()
    loss = F.cross_entropy(torch.cat(xs) @ weight.T, torch.cat(targets))
    loss.backward()
    torch.nn.utils.clip_grad_norm_([weight], max_norm)
    length = weight.grad.norm()  # torch's 1e-6 in the division leaves it a bit too short
    if length > 0.99 * max_norm:
        weight.grad *= max_norm / length
    return loss.detach(), weight.grad


def by_hand(weight, parts, max_norm):
    total, loss, gradient = 0, 0.0, torch.zeros_like(weight)
    for x, targets in parts:
        x, targets = x[targets != -100], targets[targets != -100]
        log_p = (x @ weight.T).log_softmax(dim=1)
        loss = loss - log_p[range(len(x)), targets].sum()
        gradient = gradient + (log_p.exp() - F.one_hot(targets, len(weight))).T @ x
        total += len(x)
    loss, gradient = loss / total, gradient / total
    length = gradient.norm()
    return loss, gradient * max_norm / length if length > max_norm else gradient


LAST = "gradient * (max_norm / length.clamp(min=max_norm))"

EXERCISE = Exercise(
    title="A large batch in parts",
    trains="means of means, clipping",
    minutes=25,
    level="medium",
    section="05.6",
    solution=accumulate,
    checks=[
        Check(
            "One part",
            2,
            "One part is the whole batch: its mean loss, and the gradient of that.",
            one_part,
        ),
        Check(
            "Parts of unequal size",
            4,
            "Each target of the whole batch weighs the same, in whichever part it stands. By what "
            "share must a small part's loss enter?",
            unequal,
        ),
        Check(
            "Some targets don't count",
            4,
            "A part's share is that of its targets that *count*, not of its rows.",
            ignored,
        ),
        Check(
            "A part in which none counts",
            3,
            "The mean over no targets is 0/0, and one nan spoils the sum. Such a part adds "
            "nothing.",
            none_counts,
        ),
        Check(
            "Clipping",
            3,
            "Clip the whole gradient, once, after all parts are added: if it is longer than "
            "`max_norm` it keeps its direction and gets that length.",
            clipped,
        ),
    ],
    hints=[
        "Two parts have 100 and 300 targets that count. Write the mean over all 400 with the two "
        "sums of losses. By which number do you divide both?",
        "Count the targets of all parts first. Then, for each part, the *sum* of its losses over "
        'that number (`reduction="sum"`): `backward()` adds its gradient to the others. Clip '
        "afterwards.",
        "The sum of no losses is 0, so a part without targets needs no `if`. Clipping multiplies "
        "by `max_norm / length.clamp(min=max_norm)`: 1 where the gradient is short.",
    ],
    wrong=[
        written(
            equal_shares,
            says="All your parts weigh the same. Each should have its share of the targets, or "
            "tokens of short parts weigh more.",
        ),
        written(
            no_shares,
            says="You add up the parts' means. Each must be multiplied by its share of the "
            "targets.",
        ),
        written(
            by_rows,
            says="Your shares count rows, also those whose target is -100.",
        ),
        written(
            nan_where_none_counts,
            says="Right, but for a part in which no target counts: its mean is nan, and 0 times "
            "nan is nan, too.",
        ),
        written(
            every_target,
            says="You divide by the number of all targets, also by those that don't count.",
        ),
        written(
            clip_each,
            says="You clip each part. Clip the sum, once: parts may point in opposite directions.",
        ),
        written(
            last_part_alone,
            says="Your gradient is that of the last part. Are gradients set to 0 between parts?",
        ),
        edit(LAST, "gradient", "Your gradient is not clipped."),
        edit(
            LAST,
            "gradient.clamp(-max_norm, max_norm)",
            "You clip each entry. Clipping shortens the whole gradient and keeps its direction.",
        ),
        edit(
            LAST,
            "gradient * (max_norm / length)",
            "You give every gradient the length `max_norm`. Short ones stay as they are.",
        ),
        edit(
            LAST,
            "gradient / length.clamp(min=max_norm)",
            "You shorten to length 1, and only if it was longer than `max_norm`. Shorten to "
            "`max_norm`.",
        ),
        edit(
            "gradient.square().sum().sqrt()",
            "gradient.square().sum()",
            "You compare the square of the length with `max_norm`. Take the root.",
        ),
        edit(
            "gradient.square().sum().sqrt()",
            "gradient.abs().sum()",
            "The length of a vector is the root of the sum of squares.",
        ),
        edit(
            "gradient.square().sum().sqrt()",
            "gradient.square().sum(dim=1, keepdim=True).sqrt()",
            "You clip each row by itself. All entries of the gradient are one long vector.",
        ),
        edit(
            "loss += share.detach()",
            "loss = share.detach()",
            "The loss is that of the last part alone. Add up all of them.",
        ),
        edit(
            " / total\n",
            "\n",
            "You add up all losses and never divide by the number of targets.",
        ),
    ],
    right=[written(at_once), written(by_hand)],
    survivors={
        "weight = weight.requires_grad_()": "marks the tensor it was given; the numbers are right",
        "loss += share": "keeps each part's graph in memory; the numbers are right",
    },
    tolerance={"float32": 1e-4, "float64": 1e-9},
)
