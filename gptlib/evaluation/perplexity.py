"""What a text costs a GPT: nats per token, perplexity, bits per byte.

A text longer than the model's window is read in windows that overlap. The tokens of an overlap
were counted before and give context alone; the smaller the stride, the more context each token
has, and the longer it takes. With stride = window nothing overlaps: the first tokens of each
window are predicted from almost nothing, and the perplexity comes out higher than it is.
The scheme is that of Hugging Face, "Perplexity of fixed-length models"
(https://huggingface.co/docs/transformers/perplexity). A model there reads one token less in each
window, since its first is no target and its last no context: `max_length=window + 1` is our window.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from gptlib.evaluation.bootstrap import Resampling, Rows, score
from gptlib.evaluation.score import Score
from gptlib.model import GPT
from gptlib.tokenizer import END_OF_TEXT, Tokenizer


@dataclass(frozen=True)
class Likelihood:
    """What each of some texts costs, and the figures of all of them together."""

    nats: NDArray[np.float64]
    """(texts,) -log p of each text."""
    tokens: NDArray[np.int64]
    """(texts,) tokens that were counted."""
    bytes: NDArray[np.int64]
    """(texts,) UTF-8 bytes that these tokens stand for."""

    def loss(self, **how: Unpack[Resampling]) -> Score:
        """Mean negative log-likelihood, nats per token; texts are resampled."""
        return score("loss", lambda rows: self._per(self.tokens, rows), len(self.nats), 3, **how)

    def perplexity(self, **how: Unpack[Resampling]) -> Score:
        """e to the loss; it compares models with one tokenizer."""

        def of(rows: Rows) -> float:
            return math.exp(self._per(self.tokens, rows))

        return score("perplexity", of, len(self.nats), 2, **how)

    def bits_per_byte(self, **how: Unpack[Resampling]) -> Score:
        """Bits for one byte of text; it compares models with different tokenizers too."""

        def of(rows: Rows) -> float:
            return self._per(self.bytes, rows) / math.log(2)

        return score("bits per byte", of, len(self.nats), 3, **how)

    def _per(self, units: NDArray[np.int64], rows: Rows) -> float:
        return float(self.nats[rows].sum() / units[rows].sum())


def likelihood(
    model: GPT,
    tokenizer: Tokenizer,
    texts: str | Sequence[str],
    *,
    window: int | None = None,
    stride: int | None = None,
    start: str | None = END_OF_TEXT,
    batch_size: int = 4,
) -> Likelihood:
    """What each text costs the model.

    Args:
        window: tokens read at once; by default the model's n_positions.
        stride: how far each window moves on; by default half a window.
        start: a special token to read before each text, so that its first token counts as well;
            with None the first token is context, and its bytes do not count either.
        batch_size: windows read at once.

    Raises ValueError for no texts, one with no token to count, or a start that is no token.

    >>> costs = likelihood(model, tokenizer, stories)
    >>> print(costs.perplexity(), costs.bits_per_byte())
    """
    if start is not None and start not in tokenizer.special_tokens:
        raise ValueError(f"start={start!r} is no special token of this tokenizer: give start=None")
    given = [texts] if isinstance(texts, str) else list(texts)
    if not given:
        raise ValueError("there are no texts")
    before = [] if start is None else [tokenizer.special_tokens[start]]
    device = model.output_weight.device
    nats, tokens, sizes = [], [], []
    for number, text in enumerate(given):
        ids = [*before, *tokenizer.encode(text, special=False)]
        if len(ids) < 2:
            raise ValueError(f"text {number}, {text!r}, has no token that could be counted")
        idx = torch.tensor(ids, device=device)
        costs = token_costs(model, idx, window=window, stride=stride, batch_size=batch_size)
        nats.append(costs.double().sum().item())
        tokens.append(len(costs))
        sizes.append(sum(len(tokenizer.token_bytes(id)) for id in ids[1:]))
    return Likelihood(np.array(nats), np.array(tokens), np.array(sizes))


@torch.no_grad()
def token_costs(
    model: GPT,
    idx: Int[Tensor, "N"],
    *,
    window: int | None = None,
    stride: int | None = None,
    batch_size: int = 4,
) -> Float[Tensor, "N-1"]:
    """-log p of each token but the first, in nats; each is counted in one window.

    Raises ValueError for fewer than two tokens, a window the model cannot read, a stride that
    would leave tokens out, or a model that drops out activations.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size={batch_size}: must be at least 1")
    window, stride = _check(model, idx, window, stride)
    inputs, targets = idx[:-1], idx[1:]
    n = len(inputs)
    first = min(window, n)
    pieces = [_costs(model, inputs[None, :first], targets[None, :first], first)]
    counted = first
    if n > window:
        # (windows, window): the full ones, of which the first is done.
        rows = inputs.unfold(0, window, stride)[1:]
        wanted = targets.unfold(0, window, stride)[1:]
        for begin in range(0, len(rows), batch_size):
            batch = slice(begin, begin + batch_size)
            pieces.append(_costs(model, rows[batch], wanted[batch], stride))
        counted += len(rows) * stride
    if counted < n:
        begin = counted - window + stride
        pieces.append(_costs(model, inputs[None, begin:], targets[None, begin:], n - counted))
    return torch.cat(pieces)


def _costs(
    model: GPT, idx: Int[Tensor, "B T"], targets: Int[Tensor, "B T"], kept: int
) -> Float[Tensor, "M"]:
    """The costs of the last `kept` targets of each row, one row after another."""
    hidden = model.transformer(idx)[:, -kept:]
    # Logits only where they count: those of the context would take most of the memory.
    logits = F.linear(hidden, model.output_weight).float()  # (B, kept, V)
    wanted = targets[:, -kept:].flatten()
    return F.cross_entropy(logits.flatten(0, 1), wanted, reduction="none")


def _check(model: GPT, idx: Tensor, window: int | None, stride: int | None) -> tuple[int, int]:
    if model.training and model.config.dropout > 0:
        raise ValueError("the model is in training mode, with dropout: call model.eval() first")
    if len(idx) < 2:
        raise ValueError(f"{len(idx)} tokens: at least two are needed, one to predict the other")
    limit = model.config.n_positions
    window = limit if window is None else window
    if window < 1 or (window > limit and model.config.positions == "learned"):
        raise ValueError(f"window={window}: must lie between 1 and n_positions={limit}")
    stride = max(1, window // 2) if stride is None else stride
    if not 1 <= stride <= window:
        raise ValueError(f"stride={stride}: must lie between 1 and window={window}")
    return window, stride
