"""What happens before the first step: arguments are checked, everything is put in its place."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

import torch
from torch import nn

from gptlib import device as devices
from gptlib.pretrained import CheckpointError
from gptlib.training import checkpoint
from gptlib.training.average import WeightAverage
from gptlib.training.config import TrainingConfig
from gptlib.training.muon import Muon
from gptlib.training.optimizer import AdamW
from gptlib.training.processes import Batch, join
from gptlib.training.run import Run
from gptlib.training.working_copy import WorkingCopy


def start(
    model: nn.Module,
    batches: Iterable[Batch],
    config: TrainingConfig,
    validation: Iterable[Batch] | Callable[[], Iterable[Batch]] | None,
    out: str | Path | None,
    resume: bool,
) -> tuple[Run, nn.Module]:
    """A run ready for its next step, and the model to call in training (compiled, parallel)."""
    folder = None if out is None else Path(out).expanduser()
    _check_arguments(batches, validation, folder, resume)
    choice = devices.current() if config.device is None else devices.choose(config.device)
    processes = join(choice.device)
    # Processes draw different dropout masks; rank 0 draws what it would draw alone.
    devices.seed_everything(config.seed + processes.rank)
    model.to(processes.device)
    processes.share(model)
    run = Run(
        model=model,
        batches=batches,
        config=config,
        processes=processes,
        dtype=choice.dtype if config.dtype is None else getattr(torch, config.dtype),
        optimizer=(Muon if config.optimizer == "muon" else AdamW)(model, config),
        average=None if config.ema is None else WeightAverage(model, config.ema),
        out=folder,
    )
    if folder is not None and (folder / checkpoint.FILE).exists():
        checkpoint.load(run)
    elif folder is not None:
        checkpoint.save(run)  # a folder that can't be written shows now, not after an hour
    if run.dtype != torch.float32:
        run.copy = WorkingCopy(model, run.dtype)
    to_train = run.copy.module if run.copy else model
    if config.compile:
        to_train = cast(nn.Module, torch.compile(to_train))
    return run, processes.parallel(to_train)


def _check_arguments(
    batches: Iterable[Batch],
    validation: Iterable[Batch] | Callable[[], Iterable[Batch]] | None,
    folder: Path | None,
    resume: bool,
) -> None:
    if validation is not None and not callable(validation) and iter(validation) is validation:
        raise ValueError(
            "validation would be used up after the first time: give a list of batches, "
            "such as list(gptlib.data.in_order(...)), or a function that makes them"
        )
    if folder is None:
        if resume:
            raise ValueError("resume=True needs out, the folder of the run to go on with")
        return
    for method in ("state_dict", "load_state_dict"):
        if not hasattr(batches, method):
            raise ValueError(
                f"the batches have no {method}, so a checkpoint could not tell where in the data "
                "it stands: use gptlib.data.Batches, or train without out"
            )
    if not resume and (folder / checkpoint.FILE).exists():
        raise CheckpointError(
            f"{folder}: holds a run already: give resume=True to go on with it, or another folder"
        )
