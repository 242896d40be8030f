"""02.5: attention from one sequence to another, whose vectors have another width."""

import torch
import torch.nn.functional as F
from torch import nn

from tools.exercises import Check, Exercise, call, edit, written


class CrossAttention(nn.Module):
    """Attention whose queries come from one sequence, its keys and values from another."""

    def __init__(self, n_embd, n_source, n_head):
        """Linear maps q_proj, k_proj, v_proj and out_proj, all with bias and to width n_embd."""
        super().__init__()
        self.n_head = n_head
        self.q_proj = nn.Linear(n_embd, n_embd)
        self.k_proj = nn.Linear(n_source, n_embd)
        self.v_proj = nn.Linear(n_source, n_embd)
        self.out_proj = nn.Linear(n_embd, n_embd)

    def forward(self, x, source, mask=None):
        """x (B, T, n_embd) reads source (B, S, n_source); returns (B, T, n_embd).

        mask (B, S) is True where the source has a token, False where it is padding.
        """
        q = self.q_proj(x).unflatten(-1, (self.n_head, -1)).transpose(1, 2)  # (B, H, T, D)
        k = self.k_proj(source).unflatten(-1, (self.n_head, -1)).transpose(1, 2)  # (B, H, S, D)
        v = self.v_proj(source).unflatten(-1, (self.n_head, -1)).transpose(1, 2)
        if mask is not None:
            mask = mask[:, None, None, :]  # the same for all heads and queries
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.out_proj(heads.transpose(1, 2).flatten(2))


def drawn(draw, heads, scale=1.0, masked=False, **more):
    """One case: the module with drawn weights reads a source of another length and width."""
    B, T, S, n_source = draw.sizes(4)
    D = draw.choice([3, 4])
    build = {"n_embd": heads * D, "n_source": n_source, "n_head": heads}
    args = [draw.normal(B, T, heads * D, scale=scale), draw.normal(B, S, n_source, scale=scale)]
    if masked:
        mask = draw.booleans(B, S)
        mask[0, 0], mask[:, 1] = False, False
        mask[:, -1] = True  # each sequence has something to read
        args.append(mask)
    return call(*args, build=build, state=draw.state(CrossAttention(**build)), **more)


class AveragedOverHeads(nn.Module):
    """Right but for the merge: heads are averaged and repeated."""

    def __init__(self, n_embd, n_source, n_head):
        super().__init__()
        self.inner = CrossAttention(n_embd, n_source, n_head)
        for name, part in self.inner.named_children():
            setattr(self, name, part)
        del self.inner
        self.n_head = n_head

    def forward(self, x, source, mask=None):
        def heads(y):
            return y.unflatten(-1, (self.n_head, -1)).transpose(1, 2)

        q, k, v = heads(self.q_proj(x)), heads(self.k_proj(source)), heads(self.v_proj(source))
        mask = None if mask is None else mask[:, None, None, :]
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).mean(dim=1)
        return self.out_proj(mixed.repeat(1, 1, self.n_head))


class ByHand(CrossAttention):
    """Every step written out."""

    def forward(self, x, source, mask=None):
        D = self.q_proj.out_features // self.n_head
        outs = []
        for h in range(self.n_head):
            cut = slice(h * D, (h + 1) * D)
            q, k = self.q_proj(x)[..., cut], self.k_proj(source)[..., cut]
            v = self.v_proj(source)[..., cut]
            attn_scores = torch.einsum("btd,bsd->bts", q, k) / D**0.5
            if mask is not None:
                attn_scores = attn_scores.masked_fill(~mask[:, None], -torch.inf)
            outs.append(attn_scores.softmax(dim=-1) @ v)
        return self.out_proj(torch.cat(outs, dim=-1))


SPLIT = ".unflatten(-1, (self.n_head, -1)).transpose(1, 2)"

EXERCISE = Exercise(
    title="Cross-attention",
    trains="shapes, and who asks whom",
    minutes=25,
    level="medium",
    section="02.9",
    solution=CrossAttention,
    checks=[
        Check(
            "One head",
            4,
            "Queries are made from `x`, keys and values from `source`. With one head nothing is "
            "split: what is left are four linear maps and attention.",
            lambda draw: drawn(draw, heads=1),
        ),
        Check(
            "Several heads",
            5,
            "Each head has its own D entries of q, k and v, and its own softmax; scores are "
            "divided by the root of D, not of the full width.",
            lambda draw: drawn(draw, heads=draw.choice([2, 3])),
        ),
        Check(
            "Padding is not read",
            5,
            "Where `mask` is False no query of that sequence may look, in no head. All other "
            "weights still sum to 1.",
            lambda draw: drawn(draw, heads=2, masked=True),
        ),
        Check(
            "It can learn",
            2,
            "Gradients must reach both `x` and `source`.",
            lambda draw: drawn(draw, heads=2, gradient=True),
        ),
    ],
    hints=[
        "A question of T words reads a story of S words. Which shape has the table of weights of "
        "one head, and which two sequences are its sides?",
        "Project, split into heads, attend, merge, project. It is 02.8 with two differences: k and "
        "v come from `source`, and there is no causal mask. For the padding, mask scores: a mask "
        "of (B, S) becomes (B, 1, 1, S), to be the same for all heads and queries.",
        "`q = self.q_proj(x)`, `k = self.k_proj(source)`, `v = self.v_proj(source)`, each split to "
        "(B, H, length, D). Then `F.scaled_dot_product_attention(q, k, v, attn_mask=mask)` with "
        "`mask[:, None, None, :]`, merged by `transpose(1, 2).flatten(2)`.",
    ],
    wrong=[
        edit(
            "attn_mask=mask)",
            "attn_mask=None if mask is None else ~mask)",
            "Your mask is the wrong way round: you read the padding, and nothing else.",
        ),
        edit("attn_mask=mask)", "attn_mask=None)", "You don't use the mask: padding is read."),
        edit(
            "attn_mask=mask)",
            "attn_mask=mask, is_causal=mask is None)",
            "You hide the future of the source. It is there as a whole: nothing is to be hidden.",
        ),
        edit(
            "attn_mask=mask)",
            "attn_mask=mask, scale=1.0)",
            "Your scores are not divided by the root of D.",
        ),
        edit(
            "attn_mask=mask)",
            "attn_mask=mask, scale=x.shape[-1] ** -0.5)",
            "You divide by the root of the full width. A head's scores are sums over D entries.",
        ),
        edit(
            "attn_mask=mask)",
            "attn_mask=None if mask is None else mask.to(q))",
            "You add the mask to the scores as 0 and 1: that hides nothing.",
        ),
        edit(
            "return self.out_proj(heads.transpose(1, 2).flatten(2))",
            "return heads.transpose(1, 2).flatten(2)",
            "The heads are merged, but `out_proj` is not applied.",
        ),
        edit(
            "heads.transpose(1, 2).flatten(2)",
            "heads.reshape(x.shape)",
            "You merge without swapping heads and tokens back.",
        ),
        edit(
            "k = self.k_proj(source)" + SPLIT,
            "k = self.k_proj(source).view(len(x), self.n_head, source.shape[1], -1)",
            "Your keys are viewed straight to (B, H, S, D): that mixes tokens.",
        ),
        edit(
            "v = self.v_proj(source)",
            "v = self.k_proj(source)",
            "You mix the keys. Keys are for being found; what is handed over are the values.",
        ),
        edit(
            "nn.Linear(n_embd, n_embd)\n        self.k_proj",
            "nn.Identity()\n        self.k_proj",
            "Your module has other weights than q_proj, k_proj, v_proj and out_proj, each with a "
            "bias.",
        ),
        written(AveragedOverHeads, says="You average the heads. They are to stand side by side."),
    ],
    right=[written(ByHand)],
)
