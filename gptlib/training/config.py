"""How to train: one frozen dataclass, checked in one line a mistake."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

Schedule = Literal["cosine", "linear", "constant", "warmup-stable-decay"]
Optimizer = Literal["adamw", "muon"]


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that fixes a training run but the model and the data.

    The defaults are GPT-3's where it states them. Raises `ValueError` in one line that names the
    field, its value and what to do.
    Source: Brown et al. 2020, appendix B (betas, epsilon, decay, clipping, cosine to a tenth).
    """

    steps: int
    lr: float = 1e-3  # the highest learning rate, reached when the warm-up ends
    schedule: Schedule = "cosine"
    warmup: int | None = None  # steps of linear growth; None: a twentieth of `steps`
    decay: int | None = None  # last steps of "warmup-stable-decay"; None: a fifth of `steps`
    min_lr: float | None = None  # the last step's learning rate; None: a tenth of `lr`
    optimizer: Optimizer = "adamw"  # "muon": another step for the matrices inside the blocks
    weight_decay: float = 0.1  # on matrices only
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    clip: float | None = 1.0  # longest gradient; None: never shortened
    accumulate: int = 1  # batches whose gradients are added up before a step
    ema: float | None = None  # share of the old average kept each step, such as 0.999
    seed: int = 0  # of dropout and everything else drawn while training
    device: str | None = None  # None: the device in use (gptlib.device)
    dtype: Literal["float32", "bfloat16"] | None = None  # of matrix products; None: the device's
    compile: bool = False  # torch.compile: minutes at first, then faster steps
    validate_every: int = 100  # steps
    checkpoint_every: int = 500  # steps

    def __post_init__(self) -> None:
        for name in ("steps", "accumulate", "validate_every", "checkpoint_every"):
            _check_whole(name, getattr(self, name), least=1)
        for name in ("warmup", "decay", "seed"):
            if getattr(self, name) is not None:
                _check_whole(name, getattr(self, name), least=0)
        for name in ("lr", "epsilon", "clip"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise ValueError(f"{name}={value}: must be above 0")
        for name in ("beta1", "beta2", "ema"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 1:
                raise ValueError(f"{name}={value}: must be at least 0 and below 1")
        if not 0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay={self.weight_decay}: must be at least 0")
        for name, choices in (("schedule", Schedule), ("optimizer", Optimizer)):
            if getattr(self, name) not in get_args(choices):
                known = ", ".join(get_args(choices))
                raise ValueError(f"{name}={getattr(self, name)!r}: choose one of {known}")
        if self.dtype not in (None, "float32", "bfloat16"):
            raise ValueError(
                f"dtype={self.dtype!r}: choose float32, bfloat16 or None "
                "(float16 would need its loss scaled)"
            )
        if not 0 <= self.last_lr <= self.lr:
            raise ValueError(f"min_lr={self.min_lr}: must lie between 0 and lr={self.lr}")
        if self.warmup_steps + self.decay_steps > self.steps:
            raise ValueError(
                f"warmup={self.warmup_steps} and decay={self.decay_steps} steps do not fit "
                f"into steps={self.steps}: make them shorter"
            )

    @property
    def warmup_steps(self) -> int:
        """How many steps the learning rate grows."""
        return self.steps // 20 if self.warmup is None else self.warmup

    @property
    def decay_steps(self) -> int:
        """How many steps "warmup-stable-decay" falls at its end; 0 for other schedules."""
        if self.schedule != "warmup-stable-decay":
            return 0
        return self.steps // 5 if self.decay is None else self.decay

    @property
    def last_lr(self) -> float:
        """The learning rate of the last step, unless the schedule is "constant"."""
        return self.lr / 10 if self.min_lr is None else self.min_lr


def _check_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r}: must be a whole number of at least {least}")
