"""Causal self-attention: a readable path that shows everything, a fused path that is fast."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from gptlib import gradients
from gptlib.config import GPTConfig
from gptlib.hooks import HookPoint
from gptlib.layers import Linear, residual_std
from gptlib.positions import alibi_bias, rotary


def causal_mask(n_query: int, n_key: int) -> Bool[Tensor, "Q K"]:
    """True where a query may look. The queries are the last `n_query` of the `n_key` positions."""
    return torch.ones(n_query, n_key, dtype=torch.bool).tril(diagonal=n_key - n_query)


def unchanged(x: Tensor) -> Tensor:
    """What a hook does when nobody uses it."""
    return x


def scaled_dot_product_attention(
    q: Float[Tensor, "*batch Q D"],
    k: Float[Tensor, "*batch K D"],
    v: Float[Tensor, "*batch K Dv"],
    mask: Bool[Tensor, "*#batch Q K"] | None = None,
    bias: Float[Tensor, "*#batch Q K"] | None = None,
    on_scores: Callable[[Tensor], Tensor] = unchanged,
    on_weights: Callable[[Tensor], Tensor] = unchanged,
) -> tuple[Float[Tensor, "*batch Q Dv"], Float[Tensor, "*batch Q K"]]:
    """softmax(q kᵀ / sqrt(D) + bias) v, and the weights. A query attends where `mask` is True.

    `on_scores` and `on_weights` see, and may change, what passes before and after the softmax.
    A row that may look nowhere has no softmax: its weights are NaN.
    Source: Vaswani et al. 2017, equation 1.
    """
    attn_scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if bias is not None:
        attn_scores = attn_scores + bias
    attn_scores = on_scores(attn_scores)
    if mask is not None:
        attn_scores = attn_scores.masked_fill(~mask, -math.inf)
    attn_weights = on_weights(attn_scores.softmax(dim=-1))
    return attn_weights @ v, attn_weights


class KVCache:
    """The keys and values of the tokens read so far, so that each is computed only once.

    Room for `n_positions` tokens is taken at the first update and written in place after that.
    One cache serves one batch of sequences through all layers.
    """

    def __init__(self, n_layer: int, n_positions: int) -> None:
        self.n_positions = n_positions
        self.length = 0  # tokens that every layer has seen; the model moves it on
        self._keys: list[Tensor | None] = [None] * n_layer
        self._values: list[Tensor | None] = [None] * n_layer

    def update(
        self, layer: int, k: Float[Tensor, "B H T D"], v: Float[Tensor, "B H T D"]
    ) -> tuple[Float[Tensor, "B H S D"], Float[Tensor, "B H S D"]]:
        """Add the keys and values of T new tokens; return those of all S tokens so far.

        Raises `ValueError` when the batch changed since the cache was begun, or the cache is full.
        """
        keys, values = self._keys[layer], self._values[layer]
        if keys is None or values is None:
            B, H, _, D = k.shape
            keys = k.new_empty(B, H, self.n_positions, D)
            values = v.new_empty(B, H, self.n_positions, D)
            self._keys[layer], self._values[layer] = keys, values
        if keys.shape[0] != k.shape[0]:
            raise ValueError(
                f"the cache holds a batch of {keys.shape[0]}, the new tokens are a batch of "
                f"{k.shape[0]}: begin a new KVCache for a new batch"
            )
        end = self.length + k.shape[2]
        if end > self.n_positions:
            raise ValueError(
                f"the cache has room for {self.n_positions} tokens and would hold {end}: "
                "begin it with more room (`model.new_cache(n_positions)`)"
            )
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]

    def select(self, rows: Int[Tensor, "N"]) -> None:
        """Keep the N sequences at these places of the batch; one may be chosen several times."""
        for tensors in (self._keys, self._values):
            for layer, tensor in enumerate(tensors):
                if tensor is not None:  # only what was read is copied, not the room behind it
                    kept = tensor.new_empty(len(rows), *tensor.shape[1:])
                    kept[:, :, : self.length] = tensor[rows, :, : self.length]
                    tensors[layer] = kept


class CausalSelfAttention(nn.Module):
    """Multi-head attention of a sequence to its own past. Shapes: (B, T, C) -> (B, T, C).

    Two paths give the same result. The *fused* one (`F.scaled_dot_product_attention`) never
    holds the (T, T) weights. The *readable* one writes every step out; it is taken when
    `fused` is False, or by itself when somebody watches `hook_attn_scores` or
    `hook_attn_weights`: looking is enough, nothing needs to be switched.
    """

    def __init__(self, config: GPTConfig, layer: int = 0) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.positions = config.positions
        self.layer = layer  # which of the cache's layers is ours
        self.fused = True
        self.c_attn = Linear(config.n_embd, 3 * config.n_embd)  # q, k and v in one product
        self.c_proj = Linear(config.n_embd, config.n_embd, std=residual_std(config))
        self.attn_dropout = nn.Dropout(config.dropout)
        self.resid_dropout = nn.Dropout(config.dropout)
        self.hook_q = HookPoint()
        self.hook_k = HookPoint()
        self.hook_v = HookPoint()
        self.hook_attn_scores = HookPoint()  # before mask and softmax, ALiBi's bias included
        self.hook_attn_weights = HookPoint()  # after softmax: each row sums to 1
        self.hook_heads = HookPoint()  # each head's output, before the heads are merged

    def forward(
        self,
        x: Float[Tensor, "B T C"],
        position_ids: Int[Tensor, "#B T"] | None = None,
        mask: Bool[Tensor, "#B 1 T S"] | None = None,
        cache: KVCache | None = None,
    ) -> Float[Tensor, "B T C"]:
        """`mask` is True where a query may look; without one, at itself and all before it."""
        B, T, C = x.shape
        past = 0 if cache is None else cache.length
        q, k, v = (self._split_heads(part) for part in self.c_attn(x).split(C, dim=-1))
        if self.positions == "rotary":
            if position_ids is None:
                position_ids = torch.arange(past, past + T, device=x.device)[None]
            q, k = rotary(q, position_ids), rotary(k, position_ids)
        q, k, v = self.hook_q(q), self.hook_k(k), self.hook_v(v)
        if cache is not None:
            k, v = cache.update(self.layer, k, v)  # (B, H, S, D), S = past + T
        bias = None
        if self.positions == "alibi":
            bias = alibi_bias(self.n_head, past, T, past + T).to(x)  # (H, T, S)
        watched = self.hook_attn_scores.watched or self.hook_attn_weights.watched
        attend = self._fused if self.fused and not watched else self._readable
        heads = self.hook_heads(attend(q, k, v, mask, bias))  # (B, H, T, D)
        merged = heads.transpose(1, 2).reshape(B, T, C)  # (B, H, T, D) -> (B, T, C)
        out: Tensor = self.resid_dropout(self.c_proj(merged))
        return out

    def _split_heads(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B H T D"]:
        B, T, C = x.shape
        return x.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)

    def _readable(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        if mask is None:
            mask = causal_mask(q.shape[2], k.shape[2]).to(q.device)
        out, _ = scaled_dot_product_attention(
            q, k, v, mask, bias, self.hook_attn_scores, self._weights_to_mix
        )
        return out

    def _weights_to_mix(self, attn_weights: Tensor) -> Tensor:
        mixed: Tensor = self.attn_dropout(self.hook_attn_weights(attn_weights))
        return mixed

    def _fused(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, bias: Tensor | None
    ) -> Tensor:
        n_query, n_key = q.shape[2], k.shape[2]
        dropout = self.attn_dropout.p if self.training else 0.0
        if mask is None and bias is None and n_query in (1, n_key):
            if q.requires_grad and q.dtype == torch.bfloat16 and q.is_cpu and not dropout:
                return gradients.causal_attention(q, k, v)
            # A lone newest token may look everywhere; a square of scores is torch's causal case.
            return F.scaled_dot_product_attention(q, k, v, dropout_p=dropout, is_causal=n_query > 1)
        if mask is None:
            mask = causal_mask(n_query, n_key).to(q.device)
        if bias is not None:
            mask = bias.masked_fill(~mask, -math.inf)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
