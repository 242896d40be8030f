"""05.2: cross-entropy that is stable and leaves out what does not count."""

import torch
import torch.nn.functional as F

from tools.exercises import Check, Exercise, call, edit, written


def cross_entropy(logits, targets):
    """The mean of -ln p over all targets that are not -100, in nats; 0 if there is none.

    logits (..., V), of any size; targets (...), ids or -100 -> a tensor without dimensions.
    """
    counts = targets != -100
    logits = logits - logits.amax(dim=-1, keepdim=True)
    log_probs = logits - logits.exp().sum(dim=-1, keepdim=True).log()
    picked = log_probs.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return -picked[counts].sum() / counts.sum().clamp(min=1)


def batch(draw, V, shape, scale=1.0, ignored=False):
    """Logits and targets; with `ignored`, about half of them, but not the first."""
    logits, targets = draw.normal(*shape, V, scale=scale), draw.integers(*shape, below=V)
    if ignored:
        hidden = draw.booleans(*shape)
        hidden.view(-1)[0], hidden.view(-1)[-1] = False, True
        targets[hidden] = -100
    return logits, targets


def all_count(draw):
    N, V, T = draw.sizes(3, low=3, high=6)
    return call(*batch(draw, V, (N,))), call(*batch(draw, V, (2, T)))


def some_count(draw):
    B, T, V = draw.sizes(3, low=3, high=6)
    return call(*batch(draw, V, (B, T), ignored=True)), call(*batch(draw, V, (7,), ignored=True))


def large_logits(draw):
    N, V = draw.sizes(2, low=3, high=6)
    logits, targets = batch(draw, V, (N,), scale=1000)
    low = draw.normal(N, V) - 2000  # every exponential is 0, and the loss an ordinary one
    sure = draw.normal(N, V)
    sure[:, 1] += 5000
    return call(logits, targets), call(low, targets), call(sure, torch.ones(N).long())


def none_counts(draw):
    N, V = draw.sizes(2, low=3, high=6)
    one = torch.full((N,), -100)
    one[1] = draw.integer(1, V - 1)
    return call(draw.normal(N, V), torch.full((N,), -100)), call(draw.normal(N, V), one)


def gradients(draw):
    B, T, V = draw.sizes(3, low=3, high=6)
    return call(*batch(draw, V, (B, T), ignored=True), gradient=True)


def by_softmax(logits, targets):
    counts = targets != -100
    picked = logits.softmax(dim=-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return -picked.log()[counts].sum() / counts.sum().clamp(min=1)


def with_a_small_number(logits, targets):
    counts = targets != -100
    picked = logits.softmax(dim=-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return -(picked + 1e-9).log()[counts].sum() / counts.sum().clamp(min=1)


def overflowing(logits, targets):
    counts = targets != -100
    log_probs = logits - logits.exp().sum(dim=-1, keepdim=True).log()
    picked = log_probs.gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return -picked[counts].sum() / counts.sum().clamp(min=1)


def row_means(logits, targets):
    losses = F.cross_entropy(logits.movedim(-1, 1), targets, reduction="none")
    counts = (targets != -100).to(losses)
    return (losses.sum(dim=-1) / counts.sum(dim=-1).clamp(min=1)).mean()


def bits(logits, targets):
    return cross_entropy(logits, targets) / torch.tensor(2.0).log()


def probability(logits, targets):
    counts = targets != -100
    picked = logits.softmax(dim=-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return (1 - picked)[counts].sum() / counts.sum().clamp(min=1)


def torchs_default(logits, targets):
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.flatten())


def by_torch(logits, targets):
    flat = logits.reshape(-1, logits.shape[-1])
    total = F.cross_entropy(flat, targets.flatten(), reduction="sum")
    return total / max((targets != -100).sum().item(), 1)


def by_loop(logits, targets):
    losses = []
    for row, target in zip(logits.reshape(-1, logits.shape[-1]), targets.flatten(), strict=True):
        if target != -100:
            losses.append((row - row[target]).logsumexp(dim=0))
    return torch.stack(losses).mean() if losses else 0 * logits.sum()


def by_one_hot(logits, targets):
    counts = targets != -100
    true = F.one_hot(targets.clamp(min=0), logits.shape[-1]) * counts[..., None]
    return -(true * logits.log_softmax(dim=-1)).sum() / counts.sum().clamp(min=1)


EXERCISE = Exercise(
    title="Cross-entropy",
    trains="stability, masks in a mean",
    minutes=25,
    level="medium",
    section="05.2",
    solution=cross_entropy,
    checks=[
        Check(
            "All targets count",
            4,
            "For the logits (2, 1, 0) and the true token 0 the loss is 0.408. Compute yours, by "
            "the same steps. Several targets give the mean of their losses.",
            all_count,
        ),
        Check(
            "Some don't count",
            4,
            "Where the target is -100, neither its loss nor its place in the mean may count.",
            some_count,
        ),
        Check(
            "Logits of any size",
            5,
            "Exponentials of large numbers are infinite, those of very negative ones 0, and the "
            "logarithm of 0 is -inf. Which number can be taken from all logits of a place without "
            "changing its loss? And need you ever take the logarithm of a probability?",
            large_logits,
        ),
        Check(
            "One target counts, or none",
            2,
            "One target alone is its own mean. A mean of nothing is 0/0: here it should be 0, as a "
            "tensor.",
            none_counts,
        ),
        Check(
            "It can learn",
            3,
            "The gradient at a place is what was said minus what is true, over the number of "
            "targets that count; 0 where the target is -100.",
            gradients,
        ),
    ],
    hints=[
        "The loss is ln Σ exp(z) - z_y. What happens to it when 5 is taken from every logit?",
        "Take the largest logit of each place from all of that place. Then ln p is the logit minus "
        "the logarithm of the sum of exponentials. Pick the true token's by `gather`: -100 is no "
        "place to pick from, so `clamp` it first, and leave it out afterwards.",
        "`picked = log_probs.gather(-1, targets.clamp(min=0)[..., None])[..., 0]`. Sum `picked` "
        "where `targets != -100`, and divide by how many there are, but at least by 1.",
    ],
    wrong=[
        written(
            by_softmax,
            says="You take the logarithm of a softmax. A probability that is rounded to 0 gives "
            "-inf: stay with logarithms.",
        ),
        written(
            with_a_small_number,
            says="You add a small number before the logarithm. The loss of what was held "
            "impossible is then cut off, and has no gradient.",
        ),
        written(
            overflowing,
            says="You exponentiate the logits as they are: large ones overflow.",
        ),
        edit(
            "logits.amax(dim=-1, keepdim=True)",
            "logits.mean(dim=-1, keepdim=True)",
            "You subtract the mean of the logits. The largest may still overflow.",
        ),
        edit(
            "counts.sum().clamp(min=1)",
            "targets.numel()",
            "You divide by the number of all targets, also by those that don't count.",
        ),
        edit(
            " / counts.sum().clamp(min=1)",
            "",
            "Your loss is a sum. Divide by the number of targets that count.",
        ),
        edit(
            ".clamp(min=1)",
            "",
            "Right, but for a batch in which no target counts: yours is 0/0.",
        ),
        edit(
            "-picked[counts].sum() / counts.sum().clamp(min=1)",
            "-picked.mean()",
            "You leave nothing out: -100 counts as if token 0 were the target.",
        ),
        edit("return -picked", "return picked", "The sign is missing: a loss is never negative."),
        edit(
            "counts = targets != -100",
            "counts = targets > 0",
            "You leave out token 0, too. It is a token like any other.",
        ),
        edit(
            "log_probs = logits - logits.exp().sum(dim=-1, keepdim=True).log()",
            "log_probs = logits",
            "This is the logit of the true token, minus the largest. Where is the sum over all "
            "tokens?",
        ),
        edit(
            "logits.exp().sum(dim=-1, keepdim=True).log()",
            "logits.exp().mean(dim=-1, keepdim=True).log()",
            "You take the mean of the exponentials. It is their sum: your loss is too small by "
            "ln V.",
        ),
        written(
            row_means,
            says="You take the mean of each row, then the mean of these. Rows with few targets "
            "then weigh too much.",
        ),
        written(bits, says="This is in bits. The loss is in nats: the natural logarithm."),
        written(
            probability,
            says="You return one minus the probability. The loss is minus its logarithm.",
        ),
        edit(
            "logits - logits.amax(dim=-1, keepdim=True)",
            "logits.detach() - logits.amax(dim=-1, keepdim=True).detach()",
            "The number is right, but no gradient reaches the logits.",
        ),
    ],
    right=[written(by_torch), written(by_loop), written(by_one_hot)],
    survivors={"[..., None])[..., -1]": "of a dimension of size 1, the last entry is the first"},
)
