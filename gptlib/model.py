"""The GPT: embeddings, a stack of pre-LN blocks, a final LayerNorm, an output layer.

State-dict keys are Hugging Face GPT-2's own, so loading real weights is one loop.
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from gptlib.attention import CausalSelfAttention, KVCache, causal_mask
from gptlib.config import GPTConfig
from gptlib.hooks import HookPoint
from gptlib.layers import INIT_STD, MLP, Embedding, LayerNorm, Linear
from gptlib.positions import sinusoidal


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): the norm stands *before* each branch.

    Pre-LN keeps a path from the last layer to the first that nothing rescales
    (Radford et al. 2019, section 2.3; Xiong et al. 2020 explain why it trains without warm-up).
    """

    def __init__(self, config: GPTConfig, layer: int = 0) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.attn = CausalSelfAttention(config, layer)
        self.ln_2 = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.mlp = MLP(config)
        self.hook_resid_pre = HookPoint()
        self.hook_attn_out = HookPoint()
        self.hook_resid_mid = HookPoint()
        self.hook_mlp_out = HookPoint()
        self.hook_resid_post = HookPoint()

    def forward(
        self,
        x: Float[Tensor, "B T C"],
        position_ids: Int[Tensor, "#B T"] | None = None,
        mask: Bool[Tensor, "#B 1 T S"] | None = None,
        cache: KVCache | None = None,
    ) -> Float[Tensor, "B T C"]:
        x = self.hook_resid_pre(x)
        attn_out = self.attn(self.ln_1(x), position_ids=position_ids, mask=mask, cache=cache)
        x = self.hook_resid_mid(x + self.hook_attn_out(attn_out))
        x = self.hook_resid_post(x + self.hook_mlp_out(self.mlp(self.ln_2(x))))
        return x


class Transformer(nn.Module):
    """Everything below the output layer: ids (B, T) -> final hidden states (B, T, C)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.wte = Embedding(config.vocab_size, config.n_embd)
        if config.positions == "learned":
            self.wpe = Embedding(config.n_positions, config.n_embd)
        self.drop = nn.Dropout(config.dropout)
        self.h = nn.ModuleList(Block(config, layer) for layer in range(config.n_layer))
        self.ln_f = LayerNorm(config.n_embd, config.layer_norm_epsilon)
        self.hook_embed = HookPoint()
        self.hook_final = HookPoint()

    def forward(
        self,
        idx: Int[Tensor, "B T"],
        position_ids: Int[Tensor, "#B T"] | None = None,
        attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"] | None = None,
        cache: KVCache | None = None,
    ) -> Float[Tensor, "B T C"]:
        T = idx.shape[1]
        past = 0 if cache is None else cache.length
        self._check_length(past + T)
        if position_ids is None:
            position_ids = torch.arange(past, past + T, device=idx.device)[None]  # (1, T)
        mask = None if attention_mask is None else padding_mask(attention_mask, T)
        x = self._embed(idx)
        if self.config.positions == "learned":
            x = x + self.wpe(position_ids)
        elif self.config.positions == "sinusoidal":
            # Sines have a mean square of 1/2, so this gives the encoding the size that a fresh
            # learned one has. Unscaled it would drown the token embeddings 35 to 1.
            encoding = sinusoidal(position_ids, self.config.n_embd).to(x.dtype)
            x = x + INIT_STD * math.sqrt(2) * encoding
        x = self.hook_embed(self.drop(x))
        for block in self.h:
            x = block(x, position_ids=position_ids, mask=mask, cache=cache)
        if cache is not None:
            cache.length = past + T
        out: Tensor = self.hook_final(self.ln_f(x))
        return out

    def _embed(self, idx: Tensor) -> Tensor:
        try:
            x: Tensor = self.wte(idx)
        except IndexError:  # torch says "index out of range in self", which names nothing
            raise ValueError(
                f"token ids must lie between 0 and vocab_size - 1 = {self.config.vocab_size - 1}; "
                f"these reach from {int(idx.min())} to {int(idx.max())}: does the tokenizer "
                "belong to this model?"
            ) from None
        return x

    def _check_length(self, length: int) -> None:
        # Only a learned table ends. The other schemes may read further than they were trained,
        # and chapter 03 looks at how that goes.
        if self.config.positions == "learned" and length > self.config.n_positions:
            raise ValueError(
                f"a sequence of {length} tokens is longer than n_positions="
                f"{self.config.n_positions}: shorten it, or build the model with more positions"
            )


class GPT(nn.Module):
    """A GPT-2. Ids (B, T) -> logits (B, T, V), at every position, always.

    >>> model = GPT(GPTConfig(n_layer=2, n_head=2, n_embd=32, vocab_size=65))
    >>> model(torch.zeros(1, 8, dtype=torch.long)).shape
    torch.Size([1, 8, 65])

    Source: Radford et al. 2019, section 2.3, on the decoder of Vaswani et al. 2017.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.transformer = Transformer(config)
        if not config.tie_word_embeddings:
            self.lm_head = Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(
        self,
        idx: Int[Tensor, "B T"],
        position_ids: Int[Tensor, "#B T"] | None = None,
        attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"] | None = None,
        cache: KVCache | None = None,
    ) -> Float[Tensor, "B T V"]:
        """Logits for the token after each position.

        `attention_mask` is 1 for tokens and 0 for padding, over past and new tokens together
        (S = cached + T). With padding on the left, pass `position_ids` too (`position_ids_of`).
        Raises `ValueError` when the table of learned positions is too short for the sequence.
        """
        hidden = self.transformer(idx, position_ids, attention_mask, cache)
        return F.linear(hidden, self.output_weight)

    @property
    def output_weight(self) -> Float[Tensor, "V C"]:
        """The matrix that turns hidden states into logits: the token embedding when tied."""
        owner = self.transformer.wte if self.config.tie_word_embeddings else self.lm_head
        return owner.weight

    def new_cache(self, n_positions: int | None = None) -> KVCache:
        """An empty KV cache with room for `n_positions` tokens (default: the configuration's)."""
        return KVCache(self.config.n_layer, n_positions or self.config.n_positions)


def padding_mask(
    attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"], n_query: int
) -> Bool[Tensor, "B 1 T S"]:
    """True where a query may look: at real tokens not after it, and always at itself.

    Itself, because a padded query would otherwise look nowhere, and the NaN of its empty
    softmax would spread to real tokens through 0 * NaN in the next layer.
    """
    n_key = attention_mask.shape[1]
    causal = causal_mask(n_query, n_key).to(attention_mask.device)
    itself = causal ^ causal_mask(n_query, n_key).tril(n_key - n_query - 1).to(causal.device)
    return (causal & attention_mask.bool()[:, None, None, :]) | itself


def position_ids_of(
    attention_mask: Int[Tensor, "B S"] | Bool[Tensor, "B S"],
) -> Int[Tensor, "B S"]:
    """Positions that count real tokens alone: 0 for the first real one (and for padding before)."""
    return (attention_mask.long().cumsum(dim=1) - 1).clamp(min=0)


def next_token_loss(
    logits: Float[Tensor, "B T V"], targets: Int[Tensor, "B T"], ignore_index: int = -100
) -> Float[Tensor, ""]:
    """Mean cross-entropy in nats per token; targets equal to `ignore_index` don't count.

    `targets[b, t]` is the token that comes after `idx[b, t]`: the shift is the data's business.
    """
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=ignore_index)
