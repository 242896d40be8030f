"""What `gptlib train` does, in one process or in each of those that torchrun started."""

import time
from dataclasses import fields
from typing import Any

import torch

import gptlib
from gptlib import device as devices
from gptlib.cli.errors import Failure, Usage
from gptlib.cli.parsing import quoted
from gptlib.cli.run_folder import RunFolder
from gptlib.cli.train_data import Stories, batches, write_data
from gptlib.cli.train_options import FREE, LOCAL, OPTIONS
from gptlib.cli.train_report import Report, describe, sampler
from gptlib.config import GPTConfig
from gptlib.model import GPT
from gptlib.tokenizer import Tokenizer
from gptlib.training import CSVLog, History, Progress, TrainingConfig, train
from gptlib.training.callbacks import Callback
from gptlib.training.processes import Processes, join

SHAPE = ("n_layer", "n_head", "n_embd", "n_positions", "positions", "dropout")


def join_processes(device: str | None) -> Processes:
    """This process among those that torchrun started, on the device asked for."""
    try:
        return join(devices.choose(device).device)
    except ValueError as error:
        raise Usage(f"--device: {error}") from None


def prepare_once(
    folder: RunFolder, given: dict[str, Any], resume: bool, processes: Processes
) -> bool:
    """Let the first process make the folder while the others wait; whether it went well."""
    problem: Exception | None = None
    if processes.rank == 0:
        try:
            _prepare(folder, given, resume, processes.count)
        except Exception as error:
            problem = error
    failed = processes.any(problem is not None)
    if problem is not None:
        raise problem
    return not failed


def _prepare(folder: RunFolder, given: dict[str, Any], resume: bool, n_processes: int) -> None:
    if not resume:
        folder.check_free()
    record = folder.read() if resume else {}
    settings = _settings(folder, given, record.get("arguments", {}))
    Stories.of(settings)  # raises when there are no such
    config = model_config(settings)
    training_config(settings)
    if settings["batch_size"] % n_processes:
        raise Usage(
            f"--batch-size {settings['batch_size']} can't be shared by {n_processes} processes: "
            f"make it a multiple of {n_processes}"
        )
    folder.make()
    kept = {name: value for name, value in settings.items() if name not in LOCAL}
    record = {"gptlib": gptlib.__version__, **record, "arguments": kept}
    folder.write(record)  # without "data" until the data is whole
    if "data" not in record or not folder.tokens.exists():
        if resume and folder.has_checkpoint:
            raise Failure(
                f"{folder.tokens}: is missing, and without the tokens it was begun with this run "
                "can't go on: begin a new one with another --out"
            )
        print(f"reading    {settings['data']}", flush=True)
        record["data"] = write_data(folder, settings, config.n_positions)
        folder.write(record)


def _settings(
    folder: RunFolder, given: dict[str, Any], begun_with: dict[str, Any]
) -> dict[str, Any]:
    """Every option's value: as given now, else as the run was begun, else the default."""
    changed = [
        f"--{name.replace('_', '-')} was {begun_with[name]}, now {value}"
        for name, value in given.items()
        if name in begun_with and name not in FREE and value != begun_with[name]
    ]
    if changed:
        raise Failure(
            f"{folder.path}: can't go on with other settings: {', '.join(changed)}; leave them "
            "out, or begin another run with another --out"
        )
    settings = {option.name: option.default for option in OPTIONS.values()} | begun_with | given
    if not settings["data"]:
        raise Usage("--data is missing: say what to learn from, such as --data story:nursery")
    if settings["tokenizer"] is not None and "vocab_size" in given and not begun_with:
        raise Usage("--vocab-size is for a tokenizer that is learned: leave out it or --tokenizer")
    return settings


def model_config(settings: dict[str, Any], **changes: Any) -> GPTConfig:
    """The model's shape. Raises `Usage` when the options do not fit together."""
    changes |= {name: settings[name] for name in SHAPE if settings[name] is not None}
    try:
        return GPTConfig.preset(settings["preset"], **changes)
    except ValueError as error:
        raise Usage(str(error)) from None


def training_config(settings: dict[str, Any]) -> TrainingConfig:
    """How to train. Raises `Usage` when the options do not fit together."""
    try:
        return TrainingConfig(
            **{field.name: settings[field.name] for field in fields(TrainingConfig)}
        )
    except ValueError as error:
        raise Usage(str(error)) from None


def train_here(folder: RunFolder, given: dict[str, Any], processes: Processes) -> int:
    """Train on the prepared data; the exit code."""
    record = folder.read()
    settings = {name: OPTIONS[name].default for name in LOCAL} | record["arguments"] | given
    facts = record["data"]
    config = model_config(
        settings | {"n_positions": facts["n_positions"]}, vocab_size=facts["vocab_size"]
    )
    to_train, validation = batches(folder, settings, facts, config.n_positions)
    torch.manual_seed(settings["seed"])
    model = GPT(config)
    callbacks: list[Callback] = []
    if processes.rank == 0:
        print(describe(settings, facts, config), flush=True)
        callbacks = [Progress(), CSVLog(), Report(facts.get("floor"))]
        if settings["sample_every"]:
            callbacks.append(sampler(Tokenizer.load(folder.path), settings, config))
    begun = time.perf_counter()
    history = train(
        model,
        to_train,
        training_config(settings),
        validation=validation,
        callbacks=callbacks,
        out=folder.path,
        resume=True,  # prepare_once has refused what must not be gone on with
    )
    if processes.rank == 0:
        _finish(folder, record, history, time.perf_counter() - begun)
    if history.stopped != "interrupted":
        return 0
    steps = f"{len(history.step)} of {settings['steps']}"
    raise KeyboardInterrupt(
        f"stopped at step {steps}, nothing is lost; to go on: "
        f"gptlib train --out {quoted(folder.path)} --resume"
    )


def _finish(folder: RunFolder, record: dict[str, Any], history: History, seconds: float) -> None:
    """Keep the result in the folder's record, and say where the model is."""
    if history.step:
        record["result"] = {
            "step": history.step[-1],
            "tokens": history.tokens[-1],
            "seconds": round(history.seconds[-1], 1),
            "loss": history.loss[-1],
            "validation_loss": history.validation_loss[-1] if history.validation_loss else None,
            "stopped": history.stopped,
        }
        folder.write(record)
    if history.stopped == "finished":
        print(
            f"finished   {history.step[-1]} steps, {seconds:.0f} s; the model is in {folder.path}\n"
            f'try        gptlib generate --model {quoted(folder.path)} "Once upon a time"'
        )
