"""The layers that attend to nothing: linear maps, LayerNorm, GELU, and the MLP made of them."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from gptlib import gradients
from gptlib.config import GPTConfig
from gptlib.hooks import HookPoint

INIT_STD = 0.02  # GPT-2's spread of fresh weights (Radford et al. 2018, section 4.1)


def draw(weight: Tensor, std: float) -> None:
    """Fill a weight from N(0, std²), in place; on the "meta" device, which has no numbers, not.

    There torch would do nothing, but import its compiler for it, which takes 2 s.
    """
    if not weight.is_meta:
        nn.init.normal_(weight, std=std)


class Linear(nn.Linear):
    """`x @ weight.T + bias`, with weights drawn once as in GPT-2: N(0, std²), biases 0.

    Overriding `reset_parameters` replaces torch's own draw instead of following it, so that a
    large model is not initialised twice.
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, std: float = INIT_STD
    ) -> None:
        self.std = std  # read by reset_parameters, which nn.Linear calls while it is being built
        super().__init__(in_features, out_features, bias)

    def reset_parameters(self) -> None:
        draw(self.weight, self.std)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


class Embedding(nn.Embedding):
    """A table of vectors, one row per id, drawn from N(0, 0.02²)."""

    def reset_parameters(self) -> None:
        draw(self.weight, INIT_STD)

    def forward(self, input: Int[Tensor, "*batch"]) -> Float[Tensor, "*batch C"]:
        if self.weight.dtype == torch.bfloat16:
            return gradients.embedding(input, self.weight)
        return super().forward(input)


def residual_std(config: GPTConfig) -> float:
    """The spread of weights that write into the residual stream: 0.02 / sqrt(2 n_layer).

    Each of the 2 n_layer branches adds its variance to the stream. Scaled so, the sum stays as
    large at depth 48 as at depth 1 (Radford et al. 2019, section 2.3).
    """
    return INIT_STD / math.sqrt(2 * config.n_layer)


class LayerNorm(nn.Module):
    """Shift and scale each position's vector to mean 0 and variance 1, then `* weight + bias`.

    (x - mean) / sqrt(variance + epsilon): biased variance, epsilon *inside* the root.
    Source: Ba, Kiros & Hinton 2016, equations 3 and 4.
    """

    def __init__(self, n_embd: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_embd))
        self.bias = nn.Parameter(torch.zeros(n_embd))
        self.epsilon = epsilon

    def forward(self, x: Float[Tensor, "*batch C"]) -> Float[Tensor, "*batch C"]:
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.epsilon)


def gelu(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """GPT-2's GELU: 0.5 x (1 + tanh(sqrt(2/π) (x + 0.044715 x³))).

    Source: Hendrycks & Gimpel 2016, section 2, the tanh approximation. It differs from the exact
    form by up to 5e-4, enough to break equality with real GPT-2 weights.
    """
    return F.gelu(x, approximate="tanh")


class MLP(nn.Module):
    """Two linear maps with a GELU between them, applied to each position alone.

    Shapes: (B, T, C) -> (B, T, inner_dim) -> (B, T, C).
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.c_fc = Linear(config.n_embd, config.inner_dim)
        self.c_proj = Linear(config.inner_dim, config.n_embd, std=residual_std(config))
        self.dropout = nn.Dropout(config.dropout)
        self.hook_hidden = HookPoint()

    def forward(self, x: Float[Tensor, "B T C"]) -> Float[Tensor, "B T C"]:
        hidden = self.hook_hidden(gelu(self.c_fc(x)))
        out: Tensor = self.dropout(self.c_proj(hidden))
        return out
