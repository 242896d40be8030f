"""Save what LoRA trained, alone, and put it onto the base again: peft's own two files.

`adapter_model.safetensors` holds the adapters and a classifier's head, `adapter_config.json` what
they are. So peft opens them on transformers' model of the same weights, and the other way round.
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from gptlib.finetuning.heads import SequenceClassifier, TokenClassifier
from gptlib.finetuning.layers_to_train import n_trainable
from gptlib.finetuning.lora import LoRALinear, linear_layers, lora_layers, put, sizes
from gptlib.pretrained import CheckpointError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PREFIX = "base_model.model."  # of every name in peft's file
A, B = ".lora_A.weight", ".lora_B.weight"
# Settings of peft's under which the same tensors compute something else.
OTHER_METHODS = (
    *("use_rslora", "use_dora", "use_qalora", "use_bdlora", "alpha_pattern", "layer_replication"),
    *("alora_invocation_tokens", "arrow_config", "kasa_config", "monteclora_config"),
)


def save_adapters(model: nn.Module, folder: str | os.PathLike[str], base: str = "") -> None:
    """Write a model's adapters, and all else that trains such as a head, without the base.

    `base` names the model below, for whoever reads the folder. Files are written beside their
    places and then renamed. Raises `ValueError` for a model without adapters, `CheckpointError`
    where the folder can't be written.
    """
    layers = lora_layers(model)
    if not layers:
        raise ValueError("the model has no adapters to save: call add_lora first")
    tensors = {}
    for name, layer in layers.items():
        tensors[PREFIX + name + A] = layer.lora_A.detach().contiguous()
        tensors[PREFIX + name + B] = layer.lora_B.detach().contiguous()
    beside = _trained_beside(model)
    parameters = dict(model.named_parameters())
    tensors |= {PREFIX + name: parameters[name].detach().contiguous() for name in beside}
    first = next(iter(layers.values()))
    config = {
        "peft_type": "LORA",
        "task_type": _task(model),
        "base_model_name_or_path": base or None,
        "inference_mode": True,
        "r": first.rank,
        "lora_alpha": first.alpha,
        "lora_dropout": first.dropout.p,
        "target_modules": sorted(layers),
        "modules_to_save": sorted({name.rpartition(".")[0] for name in beside}) or None,
        "fan_in_fan_out": True,  # transformers keeps GPT-2's maps as (in, out)
        "bias": "none",
    }
    about = {"format": "pt", "base": fingerprint(model, set(beside)), "alpha": str(first.alpha)}
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob(".saving-*"):  # by a save that was killed
            shutil.rmtree(left_over, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".saving-") as scratch:
            save_file(tensors, Path(scratch, WEIGHTS), about)
            text = json.dumps(config, indent=2) + "\n"
            Path(scratch, CONFIG).write_text(text, encoding="utf-8")
            for name in (WEIGHTS, CONFIG):
                os.replace(Path(scratch, name), folder / name)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder}: can't save here: {error}") from error


def load_adapters(model: nn.Module, folder: str | os.PathLike[str]) -> int:
    """Put saved adapters onto their base, ready to use or to train; return how many numbers train.

    Raises `CheckpointError` where the files are damaged or do not belong to this base, `ValueError`
    for a model that has adapters already. The model is then as it was.
    """
    folder = Path(folder).expanduser()
    config = _read_config(folder / CONFIG)
    tensors, about = _read_tensors(folder / WEIGHTS)
    if about.get("alpha", str(config["lora_alpha"])) != str(config["lora_alpha"]):
        raise CheckpointError(
            f"{folder / CONFIG}: has lora_alpha {config['lora_alpha']}, and {WEIGHTS} was saved "
            f"with {about['alpha']}: they are not of one save"
        )
    layers = linear_layers(model)
    parameters = dict(model.named_parameters())
    names = sorted(key.removesuffix(A) for key in tensors if key.endswith(A))
    beside = [key for key in tensors if not key.endswith((A, B))]
    for name in names:
        if name not in layers or name + B not in tensors:
            _refuse(folder, f"adapts {name}, which is no linear layer here")
        a, b, (n_out, n_in) = tensors[name + A], tensors[name + B], sizes(layers[name])
        if a.shape != (len(a), n_in) or b.shape != (n_out, len(a)):
            _refuse(
                folder,
                f"the adapter of {name} is for a layer of {a.shape[-1]} inputs and {len(b)} "
                f"outputs, this one has {n_in} and {n_out}",
            )
    for name in beside:
        if name not in parameters:
            _refuse(folder, f"holds {name}, which is no parameter here")
        if tensors[name].shape != parameters[name].shape:
            shape, mine = tuple(tensors[name].shape), tuple(parameters[name].shape)
            _refuse(folder, f"{name} has shape {shape}, here {mine}")
    if about.get("base", own := fingerprint(model, set(beside))) != own:
        _refuse(folder, "the base's weights are others than those that the adapters were made for")
    _put_in(model, tensors, names, beside, config)
    return n_trainable(model)


def fingerprint(model: nn.Module, beside: set[str]) -> str:
    """A hash of the base's weights: all but adapters and the parameters named.

    They are rounded to bfloat16 first, so that a base loaded in fewer bits is still the same.
    """
    digest = hashlib.sha256()
    weights = {
        name.replace(".base.", "."): parameter
        for name, parameter in model.named_parameters()
        if name not in beside and not name.endswith((".lora_A", ".lora_B"))
    }
    for name, weight in sorted(weights.items()):
        rounded = weight.detach().to("cpu", torch.bfloat16).contiguous()
        digest.update(f"{name} {tuple(rounded.shape)}\n".encode())
        digest.update(rounded.view(torch.int16).numpy().astype("<i2", copy=False).data)
    return digest.hexdigest()


@torch.no_grad()
def _put_in(
    model: nn.Module,
    tensors: dict[str, Tensor],
    names: list[str],
    beside: list[str],
    config: dict[str, Any],
) -> None:
    model.requires_grad_(False)
    for name in names:
        rank, base = len(tensors[name + A]), model.get_submodule(name)
        layer = LoRALinear(base, rank, config["lora_alpha"], config["lora_dropout"])
        layer.lora_A.copy_(tensors[name + A])
        layer.lora_B.copy_(tensors[name + B])
        put(model, name, layer)
    for name in beside:
        parameter = model.get_parameter(name)
        parameter.copy_(tensors[name])
        parameter.requires_grad_()


def _trained_beside(model: nn.Module) -> list[str]:
    """The parameters that train and are no adapter's, with those of the same modules."""
    trained = {n for n, p in model.named_parameters() if p.requires_grad}
    owners = {n.rpartition(".")[0] for n in trained if not n.endswith((".lora_A", ".lora_B"))}
    return sorted(n for n, _ in model.named_parameters() if n.rpartition(".")[0] in owners)


def _task(model: nn.Module) -> str:
    if isinstance(model, SequenceClassifier):
        return "SEQ_CLS"
    return "TOKEN_CLS" if isinstance(model, TokenClassifier) else "CAUSAL_LM"


def _read_config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
        config.setdefault("lora_dropout", 0.0)
        alpha, dropout = float(config["lora_alpha"]), float(config["lora_dropout"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file}: can't be read as adapters' settings: {error!r}") from error
    if config.get("peft_type") != "LORA" or not alpha > 0 or not 0 <= dropout < 1:
        raise CheckpointError(f"{file}: does not describe LoRA adapters")
    if other := [name for name in OTHER_METHODS if config.get(name)]:
        raise CheckpointError(f"{file}: {other[0]} is set: gptlib knows plain LoRA alone")
    return dict(config)


def _read_tensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(file, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            about = dict(opened.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file}: is missing or damaged ({error})") from error
    return {name.removeprefix(PREFIX): tensor for name, tensor in tensors.items()}, about


def _refuse(folder: Path, reason: str) -> None:
    raise CheckpointError(f"{folder}: these adapters belong to another model: {reason}")
