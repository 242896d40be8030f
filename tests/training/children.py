"""Small runs in processes of their own, which tests may kill, starve or lock out.

Children are forked from a server that has imported torch already, so one starts in a fraction of
a second. Where there is no fork (Windows) each is started afresh.
"""

import multiprocessing
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gptlib.config import GPTConfig
from gptlib.data import Batches, in_order
from gptlib.model import GPT
from gptlib.training import Callback, History, Run, Sample, TrainingConfig, train

FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_context: Any = multiprocessing.get_context("forkserver" if FORKS else "spawn")
if FORKS:
    # The last two are imported on first use: too late for a child that became another user, who may
    # not be allowed to read the folder that Python is in.
    _context.set_forkserver_preload(
        ["gptlib.training", "gptlib.data", "numpy.random", "huggingface_hub.serialization"]
    )


def start(function: Callable[..., Any], *arguments: Any) -> Any:
    """A process that has begun to run the function, on one thread."""
    process = _context.Process(target=_on_one_thread, args=(function, *arguments), daemon=True)
    process.start()
    return process


def _on_one_thread(function: Callable[..., Any], *arguments: Any) -> None:
    torch.set_num_threads(1)
    function(*arguments)


def call(function: Callable[..., Any], *arguments: Any) -> int:
    """Run the function in a process of its own; its exit code."""
    process = start(function, *arguments)
    process.join()
    return process.exitcode


def nothing() -> None:
    """Called once before anything is timed: it starts the server."""


def small_model(**changes: Any) -> GPT:
    torch.manual_seed(1)
    shape = {"vocab_size": 17, "n_positions": 8, "n_embd": 8, "n_layer": 1, "n_head": 2}
    return GPT(GPTConfig(**{**shape, "dropout": 0.1, **changes}))


def tokens() -> torch.Tensor:
    # A repeating text with mistakes: something to learn, and never a loss of 0.
    generator = torch.Generator().manual_seed(2)
    noise = torch.randint(0, 4, (400,), generator=generator) // 3
    return (torch.arange(400) * 3 + noise) % 17


def small_batches() -> Batches:
    return Batches(tokens()[:360], batch_size=4, length=8, seed=5, order="epochs")


def small_config(**changes: Any) -> TrainingConfig:
    # Everything that a checkpoint must carry: dropout, an average, several batches a step.
    usual = {"steps": 24, "lr": 1e-2, "accumulate": 2, "ema": 0.9, "seed": 7, "device": "cpu",
             "validate_every": 5, "checkpoint_every": 2}  # fmt: skip
    return TrainingConfig(**{**usual, **changes})


def say(model: GPT) -> str:
    """Something that draws from every generator, as a careless sampler would."""
    return f"{random.random()} {np.random.rand()} {torch.rand(1).item()}"  # noqa: NPY002


def small_run(out: Path, *callbacks: Callback, resume: bool = True, **changes: Any) -> History:
    """The run that these tests repeat, the same whenever it is called; it goes on where it was."""
    return train(
        small_model(),
        small_batches(),
        small_config(**changes),
        validation=list(in_order(tokens()[360:], batch_size=4, length=8)),
        callbacks=[Sample(say, every=7, show=lambda text: None), *callbacks],
        out=out,
        resume=resume,
    )


class At(Callback):
    """Do something at the end of one step."""

    def __init__(self, step: int, action: Callable[[Run], object]) -> None:
        self.step, self.action = step, action

    def on_step(self, run: Run) -> None:
        if run.step == self.step:
            self.action(run)


class KillWhileSaving(Callback):
    """Die as by kill -9 before the n-th system call of the first checkpoint written.

    Python reports what it asks of the system (opening, renaming, removing files) to audit hooks,
    so this needs to know nothing of how a checkpoint is written.
    """

    def __init__(self, n: int) -> None:
        self.left = n
        self.armed = False

    def on_start(self, run: Run) -> None:
        sys.addaudithook(lambda event, details: self._see(str(run.out), details))

    def on_step(self, run: Run) -> None:
        self.armed = run.due(run.config.checkpoint_every)

    def on_end(self, run: Run) -> None:
        self.armed = False

    def _see(self, out: str, details: tuple[Any, ...]) -> None:
        if self.armed and any(isinstance(d, str | os.PathLike) and out in str(d) for d in details):
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), 9)


def stopped(out: Path, step: int) -> None:
    """Train up to a step and stop in good order."""
    small_run(out, At(step, lambda run: run.stop("enough")))


def killed_while_saving(out: Path, n: int) -> None:
    """Train until the n-th system call of the first checkpoint; exit code 0 if it has fewer."""

    class Stop(Callback):
        def on_step(self, run: Run) -> None:
            if run.saved == begun + 2:
                run.stop("has survived a checkpoint")

        def on_start(self, run: Run) -> None:
            nonlocal begun
            begun = run.step

    begun = 0
    small_run(out, KillWhileSaving(n), Stop())
