"""AdamW: a step for each weight, in proportion to its gradient's mean over its usual size."""

import torch
from torch import Tensor, nn

from gptlib.fastpath import fused_adamw, has_fused_adamw
from gptlib.training.config import TrainingConfig


class AdamW:
    """Adam with decoupled weight decay, on the parameters of a model that want a gradient.

    Decay pulls on matrices alone. Biases and the scales of LayerNorm, which are vectors, are not
    what makes a model too complex. One kernel does a group where torch has it, `adamw` elsewhere.
    Source: Loshchilov & Hutter 2019, algorithm 2.
    """

    def __init__(self, model: nn.Module, config: TrainingConfig) -> None:
        self.config = config
        self.steps = 0
        self.parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
        if not self.parameters:
            raise ValueError("no parameter of the model wants a gradient: nothing to train")
        self.first = {n: torch.zeros_like(p) for n, p in self.parameters.items()}
        self.second = {n: torch.zeros_like(p) for n, p in self.parameters.items()}
        matrices = [n for n, p in self.parameters.items() if p.ndim >= 2]
        vectors = [n for n, p in self.parameters.items() if p.ndim < 2]
        self.groups: tuple[tuple[list[str], float], ...] = (
            (matrices, config.weight_decay),
            (vectors, 0.0),
        )

    def step(self, lr: float) -> None:
        """Change every parameter that has a gradient; gradients stay as they are."""
        self.steps += 1
        for names, weight_decay in self.groups:
            names = [name for name in names if self.parameters[name].grad is not None]
            if not names:
                continue
            parameters = [self.parameters[name] for name in names]
            gradients = [p.grad for p in parameters if p.grad is not None]
            first = [self.first[name] for name in names]
            second = [self.second[name] for name in names]
            update = fused_adamw if has_fused_adamw(parameters[0].device.type) else adamw
            update(
                *(parameters, gradients, first, second),
                steps=self.steps,
                lr=lr,
                beta1=self.config.beta1,
                beta2=self.config.beta2,
                weight_decay=weight_decay,
                epsilon=self.config.epsilon,
            )

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def state_dict(self) -> dict[str, Tensor]:
        """Both moments of each parameter, under its name. The number of steps is the run's."""
        first = {f"first.{name}": moment for name, moment in self.first.items()}
        return first | {f"second.{name}": moment for name, moment in self.second.items()}

    def load_state_dict(self, state: dict[str, Tensor], steps: int) -> None:
        """Go on from saved moments after `steps` steps."""
        for name, mine in self.state_dict().items():
            mine.copy_(state[name])
        self.steps = steps


@torch.no_grad()
def adamw(
    parameters: list[nn.Parameter],
    gradients: list[Tensor],
    first: list[Tensor],
    second: list[Tensor],
    *,
    steps: int,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    epsilon: float,
) -> None:
    """Step number `steps` (from 1) of AdamW on each parameter, in place, as the paper has it.

    The moments start at zero, so early averages are too small by 1 - beta ** steps, known
    exactly and divided out.
    """
    for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
        m.lerp_(g, 1 - beta1)  # m = beta1 m + (1 - beta1) g, the gradient's running mean
        v.lerp_(g * g, 1 - beta2)  # ... and its square's
        mean = m / (1 - beta1**steps)
        size = (v / (1 - beta2**steps)).sqrt()
        p.mul_(1 - lr * weight_decay)
        p.sub_(lr * mean / (size + epsilon))


def clip_gradients(parameters: list[nn.Parameter], longest: float | None) -> float:
    """The length of all gradients as one vector; a longer one than `longest` is shortened to it.

    Source: Pascanu et al. 2013, algorithm 1.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    length = norm.item()
    if longest is not None and longest < length < float("inf"):
        torch.nn.utils.clip_grads_with_norm_(parameters, longest, norm)
    return length
