"""Backward passes written by hand, where torch's own is slow, large or rough on a CPU.

Each gives what the plain formula beside its test gives; only the way there differs. Training
uses them by itself where they pay off.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK = 2**21  # logits held at a time: 8 MB, small enough for a CPU's cache


class _CausalAttention(torch.autograd.Function):
    # torch's fused attention saves memory by computing the weights twice, and its backward is
    # slow in bfloat16 on a CPU. At a GPT's few hundred tokens the weights fit, so they are kept,
    # and all that remains is matrix products, which run at full speed.

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        T, D = q.shape[-2:]
        ctx.scale = 1 / math.sqrt(D)
        ctx.shape = q.shape
        q, k, v = (x.reshape(-1, T, D) for x in (q, k, v))  # (B H, T, D)
        hidden = torch.full((T, T), -math.inf, dtype=q.dtype, device=q.device).triu_(1)
        weights = torch.baddbmm(hidden, q, k.transpose(1, 2), alpha=ctx.scale).softmax(dim=-1)
        out = weights @ v
        ctx.save_for_backward(q, k, v, weights, out)
        return out.view(ctx.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[Tensor, ...]:
        q, k, v, weights, out = ctx.saved_tensors
        d_out = d_out.reshape(out.shape)
        d_v = weights.transpose(1, 2) @ d_out
        d_weights = d_out @ v.transpose(1, 2)
        # Softmax: d_scores = weights * (d_weights - sum(weights * d_weights)), and the sum over
        # a row is out . d_out (Dao et al. 2022, appendix B.2, equation 4).
        row = (out * d_out).sum(dim=-1, keepdim=True)
        d_scores = d_weights.sub_(row).mul_(weights).mul_(ctx.scale)
        d_q, d_k = d_scores @ k, d_scores.transpose(1, 2) @ q
        return tuple(gradient.view(ctx.shape) for gradient in (d_q, d_k, d_v))


def causal_attention(
    q: Float[Tensor, "B H T D"], k: Float[Tensor, "B H T D"], v: Float[Tensor, "B H T D"]
) -> Float[Tensor, "B H T D"]:
    """softmax(q kᵀ / sqrt(D)) v, each position looking at itself and all before it."""
    out: Tensor = _CausalAttention.apply(q, k, v)  # type: ignore[no-untyped-call]
    return out


class _Embedding(torch.autograd.Function):
    # The gradient of a frequent token is a sum over all its places. torch adds them up in the
    # weight's format, and bfloat16, with 8 bits, stops growing after a few hundred terms.

    @staticmethod
    def forward(ctx: Any, idx: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(idx)
        ctx.shape = weight.shape
        return F.embedding(idx, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_out: Tensor) -> tuple[None, Tensor]:
        (idx,) = ctx.saved_tensors
        total = torch.zeros(ctx.shape, device=d_out.device)
        total.index_add_(0, idx.flatten(), d_out.flatten(0, -2).float())
        return None, total.to(d_out.dtype)


def embedding(
    idx: Int[Tensor, "*batch"], weight: Float[Tensor, "V C"]
) -> Float[Tensor, "*batch C"]:
    """Rows of a table by their ids; their gradients are added up in float32."""
    out: Tensor = _Embedding.apply(idx, weight)  # type: ignore[no-untyped-call]
    return out


class _CrossEntropy(torch.autograd.Function):
    # Logits are the largest tensor of a small GPT: (B T, V) numbers, and as many again for their
    # gradient. Here a chunk of them is made, used for both and overwritten by the next.

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, ignore_index: int
    ) -> Tensor:
        exact = torch.promote_types(hidden.dtype, torch.float32)  # float64 stays float64
        counts = (targets != ignore_index)[:, None]
        share = counts.to(exact) / counts.sum()  # of each row in the mean
        targets = targets[:, None].clamp(min=0)
        n_rows = max(512, CHUNK // len(weight))
        minus_one = hidden.new_full((n_rows, 1), -1, dtype=exact)
        total = hidden.new_zeros((), dtype=exact)
        wanted = any(ctx.needs_input_grad)
        learned = ctx.needs_input_grad[1]  # adapters leave the output layer as it is
        d_hidden = torch.empty_like(hidden) if wanted else hidden
        d_weight = torch.zeros_like(weight, dtype=exact) if learned else weight[:0]
        for at in range(0, len(hidden), n_rows):
            rows = slice(at, at + n_rows)
            log_probs = (hidden[rows] @ weight.T).to(exact).log_softmax(dim=-1)
            total -= (log_probs.gather(1, targets[rows]) * share[rows]).sum()
            if wanted:  # softmax - one-hot is the gradient by the logits
                d_logits = log_probs.exp_()
                d_logits.scatter_add_(1, targets[rows], minus_one[: len(log_probs)])
                d_logits = d_logits.to(hidden.dtype)
                torch.mm(d_logits, weight, out=d_hidden[rows])
                if learned:
                    d_weight += d_logits.T @ (hidden[rows] * share[rows]).to(hidden.dtype)
        if wanted:
            d_hidden *= share
        ctx.save_for_backward(d_hidden, d_weight.to(weight.dtype))
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        d_hidden, d_weight = ctx.saved_tensors
        learned = ctx.needs_input_grad[1]
        return d_hidden.mul_(d_loss), d_weight.mul_(d_loss) if learned else None, None, None


def cross_entropy(
    hidden: Float[Tensor, "B T C"],
    weight: Float[Tensor, "V C"],
    targets: Int[Tensor, "B T"],
    ignore_index: int = -100,
) -> Float[Tensor, ""]:
    """Mean cross-entropy of the logits `hidden @ weight.T`, without ever holding all of them.

    In nats, in float32 at least; targets equal to `ignore_index` do not count. The gradient is made
    together with the loss and can be asked for once.
    """
    rows = hidden.flatten(0, 1)
    loss: Tensor = _CrossEntropy.apply(  # type: ignore[no-untyped-call]
        rows, weight, targets.flatten(), ignore_index
    )
    return loss
