"""An exponential moving average of the weights: often better than the last step's weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """average = decay * average + (1 - decay) * weights, after each step.

    The first steps use the smaller decay (1 + step) / (10 + step), so that the random weights at
    the start are soon forgotten.
    Source: Polyak & Juditsky 1992 on averaging; Tarvainen & Valpola 2017, section 3 (EMA).
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = model
        self.weights: dict[str, Tensor] = {
            n: p.detach().clone() for n, p in model.named_parameters() if p.requires_grad
        }

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after step 1, 2, ..."""
        decay = min(self.decay, (1 + step) / (10 + step))
        parameters = dict(self.model.named_parameters())
        for name, average in self.weights.items():
            average.lerp_(parameters[name], 1 - decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model computes with the averaged weights during the `with` block."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        # Values move, not tensors: the optimizer and a compiled model hold on to the parameters.
        parameters = dict(self.model.named_parameters())
        for name, average in self.weights.items():
            kept = parameters[name].clone()
            parameters[name].copy_(average)
            average.copy_(kept)

    @torch.no_grad()
    def keep(self) -> None:
        """Leave the averaged weights in the model for good."""
        parameters = dict(self.model.named_parameters())
        for name, average in self.weights.items():
            parameters[name].copy_(average)
