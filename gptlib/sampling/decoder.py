"""A GPT made ready to decode: the same numbers with packed weights and without hooks."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from gptlib.attention import KVCache, causal_mask
from gptlib.layers import INIT_STD
from gptlib.model import GPT, Block, padding_mask
from gptlib.packed import Format, Linear, pack, supported
from gptlib.positions import alibi_bias, rotary, sinusoidal


@dataclass(frozen=True)
class _Block:
    """One block's weights; each LayerNorm as (weight, bias)."""

    ln_1: tuple[Tensor, Tensor]
    c_attn: Linear
    attn_proj: Linear
    ln_2: tuple[Tensor, Tensor]
    c_fc: Linear
    mlp_proj: Linear


class Decoder:
    """Called like the model it is made from, for generation on a CPU.

    >>> fast = Decoder(gptlib.load("story-gpt"), "bfloat16")
    >>> generate(fast, idx, max_new_tokens=100)

    It is made for a finished model: after more training, make a new one. Activations are float32
    between the linear maps, which hold their weights in `format` (see `gptlib.packed`).
    `format` says what is used: on a CPU without the instructions asked for, "float32".
    """

    def __init__(self, model: GPT, format: Format = "float32") -> None:
        if model.output_weight.device.type != "cpu":
            raise ValueError(
                "a Decoder computes on the CPU; generate with the model itself instead"
            )
        self.config = model.config
        self.format = supported(format)
        body = model.transformer
        self._wte = body.wte.weight.detach().float()
        self._wpe = body.wpe.weight.detach().float() if self.config.positions == "learned" else None
        self._blocks = [self._pack_block(block) for block in body.h if isinstance(block, Block)]
        self._ln_f = _norm(body.ln_f)
        self._head = pack(model.output_weight, None, self.format)

    def _pack_block(self, block: Block) -> _Block:
        return _Block(
            _norm(block.ln_1),
            self._pack(block.attn.c_attn),
            self._pack(block.attn.c_proj),
            _norm(block.ln_2),
            self._pack(block.mlp.c_fc),
            self._pack(block.mlp.c_proj),
        )

    def _pack(self, layer: torch.nn.Linear) -> Linear:
        return pack(layer.weight, layer.bias, self.format)

    def new_cache(self, n_positions: int | None = None) -> KVCache:
        """An empty KV cache with room for `n_positions` tokens (default: the configuration's)."""
        return KVCache(self.config.n_layer, n_positions or self.config.n_positions)

    def __call__(
        self,
        idx: Tensor,
        position_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Logits (B, T, V) as `GPT.forward` gives them, but without gradients."""
        hidden = self._hidden(idx, position_ids, attention_mask, cache)
        return self._logits(hidden.flatten(0, 1)).view(*idx.shape, -1)

    def last_logits(
        self,
        idx: Tensor,
        position_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        cache: KVCache | None = None,
    ) -> Tensor:
        """Logits (B, V) of the last position alone."""
        return self._logits(self._hidden(idx, position_ids, attention_mask, cache)[:, -1])

    @torch.no_grad()
    def _logits(self, hidden: Tensor) -> Tensor:
        # Not in inference mode: its tensors may not be changed later, and processors may want to.
        return self._head(hidden)

    @torch.inference_mode()
    def _hidden(
        self,
        idx: Tensor,
        position_ids: Tensor | None,
        attention_mask: Tensor | None,
        cache: KVCache | None,
    ) -> Tensor:
        B, T = idx.shape
        C, H = self.config.n_embd, self.config.n_head
        epsilon = self.config.layer_norm_epsilon
        past = 0 if cache is None else cache.length
        if position_ids is None:
            position_ids = torch.arange(past, past + T)[None]
        if self._wpe is not None and past + T > self.config.n_positions:
            raise ValueError(
                f"a sequence of {past + T} tokens is longer than "
                f"n_positions={self.config.n_positions}"
            )
        mask = self._mask(T, past, attention_mask)
        x = self._embed(idx, position_ids).view(B * T, C)
        for layer, block in enumerate(self._blocks):
            qkv = block.c_attn(torch.layer_norm(x, (C,), *block.ln_1, epsilon))
            q, k, v = qkv.view(B, T, 3, H, C // H).permute(2, 0, 3, 1, 4).unbind()  # (B, H, T, D)
            if self.config.positions == "rotary":
                q, k = rotary(q, position_ids), rotary(k, position_ids)
            if cache is not None:
                k, v = cache.update(layer, k, v)
            heads = F.scaled_dot_product_attention(
                q, k, v, attn_mask=mask, is_causal=mask is None and T > 1
            )
            x = x + block.attn_proj(heads.transpose(1, 2).reshape(B * T, C))
            hidden = block.c_fc(torch.layer_norm(x, (C,), *block.ln_2, epsilon))
            x = x + block.mlp_proj(F.gelu(hidden, approximate="tanh"))
        if cache is not None:
            cache.length = past + T
        return torch.layer_norm(x, (C,), *self._ln_f, epsilon).view(B, T, C)

    def _embed(self, idx: Tensor, position_ids: Tensor) -> Tensor:
        try:
            x = self._wte[idx]
        except IndexError:
            last = self.config.vocab_size - 1
            raise ValueError(f"token ids must lie between 0 and {last}") from None
        if self._wpe is not None:
            return x + self._wpe[position_ids]
        if self.config.positions == "sinusoidal":
            return x + INIT_STD * math.sqrt(2) * sinusoidal(position_ids, self.config.n_embd)
        return x

    def _mask(self, T: int, past: int, attention_mask: Tensor | None) -> Tensor | None:
        """What attention is told: None where all of the past may be seen, or a causal square."""
        mask = None if attention_mask is None else padding_mask(attention_mask, T)
        if mask is None and T > 1 and past > 0:
            mask = causal_mask(T, past + T)
        if self.config.positions == "alibi":
            bias = alibi_bias(self.config.n_head, past, T, past + T)
            mask = bias.masked_fill(
                ~(causal_mask(T, past + T) if mask is None else mask), -math.inf
            )
        return mask


def _norm(layer: torch.nn.Module) -> tuple[Tensor, Tensor]:
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    assert isinstance(bias, Tensor)
    return weight.detach().float(), bias.detach().float()
