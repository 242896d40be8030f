"""The tokens so far, and what the model makes of them."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from gptlib.attention import KVCache
from gptlib.model import GPT, position_ids_of
from gptlib.sampling.decoder import Decoder

# What can be sampled from: ids (B, T) -> logits (B, T, V), called as a GPT is. With `cache=False`
# and no padding it is called with the ids alone, so any function will do.
Model: TypeAlias = Callable[..., Any]


class Context:
    """A batch of sequences that grows by one token a step, read through the model's KV cache.

    Room for `n_new` tokens is taken at once. Raises `ValueError` in one line for a prompt that is
    empty, padded on the right, or too long for the model's positions.
    """

    def __init__(
        self,
        model: Model,
        idx: Tensor,
        n_new: int,
        attention_mask: Tensor | None = None,
        cache: bool = True,
        window: int | None = None,
    ) -> None:
        if isinstance(n_new, bool) or not isinstance(n_new, int) or n_new < 0:
            raise ValueError(f"max_new_tokens={n_new!r}: must be a whole number of at least 0")
        if idx.ndim != 2 or idx.numel() == 0:
            raise ValueError(
                f"the prompt has shape {tuple(idx.shape)}: it must be (B, T), with at least one "
                "row and one token"
            )
        if attention_mask is not None and attention_mask.shape != idx.shape:
            raise ValueError(
                f"attention_mask has shape {tuple(attention_mask.shape)}, the prompt "
                f"{tuple(idx.shape)}: they must be equal"
            )
        if getattr(model, "training", False) and model.config.dropout > 0:  # type: ignore[attr-defined]
            raise ValueError("the model is in training mode, with dropout: call model.eval() first")
        B, T = idx.shape
        self.model = model
        self.length = T
        self.window = _window(model, T, n_new, window)
        self._mask: Tensor | None = None
        if attention_mask is not None and not attention_mask.all():
            _check_padding(attention_mask)
            mask = attention_mask.bool()
            self._mask = torch.cat([mask, mask.new_ones(B, n_new)], dim=1)
            # The mask hides padding from the model, but not from processors. With a row's own
            # first token in its place, a repetition penalty sees nothing that was not said.
            first = idx.gather(1, mask.int().argmax(dim=1, keepdim=True))
            idx = torch.where(mask, idx, first)
        self._ids = torch.cat([idx, idx.new_zeros(B, n_new)], dim=1)
        self._cache: KVCache | None = None
        if cache and self.window >= T:
            self._cache = model.new_cache(min(T + n_new, self.window))  # type: ignore[attr-defined]

    @property
    def idx(self) -> Int[Tensor, "B T"]:
        """All tokens so far; where a prompt was padded, its first token stands."""
        return self._ids[:, : self.length]

    def append(self, new: Int[Tensor, "B"]) -> None:
        """Add one token to every row."""
        self._ids[:, self.length] = new
        self.length += 1

    def select(self, rows: Int[Tensor, "N"]) -> None:
        """Become the N rows at these places; a row may be chosen several times."""
        self._ids = self._ids[rows]
        if self._mask is not None:
            self._mask = self._mask[rows]
        if self._cache is not None:
            self._cache.select(rows)

    def logits(self) -> Float[Tensor, "B V"]:
        """The model's logits for the next token of every row, in float32."""
        if self.length > self.window:
            # A window that moves gives every token a new position: nothing cached holds any more.
            self._cache = None
        begin = max(0, self.length - self.window)
        read = 0 if self._cache is None else self._cache.length
        ids = self._ids[:, begin + read : self.length]
        more: dict[str, Any] = {}
        if self._cache is not None:
            more["cache"] = self._cache
        if self._mask is not None:
            mask = self._mask[:, begin : self.length]
            more |= {"attention_mask": mask, "position_ids": position_ids_of(mask)[:, read:]}
        if isinstance(self.model, GPT):
            # Only the last position's logits: those of a long prompt would take gigabytes.
            hidden = self.model.transformer(ids, **more)[:, -1]
            return F.linear(hidden, self.model.output_weight).float()
        if isinstance(self.model, Decoder):
            return self.model.last_logits(ids, **more)
        logits: Tensor = self.model(ids, **more)[:, -1]
        return logits.float()


def _window(model: Model, n_prompt: int, n_new: int, window: int | None) -> int:
    """How many tokens the model reads at most; `ValueError` when it can't read them all."""
    config = getattr(model, "config", None)
    # Only a learned table of positions ends.
    limit = config.n_positions if config is not None and config.positions == "learned" else None
    if window is not None:
        if isinstance(window, bool) or not isinstance(window, int) or window < 1:
            raise ValueError(f"window={window!r}: must be a whole number of at least 1")
        if limit is not None and window > limit:
            raise ValueError(f"window={window} is wider than the model's n_positions={limit}")
        return window
    # The last new token is never read, but a sequence that ends there can't be scored either.
    if limit is not None and n_prompt + n_new > limit:
        raise ValueError(
            f"a prompt of {n_prompt} tokens and max_new_tokens={n_new} are longer than "
            f"n_positions={limit}: ask for at most {max(0, limit - n_prompt)}, or give "
            f"window={limit} to let the oldest tokens go"
        )
    return n_prompt + n_new


def _check_padding(attention_mask: Tensor) -> None:
    mask = attention_mask.long()
    if not mask[:, -1].all() or (mask.diff(dim=1) < 0).any():
        row = int(((mask.diff(dim=1) < 0).any(dim=1) | (mask[:, -1] == 0)).nonzero()[0])
        raise ValueError(
            f"row {row} of attention_mask has padding after a token: new tokens follow the last "
            "column, so pad on the left"
        )
