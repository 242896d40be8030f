"""02.6: causal self-attention as a module, with GPT-2's own names."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from tools.exercises import Check, Exercise, call, edit, written


class CausalSelfAttention(nn.Module):
    """Multi-head attention of a sequence to its own past: (B, T, C) -> (B, T, C)."""

    def __init__(self, n_embd, n_head):
        """Linear maps c_attn, to q, k and v side by side, and c_proj; both with bias."""
        super().__init__()
        self.n_head = n_head
        self.c_attn = nn.Linear(n_embd, 3 * n_embd)
        self.c_proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        """Each token reads itself and all before it."""
        B, T, C = x.shape
        q, k, v = self.c_attn(x).view(B, T, 3, self.n_head, C // self.n_head).unbind(dim=2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)  # (B, H, T, D)
        attn_scores = q @ k.transpose(-2, -1) / math.sqrt(C // self.n_head)
        mask = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
        heads = attn_scores.masked_fill(~mask, -math.inf).softmax(dim=-1) @ v
        return self.c_proj(heads.transpose(1, 2).reshape(B, T, C))


def drawn(draw, heads, tokens=None, scale=1.0, **more):
    """One case: a module with drawn weights reads a batch."""
    B, T, D = draw.sizes(3)
    build = {"n_embd": heads * D, "n_head": heads}
    x = draw.normal(B, tokens or T, heads * D, scale=scale)
    return call(x, build=build, state=draw.state(CausalSelfAttention(**build)), **more)


def tokens_alone(draw):
    return drawn(draw, heads=2, tokens=1)


def one_head(draw):
    return drawn(draw, heads=1)


def several_heads(draw):
    return drawn(draw, heads=3)


def large_scores(draw):
    return drawn(draw, heads=2, scale=64)


def gradients(draw):
    return drawn(draw, heads=2, gradient=True)


class Fused(CausalSelfAttention):
    """PyTorch's own attention between the two linear maps."""

    def forward(self, x):
        q, k, v = (
            part.unflatten(-1, (self.n_head, -1)).transpose(1, 2)
            for part in self.c_attn(x).chunk(3, dim=-1)
        )
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(heads.transpose(1, 2).flatten(2))


class HeadByHead(CausalSelfAttention):
    """A loop over heads and tokens."""

    def forward(self, x):
        q, k, v = self.c_attn(x).chunk(3, dim=-1)
        outs = []
        for a, b, c in zip(*(y.chunk(self.n_head, dim=-1) for y in (q, k, v)), strict=True):
            rows = []
            for t in range(x.shape[1]):
                scores = (b[:, : t + 1] * a[:, t : t + 1]).sum(dim=-1) / a.shape[-1] ** 0.5
                rows.append((scores.softmax(dim=-1)[..., None] * c[:, : t + 1]).sum(dim=1))
            outs.append(torch.stack(rows, dim=1))
        return self.c_proj(torch.cat(outs, dim=-1))


class Overflowing(CausalSelfAttention):
    """Right, but for a softmax that overflows."""

    def forward(self, x):
        T = x.shape[1]
        q, k, v = (
            part.unflatten(-1, (self.n_head, -1)).transpose(1, 2)
            for part in self.c_attn(x).chunk(3, dim=-1)
        )
        e = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).exp() * torch.ones(T, T).tril().to(q)
        heads = e / e.sum(dim=-1, keepdim=True) @ v
        return self.c_proj(heads.transpose(1, 2).flatten(2))


EXERCISE = Exercise(
    title="The whole module",
    trains="all of it",
    minutes=40,
    level="hard",
    section="02.8",
    solution=CausalSelfAttention,
    checks=[
        Check(
            "A token alone",
            3,
            "A single token can only read itself: the output is `c_proj` of its value, and the "
            "values are the last third of what `c_attn` gives.",
            tokens_alone,
        ),
        Check(
            "One head",
            4,
            "With one head nothing is split. Does row 0 see only itself, and is the mask applied "
            "before the softmax?",
            one_head,
        ),
        Check(
            "Several heads",
            6,
            "Head 0 takes the first D entries of q, of k and of v. Each head has its own softmax, "
            "and scores are divided by the root of D.",
            several_heads,
        ),
        Check(
            "Large inputs",
            3,
            "Scores of some thousands must not overflow: see 02.4.",
            large_scores,
        ),
        Check(
            "It can learn",
            3,
            "Gradients must reach `x` through q, k and v.",
            gradients,
        ),
    ],
    hints=[
        "Say the steps aloud: project, cut into q, k and v, split into heads, score, mask, mix, "
        "merge, project. Which shape stands between each two?",
        "`c_attn(x)` is (B, T, 3C): `chunk` it into three. Split each into heads as in 02.4, "
        "attend causally as in 02.3, merge, apply `c_proj`. You may use "
        "`F.scaled_dot_product_attention` with `is_causal=True` for the middle.",
        "`q, k, v = (split_heads(part, self.n_head) for part in self.c_attn(x).chunk(3, dim=-1))`, "
        "then scores over the root of D, -inf above the diagonal, softmax, `@ v`, and "
        "`self.c_proj(merge_heads(heads))`.",
    ],
    wrong=[
        edit(
            "math.sqrt(C // self.n_head)",
            "math.sqrt(C)",
            "You divide by the root of the full width C. A head's scores are sums over D entries.",
        ),
        edit(" / math.sqrt(C // self.n_head)", "", "Your scores are not divided by the root of D."),
        edit(".masked_fill(~mask, -math.inf)", "", "Nothing is hidden: tokens read their future."),
        edit(".tril()", ".tril(-1)", "A token may look at itself. Yours can't."),
        edit(".tril()", ".triu()", "You hide the past."),
        edit(
            ".masked_fill(~mask, -math.inf).softmax(dim=-1) @ v",
            ".softmax(dim=-1).masked_fill(~mask, 0) @ v",
            "You hide after the softmax: what remains no longer sums to 1, and the future has been "
            "counted.",
        ),
        edit("softmax(dim=-1)", "softmax(dim=-2)", "Your softmax runs over the queries."),
        edit(
            "softmax(dim=-1)",
            "softmax(dim=1)",
            "Your softmax runs over the heads: each has its own.",
        ),
        edit(
            "view(B, T, 3, self.n_head, C // self.n_head).unbind(dim=2)",
            "view(B, T, self.n_head, 3, C // self.n_head).unbind(dim=3)",
            "You cut into heads first and then into q, k and v. GPT-2 has all of q first, then all "
            "of k, then all of v.",
        ),
        edit("q, k, v = self.c_attn", "k, q, v = self.c_attn", "Queries and keys are swapped."),
        edit("q, k, v = self.c_attn", "v, k, q = self.c_attn", "Queries and values are swapped."),
        edit(
            "heads.transpose(1, 2).reshape(B, T, C)",
            "heads.reshape(B, T, C)",
            "You merge without swapping heads and tokens back: tokens read their future, behind a "
            "perfect mask.",
        ),
        edit(
            "return self.c_proj(heads.transpose(1, 2).reshape(B, T, C))",
            "return heads.transpose(1, 2).reshape(B, T, C)",
            "The heads are merged, but `c_proj` is not applied.",
        ),
        edit(
            "q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)",
            "q, k, v = (y.reshape(B, self.n_head, T, -1) for y in (q, k, v))",
            "You view straight to (B, H, T, D): that mixes tokens.",
        ),
        edit(
            "return self.c_proj(heads.transpose(1, 2).reshape(B, T, C))",
            "return x + self.c_proj(heads.transpose(1, 2).reshape(B, T, C))",
            "You add the input. That is the block's task, in chapter 04.",
        ),
        written(Overflowing, says="You exponentiate the scores as they are: large ones overflow."),
    ],
    right=[written(Fused), written(HeadByHead)],
    survivors={"k.transpose(+2, -1)": "of four dimensions, number 2 is number -2"},
)
