"""A training run: what callbacks see, and what a checkpoint holds."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gptlib.training.average import WeightAverage
from gptlib.training.config import TrainingConfig
from gptlib.training.history import History
from gptlib.training.optimizer import AdamW
from gptlib.training.processes import Processes
from gptlib.training.randomness import rng_kept
from gptlib.training.working_copy import WorkingCopy


@dataclass
class Run:
    """One run of `train`, at the end of step `step` (0 before the first)."""

    model: nn.Module
    batches: Any  # an iterator of batches; its position is saved through state_dict
    config: TrainingConfig
    processes: Processes
    dtype: torch.dtype  # of matrix products; weights and averages stay float32
    optimizer: AdamW
    average: WeightAverage | None
    out: Path | None  # the run's folder
    copy: WorkingCopy | None = None  # what computes the gradients, unless the model itself does
    step: int = 0
    saved: int = -1  # the step of the last checkpoint
    history: History = field(default_factory=History)

    @property
    def validated(self) -> bool:
        """Whether this step ended with a validation."""
        return self.history.validation_step[-1:] == [self.step]

    @property
    def device(self) -> torch.device:
        """Where the model lives."""
        return self.processes.device

    def stop(self, reason: str) -> None:
        """End training after this step; `history.stopped` will say why."""
        self.history.stopped = reason

    def due(self, every: int) -> bool:
        """Whether something done every so many steps, and after the last, is done now."""
        return self.step % every == 0 or self.step == self.config.steps

    def autocast(self) -> AbstractContextManager[object]:
        """Matrix products in the `with` block are computed in `dtype`."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    @contextmanager
    def evaluating(self) -> Iterator[nn.Module]:
        """The model as it would be used if training ended here.

        In evaluation mode, with the averaged weights if an average is kept, without gradients.
        What is drawn inside takes nothing from training's random numbers.
        """
        training = self.model.training
        averaged = self.average.applied() if self.average else nullcontext()
        with torch.no_grad(), rng_kept(self.device), averaged:
            self.model.eval()
            try:
                yield self.model
            finally:
                self.model.train(training)
