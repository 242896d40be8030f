"""Training in bfloat16: a copy computes the gradients, the float32 weights take the steps.

A step changes a weight by perhaps a thousandth, which bfloat16, with 8 bits, rounds to nothing.
So the weights stay in float32, and what computes is a copy of them, made anew after each step.
Source: Micikevicius et al. 2018, section 3.1, the master copy of weights.
"""

import copy

import torch
from torch import nn


class WorkingCopy:
    """A model's copy in another format, and the way of weights there and gradients back."""

    def __init__(self, model: nn.Module, dtype: torch.dtype) -> None:
        self.model = model
        self.module = copy.deepcopy(model).to(dtype).train()

    @torch.no_grad()
    def refresh(self) -> None:
        """Give the copy the model's weights as they are now."""
        mine, theirs = self.module.parameters(), self.model.parameters()
        for copied, parameter in zip(mine, theirs, strict=True):
            copied.copy_(parameter)

    @torch.no_grad()
    def collect(self) -> None:
        """Add the copy's gradients to the model's, and take over its buffers."""
        mine, theirs = self.module.parameters(), self.model.parameters()
        for copied, parameter in zip(mine, theirs, strict=True):
            if copied.grad is not None:
                part = copied.grad.to(parameter.dtype)
                parameter.grad = part if parameter.grad is None else parameter.grad.add_(part)
                copied.grad = None
        for changed, buffer in zip(self.module.buffers(), self.model.buffers(), strict=True):
            buffer.copy_(changed)
