"""Muon: the matrices inside the blocks step by an orthogonal matrix, the rest by AdamW."""

import re

import torch
from torch import Tensor, nn

from gptlib.training.config import TrainingConfig
from gptlib.training.optimizer import AdamW

MOMENTUM = 0.95
STEPS = 5  # of the iteration that makes a matrix orthogonal
QUINTIC = (3.4445, -4.775, 2.0315)  # its polynomial: steep at 0, singular values end in 0.7 to 1.2
UPDATE_SIZE = 0.2  # root mean square of an update in learning rates: about AdamW's
_IN_A_BLOCK = re.compile(r"(^|\.)\d+\.")  # a name with a number in it: one of a stack of layers


class Muon(AdamW):
    """A step in every direction alike, for each matrix of a block; AdamW for all else.

    A gradient is long in a few directions and short in most, and so is its mean, which Adam
    follows weight by weight. Muon makes all singular values of that mean about 1, so that rare
    directions are learned as fast as common ones. Embeddings, biases and scales are no maps from
    one space into another: AdamW moves them.
    Source: Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"; the
    size of the update from Liu et al. 2025, "Muon is scalable for LLM training", section 2.2.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        super().__init__(model, config)
        self.hidden = [
            name for name, p in self.parameters.items() if p.ndim == 2 and _IN_A_BLOCK.search(name)
        ]
        if not self.hidden:
            raise ValueError('no matrix in a stack of layers: use optimizer="adamw"')
        inside = set(self.hidden)
        self.groups = tuple(
            ([name for name in names if name not in inside], decay) for names, decay in self.groups
        )
        for name in self.hidden:
            del self.second[name]  # one mean is all that Muon keeps

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Change every parameter that has a gradient; gradients stay as they are."""
        super().step(lr)
        for name in self.hidden:
            parameter, mean = self.parameters[name], self.first[name]
            if parameter.grad is None:
                continue
            mean.lerp_(parameter.grad, 1 - MOMENTUM)
            ahead = parameter.grad.lerp(mean, MOMENTUM)  # Nesterov: the mean one step on
            parameter.mul_(1 - lr * self.config.weight_decay)
            # GPT-2 keeps the matrices of q, k and v side by side, as one; they are three.
            count = 3 if name.endswith("c_attn.weight") else 1
            parts = zip(parameter.chunk(count, 1), ahead.chunk(count, 1), strict=True)
            for part, direction in parts:
                part.sub_(orthogonal(direction), alpha=lr * UPDATE_SIZE * max(part.shape) ** 0.5)


def orthogonal(matrix: Tensor) -> Tensor:
    """Nearly the closest matrix with orthogonal rows or columns: U V^T, where `matrix` is U S V^T.

    An odd polynomial of a matrix is that polynomial of its singular values. In bfloat16, since
    only "about 1" is wanted. Source: Jordan et al. 2024, the Newton-Schulz iteration.
    """
    a, b, c = QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.mT if tall else matrix).bfloat16()
    x = x / x.norm().clamp(min=1e-7)  # no singular value above 1
    for _ in range(STEPS):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.mT if tall else x).to(matrix.dtype)
