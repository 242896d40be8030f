"""What happened during training: plain lists, ready to plot."""

from dataclasses import dataclass, field, fields

import torch
from torch import Tensor


@dataclass
class History:
    """One entry a step in the first lists, one entry a validation in the last two.

    >>> ax.plot(history.step, history.loss)
    >>> ax.plot(history.validation_step, history.validation_loss)
    """

    step: list[int] = field(default_factory=list)  # 1, 2, ...
    loss: list[float] = field(default_factory=list)  # nats per token, before the step's change
    lr: list[float] = field(default_factory=list)
    grad_norm: list[float] = field(default_factory=list)  # before clipping
    tokens: list[int] = field(default_factory=list)  # targets that counted, so far
    seconds: list[float] = field(default_factory=list)  # of training so far, pauses left out
    validation_step: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    stopped: str = ""  # why training ended: "finished", "interrupted", or a callback's reason

    def add(self, **entries: float) -> None:
        """Append one entry to each list named."""
        for name, entry in entries.items():
            getattr(self, name).append(entry)

    def tensors(self) -> dict[str, Tensor]:
        """The lists as tensors, exactly: int64 and float64."""
        return {name: torch.tensor(getattr(self, name), dtype=t) for name, t in _DTYPES.items()}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Take over lists that `tensors` gave."""
        for name in _DTYPES:
            setattr(self, name, tensors[name].tolist())


_DTYPES = {
    f.name: torch.int64 if f.type == list[int] else torch.float64
    for f in fields(History)
    if f.name != "stopped"
}
