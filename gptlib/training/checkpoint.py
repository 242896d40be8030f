"""Everything that a run is, in one file that is either whole or the one before.

The file is written in a folder beside its place, forced onto the disk, and renamed. A rename
either happens or does not, so a power cut at any moment leaves a whole checkpoint. One file,
because two could never be renamed at once. safetensors and JSON only: nothing here unpickles.
"""

import json
import os
import shutil
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gptlib import pretrained
from gptlib.model import GPT
from gptlib.pretrained import CheckpointError
from gptlib.training.config import TrainingConfig
from gptlib.training.randomness import rng_state, set_rng_state
from gptlib.training.run import Run

FILE = "checkpoint.safetensors"
UNFINISHED = "unfinished"  # the folder in which files are written before they are renamed
# What may change when a run goes on: how far, how often, where. The rest makes another run.
FREE = {"steps", "validate_every", "checkpoint_every", "device", "dtype", "compile"}


def save(run: Run) -> None:
    """Write the run's checkpoint, and beside it the model for `gptlib.load`; rank 0 writes.

    Raises `CheckpointError` when the disk is full or the folder can't be written. The previous
    checkpoint is then still there.
    """
    ranks = run.processes.gather(rng_state(run.device))
    run.saved = run.step
    if run.processes.rank != 0:
        return
    assert run.out is not None
    tensors = {f"rng.{rank}.{n}": t for rank, rng in enumerate(ranks) for n, t in rng.items()}
    for prefix, group in _parts(run).items():
        tensors |= {f"{prefix}.{name}": t.detach().contiguous() for name, t in group.items()}
    facts = {
        "step": run.step,
        "config": asdict(run.config),
        "model_config": _model_config(run),
        "batches": run.batches.state_dict(),
    }
    unfinished = run.out / UNFINISHED
    try:
        shutil.rmtree(unfinished, ignore_errors=True)  # left by a run that was killed here
        unfinished.mkdir(parents=True)
        save_file(tensors, unfinished / FILE, {"run": json.dumps(facts)})
        if _is_plain_gpt(run):
            with run.evaluating():
                pretrained.save(run.model, unfinished, max_shard_size=2**60)  # type: ignore[arg-type]
        _put_in_place(unfinished, run.out)
    except (OSError, SafetensorError, CheckpointError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)  # a full disk gets its room back
        before = "; the checkpoint before it is whole" if (run.out / FILE).exists() else ""
        raise CheckpointError(
            f"{run.out}: can't write a checkpoint at step {run.step}: {error}{before}"
        ) from error


def load(run: Run) -> None:
    """Put a run into the state of the checkpoint in its folder.

    Raises `CheckpointError` when the file is damaged or belongs to another run.
    """
    assert run.out is not None
    file = run.out / FILE
    try:
        with safe_open(file, framework="pt") as opened:
            facts = json.loads(opened.metadata()["run"])
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file}: is damaged or no checkpoint of a run: {error!r}") from error
    if changed := _changes(facts["config"], run.config):
        raise CheckpointError(f"{file}: can't go on with other settings: {changed}")
    if facts["model_config"] != _model_config(run):
        raise CheckpointError(f"{file}: belongs to a model of another configuration")
    if facts["step"] > run.config.steps:
        raise CheckpointError(
            f"{file}: stands at step {facts['step']}, past steps={run.config.steps}"
        )
    _check_shapes(file, run, tensors)
    run.model.load_state_dict(_part(tensors, "model"))
    run.optimizer.load_state_dict(_part(tensors, "optimizer"), facts["step"])
    if run.average:
        for name, average in run.average.weights.items():
            average.copy_(tensors[f"average.{name}"])
    run.history.load(_part(tensors, "history"))
    run.batches.load_state_dict(facts["batches"])
    run.step = run.saved = facts["step"]
    if own := _part(tensors, f"rng.{run.processes.rank}"):  # more processes than before: no
        set_rng_state(own, run.device)


def _parts(run: Run) -> dict[str, dict[str, Tensor]]:
    return {
        "model": run.model.state_dict(),
        "optimizer": run.optimizer.state_dict(),
        "average": run.average.weights if run.average else {},
        "history": run.history.tensors(),
    }


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {n.removeprefix(start): t for n, t in tensors.items() if n.startswith(start)}


def _check_shapes(file: Path, run: Run, tensors: dict[str, Tensor]) -> None:
    for prefix, group in _parts(run).items():
        saved = _part(tensors, prefix)
        for name in sorted(group.keys() | saved.keys()):
            if name not in saved or name not in group:
                which = "lacks" if name not in saved else "holds surplus"
                raise CheckpointError(f"{file}: belongs to another model: it {which} {name}")
            if prefix != "history" and saved[name].shape != group[name].shape:
                raise CheckpointError(
                    f"{file}: belongs to another model: {name} has shape "
                    f"{tuple(saved[name].shape)}, here {tuple(group[name].shape)}"
                )


def _changes(saved: dict[str, Any], config: TrainingConfig) -> str:
    now = {f.name: getattr(config, f.name) for f in fields(config) if f.name not in FREE}
    changed = [n for n, value in now.items() if n not in saved or saved[n] != value]
    return ", ".join(f"{n} was {saved.get(n)!r}, now {now[n]!r}" for n in changed)


def _model_config(run: Run) -> dict[str, Any] | None:
    config = getattr(run.model, "config", None)
    return asdict(config) if is_dataclass(config) and not isinstance(config, type) else None


def _is_plain_gpt(run: Run) -> bool:
    # A GPT with added parts, such as LoRA's, has no form that `gptlib.load` could read.
    model = run.model
    return isinstance(model, GPT) and model.config.num_parameters == sum(
        parameter.numel() for parameter in model.parameters()
    )


def _put_in_place(folder: Path, place: Path) -> None:
    files = sorted(folder.iterdir())
    for file in files:
        os.chmod(file, 0o644)  # safetensors keeps files from others; a model is no secret
        _force_onto_disk(file)
    for file in files:
        os.replace(file, place / file.name)
    folder.rmdir()
    if os.name == "posix":  # elsewhere a folder can't be opened, and needs no forcing
        _force_onto_disk(place)


def _force_onto_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
