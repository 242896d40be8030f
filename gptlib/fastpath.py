"""Private calls of torch that save time: each behind a check, each with a plain way beside it.

A private call may change or vanish with any release of torch. So the check runs it once on a
number whose result is known, and whoever asks falls back on the plain way when that fails.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor


@cache
def has_fused_adamw(device_type: str) -> bool:
    """Whether this torch updates a parameter by AdamW correctly in one kernel on such a device.

    `torch.optim.AdamW(fused=True)` calls the same kernel, but building any of torch's optimizers
    imports its compiler first, which takes longer than a chapter's first training steps.
    """
    one = [torch.ones(1, device=device_type) for _ in range(2)]
    zero = [torch.zeros(1, device=device_type) for _ in range(2)]
    try:
        fused_adamw(
            *([one[0]], [one[1]], [zero[0]], [zero[1]]),
            steps=1, lr=0.25, beta1=0.5, beta2=0.5, weight_decay=0.5, epsilon=0.0,
        )  # fmt: skip
    except (AttributeError, TypeError, RuntimeError):
        return False
    # Decay leaves 1 - 0.25 * 0.5; a first step is lr * gradient / |gradient|.
    return abs(one[0].item() - 0.625) < 1e-6 and zero[0].item() == zero[1].item() == 0.5


def fused_adamw(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    first: Sequence[Tensor],
    second: Sequence[Tensor],
    *,
    steps: int,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    epsilon: float,
) -> None:
    """Step number `steps` of AdamW on tensors of one device, in place, one kernel for all.

    `first` and `second` are the moments, each of its parameter's shape; both are updated.
    """
    # The kernel wants one counter for each tensor and only reads them, so one serves for all.
    counter = torch.tensor(float(steps), device=parameters[0].device)
    with torch.no_grad():
        torch._fused_adamw_(
            *(list(parameters), list(gradients), list(first), list(second)),
            *([], [counter] * len(parameters)),
            lr=lr, beta1=beta1, beta2=beta2, weight_decay=weight_decay, eps=epsilon,
            amsgrad=False, maximize=False,
        )  # fmt: skip
