"""08.4: a linear layer and a change of low rank beside it."""

import torch
import torch.nn.functional as F

from tools.exercises import Check, Exercise, call, edit, written


def lora_linear(x, weight, bias, a, b, alpha):
    """A frozen linear map plus a trained one of low rank, which counts alpha / rank times.

    Gradients reach x, a and b; none reaches weight and bias, which are frozen.
    x (..., n_in), weight (n_out, n_in), bias (n_out,) or None, a (rank, n_in), b (n_out, rank)
    -> (..., n_out)
    """
    frozen = x @ weight.detach().T
    if bias is not None:
        frozen = frozen + bias.detach()
    return frozen + x @ a.T @ b.T * (alpha / len(a))


# The inputs that each check draws.


def drawn(draw, rank, lead, n_in=None, n_out=None, alpha=None, bias=True, **more):
    free = [n for n in (2, 3, 4, 5, 6, 7) if n not in (rank, *lead)]
    n_in, n_out = n_in or draw.choice(free[:2]), n_out or draw.choice(free[2:])
    weight, offset = draw.normal(n_out, n_in), draw.normal(n_out) if bias else None
    a, b = draw.normal(rank, n_in), draw.normal(n_out, rank)
    alpha = alpha or draw.choice([n for n in (1, 8, 16, 32) if n != rank])
    return [draw.normal(*lead, n_in), weight, offset, a, b, alpha], more


def made(arguments, more):
    return call(*arguments, **more)


def at_the_start(draw):
    """b is 0, as when training begins."""
    arguments, more = drawn(draw, 2, (4,))
    arguments[4] = torch.zeros_like(arguments[4])
    return made(arguments, more)


def rank_one(draw):
    return made(*drawn(draw, 1, (3,), alpha=1))


def scaled(draw):
    return made(*drawn(draw, 2, (3,), alpha=8)), made(*drawn(draw, 4, (2,), alpha=1))


def leading(draw):
    return (
        made(*drawn(draw, 3, (2, 4))),
        made(*drawn(draw, 2, ())),
        made(*drawn(draw, 3, (2,), bias=False)),
    )


def gradients(draw):
    yield made(*drawn(draw, 2, (3,), gradient=True))
    yield made(*drawn(draw, 3, (2, 4), bias=False, gradient=True))


def adapted(change):
    """A layer whose scale of the trained part is change(alpha, rank, n_in)."""

    def layer(x, weight, bias, a, b, alpha):
        frozen = F.linear(x, weight.detach(), None if bias is None else bias.detach())
        return frozen + change(alpha, len(a), x.shape[-1]) * (x @ a.T @ b.T)

    return layer


def no_frozen_part(x, weight, bias, a, b, alpha):
    return alpha / len(a) * (x @ a.T @ b.T) + 0 * (x @ weight.detach().T)


def all_scaled(x, weight, bias, a, b, alpha):
    offset = None if bias is None else bias.detach()
    return alpha / len(a) * (F.linear(x, weight.detach(), offset) + x @ a.T @ b.T)


def bias_twice(x, weight, bias, a, b, alpha):
    out = lora_linear(x, weight, bias, a, b, alpha)
    return out if bias is None else out + bias.detach()


def no_bias(x, weight, bias, a, b, alpha):
    return lora_linear(x, weight, None, a, b, alpha)


def multiplied(x, weight, bias, a, b, alpha):
    return lora_linear(x, weight, bias, a * 0, b, alpha) * (x @ a.T @ b.T)


def no_grad(x, weight, bias, a, b, alpha):
    with torch.no_grad():
        frozen = F.linear(x, weight, bias)
    return frozen + x @ a.T @ b.T * (alpha / len(a))


def x_detached_below(x, weight, bias, a, b, alpha):
    frozen = lora_linear(x, weight, bias, a.detach() * 0, b.detach() * 0, alpha)
    return frozen + x.detach() @ a.T @ b.T * (alpha / len(a))


def in_two_nonlinear_steps(x, weight, bias, a, b, alpha):
    frozen = lora_linear(x, weight, bias, a * 0, b * 0, alpha)
    return frozen + (x @ a.T).relu() @ b.T * (alpha / len(a))


def weights_as_given(x, weight, bias, a, b, alpha):
    out = x @ weight.T if bias is None else x @ weight.T + bias
    return out + x @ a.T @ b.T * (alpha / len(a))


def bias_as_given(x, weight, bias, a, b, alpha):
    out = x @ weight.detach().T if bias is None else x @ weight.detach().T + bias
    return out + x @ a.T @ b.T * (alpha / len(a))


def one_matrix(x, weight, bias, a, b, alpha):
    change = (b @ a) * (alpha / a.shape[0])
    return F.linear(x, weight.detach() + change, bias if bias is None else bias.detach())


def by_sums(x, weight, bias, a, b, alpha):
    total = torch.einsum("...i,oi->...o", x, weight.data)
    for row, column in zip(a, b.T, strict=True):  # one rank at a time
        total = total + (x * row).sum(dim=-1, keepdim=True) * column * alpha / len(a)
    return total if bias is None else total + bias.data


EXERCISE = Exercise(
    title="A LoRA layer",
    trains="matrices of low rank, and what is frozen",
    minutes=25,
    level="medium",
    section="08.3",
    solution=lora_linear,
    checks=[
        Check(
            "At the start",
            3,
            "When training begins b is 0: the layer must give what the frozen one gives, bias "
            "included.",
            at_the_start,
        ),
        Check(
            "Rank 1, alpha 1",
            4,
            "The trained part is added. x goes through a first, which makes it `rank` wide, then "
            "through b.",
            rank_one,
        ),
        Check(
            "The scale",
            4,
            "Why is alpha divided by the rank? So that with twice the rank the change stays about "
            "as large. Which of the two shapes of a is the rank?",
            scaled,
        ),
        Check(
            "Any dimensions, no bias",
            4,
            "One vector, a batch of sequences, and a layer without bias, such as GPT-2's last one.",
            leading,
        ),
        Check(
            "What learns",
            5,
            "Frozen means: no gradient for weight and bias. x is not frozen: layers below must "
            "learn *through* the frozen part as well as through the trained one.",
            gradients,
        ),
    ],
    hints=[
        "x is (..., n_in). Which shape has it after a, and which after b? Which of the two "
        "products of matrices would you rather form: b with a, or x with a?",
        "Three terms: x through the frozen weight, the frozen bias if there is one, and x through "
        "a and b times alpha / rank. A tensor's `detach()` is the same numbers without a gradient.",
        "`x @ weight.detach().T` is the frozen part, `x @ a.T @ b.T` the trained one; the rank is "
        "`len(a)`.",
    ],
    wrong=[
        written(
            adapted(lambda alpha, rank, n_in: 1),
            says="The trained part is not scaled: alpha / rank is missing.",
        ),
        written(
            adapted(lambda alpha, rank, n_in: alpha),
            says="You multiply by alpha alone. Divide it by the rank.",
        ),
        written(
            adapted(lambda alpha, rank, n_in: 1 / rank),
            says="You divide by the rank and forget alpha.",
        ),
        written(
            adapted(lambda alpha, rank, n_in: alpha / rank**0.5),
            says="You divide by the root of the rank. That is rsLoRA; LoRA divides by the rank.",
        ),
        written(
            adapted(lambda alpha, rank, n_in: alpha / n_in),
            says="You divide by the width of x. The rank is the first size of a.",
        ),
        written(
            adapted(lambda alpha, rank, n_in: -alpha / rank),
            says="You subtract the trained part. It is added.",
        ),
        written(
            no_frozen_part,
            says="Only the trained part is there. It is a change *of* the frozen layer: add both.",
        ),
        written(all_scaled, says="You scale the frozen part, too. Only the trained one is scaled."),
        written(bias_twice, says="You add the bias twice: the trained part has none."),
        written(no_bias, says="The bias is missing."),
        written(multiplied, says="You multiply both parts. They are added."),
        written(
            in_two_nonlinear_steps,
            says="Between a and b you have a ReLU. LoRA is linear, so that it can be merged.",
        ),
        written(
            weights_as_given,
            says="Weight and bias get gradients. They are frozen: that is what saves the memory.",
        ),
        written(bias_as_given, says="The bias gets a gradient. It is frozen, as the weight is."),
        written(
            no_grad,
            says="With `no_grad` around the frozen part no gradient passes *through* it, so layers "
            "below learn little. Freeze the weights, not the path.",
        ),
        written(
            x_detached_below,
            says="No gradient passes to x through the trained part. Detach weights, not x.",
        ),
    ],
    right=[written(one_matrix), written(by_sums)],
)
