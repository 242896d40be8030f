"""A second device without a GPU: torch's place for private backends, with the CPU doing the work.

Tensors on `sim` hold a CPU tensor that nobody else can reach: mixing them with ordinary ones fails,
as it does with a GPU's. To be run in a process of its own, because a backend stays for good.
"""

from functools import partial
from typing import Any

import torch
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from gptlib import device

NAME = "sim"
calls = {"computed": 0}  # operations that ran on the device


class SimTensor(torch.Tensor):
    """A tensor whose device says `sim`."""

    @staticmethod
    def __new__(cls, held: torch.Tensor) -> Any:
        return torch.Tensor._make_wrapper_subclass(
            cls,
            held.size(),
            strides=held.stride(),
            storage_offset=held.storage_offset(),
            dtype=held.dtype,
            device=f"{NAME}:0",
        )

    def __init__(self, held: torch.Tensor) -> None:
        self.held = held

    def __tensor_flatten__(self):
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(inner, meta, size, stride):
        return SimTensor(inner["held"])

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return dispatch(function, args, kwargs or {})


COPIES = ("aten::_to_copy", "aten::copy_", "aten::_copy_from")


def dispatch(function, args, kwargs):
    """Compute on the CPU with what the arguments hold."""
    name = function._schema.name
    given = [x for x in tree_leaves((args, kwargs)) if torch.is_tensor(x)]
    # Numbers may come from the CPU, as they may on a GPU.
    strangers = [x for x in given if not isinstance(x, SimTensor) and x.dim() > 0]
    if strangers and name not in COPIES:
        raise RuntimeError(f"Expected all tensors to be on the same device, but {name} got two")
    target = torch.device(kwargs.get("device") or NAME)
    if "device" in kwargs:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    held_args, held_kwargs = tree_map_only(SimTensor, lambda x: x.held, (args, kwargs))
    result = function(*held_args, **held_kwargs)
    calls["computed"] += 1
    if function._schema.is_mutable:
        return kwargs.get("out", args[0]) if result is not None else None
    if target.type == "cpu":
        return result
    return tree_map_only(torch.Tensor, SimTensor, result)


class Module:
    """What torch and gptlib.device ask of `torch.sim`."""

    def is_available(self):
        return True

    def is_initialized(self):
        return True

    def device_count(self):
        return 1

    def current_device(self):
        return 0

    def _is_in_bad_fork(self):
        return False

    def manual_seed_all(self, seed):
        pass

    def synchronize(self, device=None):
        pass

    def get_amp_supported_dtype(self):
        return [torch.float32]


def _count(function, *args, **kwargs):
    return dispatch(function, args, kwargs)


def install() -> None:
    """Add the device to this process, and to those that gptlib knows."""
    _setup_privateuseone_for_python_backend(NAME, backend_module=Module())
    library = torch.library.Library("_", "IMPL", "PrivateUse1")
    library.fallback(lambda function, *args, **kwargs: dispatch(function, args, kwargs))
    # The general road of these grows a tensor in place, which a wrapper can't follow.
    counting = torch.library.Library("aten", "IMPL")
    for overload in ("default", "start", "start_step"):
        function = getattr(torch.ops.aten.arange, overload)
        counting.impl(function, partial(_count, function), "PrivateUse1")
    install.kept = library, counting  # they go when the objects go
    device.ORDER = (NAME, *device.ORDER)
