"""02.4: split a width into heads, and merge heads again."""

import torch

from tools.exercises import Check, Exercise, call, edit, written


def split_heads(x, n_head):
    """Cut the last dimension into `n_head` heads: (B, T, C) -> (B, H, T, D), D = C / H."""
    B, T, C = x.shape
    return x.view(B, T, n_head, C // n_head).transpose(1, 2)


def merge_heads(x):
    """Join heads again: (B, H, T, D) -> (B, T, H * D)."""
    B, H, T, D = x.shape
    return x.transpose(1, 2).reshape(B, T, H * D)


def split(draw):
    B, T, H, D = draw.sizes(4)
    return call(draw.normal(B, T, H * D), H, to="split_heads")


def split_one(draw):
    T, D = draw.sizes(2)
    return call(draw.normal(1, T, D), D, to="split_heads"), call(
        draw.normal(1, T, D), 1, to="split_heads"
    )


def merge(draw):
    return call(draw.normal(*draw.sizes(4)), to="merge_heads")


def gradients(draw):
    B, T, H, D = draw.sizes(4)
    return (
        call(draw.normal(B, T, H * D), H, to="split_heads", gradient=True),
        call(draw.normal(B, H, T, D), to="merge_heads", gradient=True),
    )


def split_by_einsum(x, n_head):
    B, T, C = x.shape
    return torch.einsum("bthd->bhtd", x.reshape(B, T, n_head, C // n_head))


def merge_by_einsum(x):
    return torch.einsum("bhtd->bthd", x).flatten(2)


def split_by_cutting(x, n_head):
    return torch.stack(x.chunk(n_head, dim=-1), dim=1)


def merge_by_joining(x):
    return torch.cat(list(x.unbind(dim=1)), dim=-1)


EXERCISE = Exercise(
    title="Split and merge heads",
    trains="memory layout",
    minutes=15,
    level="medium",
    section="02.7",
    solution=(split_heads, merge_heads),
    checks=[
        Check(
            "Split",
            5,
            "Head 0 holds the first D entries of every token, head 1 the next D. In "
            "`split_heads(x, H)[b, h, t]` stands a piece of token t and of no other.",
            split,
        ),
        Check(
            "Heads of one entry, and one head alone",
            2,
            "With one head nothing is cut; with C heads each holds one entry of each token.",
            split_one,
        ),
        Check(
            "Merge",
            5,
            "Merging is the way back: row t joins what all heads hold for token t, head 0 first.",
            merge,
        ),
        Check(
            "Gradients find their way",
            2,
            "Every output entry is one input entry: its gradient belongs there.",
            gradients,
        ),
    ],
    hints=[
        "Number the entries of one token 0 to C - 1. Which of them belong to head 1?",
        "First cut the last dimension in two, (B, T, H, D): that moves nothing in memory. Then "
        "swap T and H. Merging does the same two steps backwards.",
        "`x.view(B, T, n_head, C // n_head).transpose(1, 2)`; on the way back a `view` is refused, "
        "as the entries are no longer in order: `reshape` copies them.",
    ],
    wrong=[
        edit(
            "x.view(B, T, n_head, C // n_head).transpose(1, 2)",
            "x.view(B, n_head, T, C // n_head)",
            "You view straight to (B, H, T, D): that mixes tokens. Cut the last dimension, then "
            "transpose.",
        ),
        edit(
            "x.view(B, T, n_head, C // n_head).transpose(1, 2)",
            "x.view(B, T, C // n_head, n_head).permute(0, 3, 1, 2)",
            "Your head 0 takes every H-th entry. It should take the first D.",
        ),
        edit(
            "x.view(B, T, n_head, C // n_head).transpose(1, 2)",
            "x.view(B, T, n_head, C // n_head)",
            "You cut into heads, but leave tokens before heads: swap the two.",
        ),
        edit(
            "x.view(B, T, n_head, C // n_head).transpose(1, 2)",
            "x.view(B, T, n_head, C // n_head).transpose(1, 2).flip(1)",
            "Your heads stand in the opposite order.",
        ),
        edit(
            "x.view(B, T, n_head, C // n_head).transpose(1, 2)",
            "x.view(B, T, C // n_head, n_head).transpose(1, 2)",
            "You make C / H heads of width H: number and width are swapped.",
        ),
        edit(
            "x.transpose(1, 2).reshape(B, T, H * D)",
            "x.reshape(B, T, H * D)",
            "Merging, you join before heads and tokens are swapped: rows hold pieces of several "
            "tokens.",
        ),
        edit(
            "x.transpose(1, 2).reshape(B, T, H * D)",
            "x.permute(0, 2, 3, 1).reshape(B, T, H * D)",
            "Merging, you join entry by entry, all heads' first entries before the second ones.",
        ),
        edit(
            "x.transpose(1, 2).reshape(B, T, H * D)",
            "x.flip(1).transpose(1, 2).reshape(B, T, H * D)",
            "Merging, you join the heads in the opposite order.",
        ),
        edit(
            "x.transpose(1, 2).reshape(B, T, H * D)",
            "x.transpose(1, 2).mean(dim=2)",
            "You average the heads. They are to stand side by side.",
        ),
        edit(
            "x.transpose(1, 2).reshape(B, T, H * D)",
            "x.detach().transpose(1, 2).reshape(B, T, H * D)",
            "The numbers are right, but merging cuts off the gradients.",
        ),
    ],
    right=[
        written(split_by_einsum, merge_by_einsum),
        written(split_by_cutting, merge_by_joining),
    ],
)
