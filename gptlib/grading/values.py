"""Plain values as files: a tree of numbers, texts and tensors, one safetensors file, no pickle.

What a learner's code returns may be anything. `plain` keeps what an exercise can ask for and
turns the rest into an `Other`, which equals nothing: so no object of theirs reaches the judge.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, equal

# Stored in fewer bytes where nothing is lost by it, as most inputs allow.
_NARROW = {
    torch.float64: torch.float16,
    torch.float32: torch.float16,
    torch.int64: torch.int16,
}


@dataclass(frozen=True, eq=False)
class Other:
    """Something that no exercise asks for; only the name of its type is kept."""

    kind: str


def encode(value: Any, tensors: list[Tensor]) -> Any:
    """`value` as JSON; its tensors are appended to `tensors` and numbered in the JSON."""
    if isinstance(value, torch.nn.Parameter):
        value = value.detach()
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if isinstance(value, np.generic):
        return encode(value.item(), tensors)
    if kind is float:
        return value if np.isfinite(value) else {"float": repr(value)}
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind is np.ndarray and value.dtype.kind in "biuf":
        return {"array": encode(torch.from_numpy(np.array(value)), tensors)}
    if kind is Tensor:
        # The clone lets go of memory that the tensor may share with a larger one.
        tensors.append(value.detach().cpu().contiguous().clone())
        return {"tensor": len(tensors) - 1, "dtype": str(value.dtype).removeprefix("torch.")}
    if kind is list or isinstance(value, tuple):
        name = "list" if kind is list else "tuple"
        return {name: [encode(item, tensors) for item in value]}
    if kind in (set, frozenset):
        return {"set": [encode(item, tensors) for item in sorted(value, key=repr)]}
    if isinstance(value, Mapping):
        return {"dict": [[encode(k, tensors), encode(v, tensors)] for k, v in value.items()]}
    return {"other": kind.__name__}


def decode(code: Any, tensors: list[Tensor]) -> Any:
    """The value that `encode` turned into JSON and tensors."""
    if not isinstance(code, dict):
        return code
    ((name, content),) = ((k, v) for k, v in code.items() if k != "dtype")
    match name:
        case "float":
            return float(content)
        case "bytes":
            return bytes.fromhex(content)
        case "array":
            return decode(content, tensors).numpy()
        case "tensor":
            return tensors[content].to(getattr(torch, code["dtype"]))
        case "list":
            return [decode(item, tensors) for item in content]
        case "tuple":
            return tuple(decode(item, tensors) for item in content)
        case "set":
            return {decode(item, tensors) for item in content}
        case "dict":
            return {decode(k, tensors): decode(v, tensors) for k, v in content}
    return Other(str(content))


def plain(value: Any) -> Any:
    """A copy of `value` made of plain Python values and CPU tensors only."""
    tensors: list[Tensor] = []
    return decode(encode(value, tensors), tensors)


def save(path: Path, value: Any) -> None:
    """Write `value` into one safetensors file; its JSON goes into the file's header."""
    tensors: list[Tensor] = []
    code = encode(value, tensors)
    stored = {str(n): _narrow(tensor) for n, tensor in enumerate(tensors)}
    save_file(stored, path, metadata={"value": json.dumps(code, separators=(",", ":"))})


def load(path: Path) -> Any:
    """Read what `save` wrote. Nothing in the file is run, so it may come from anybody."""
    with safe_open(path, framework="pt") as file:
        code = json.loads(file.metadata()["value"])
        tensors = [file.get_tensor(str(n)) for n in range(len(file.keys()))]
    return decode(code, tensors)


def _narrow(tensor: Tensor) -> Tensor:
    narrow = tensor.to(_NARROW.get(tensor.dtype, tensor.dtype))
    return narrow if equal(narrow.to(tensor.dtype), tensor) else tensor
