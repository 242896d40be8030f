"""What the device switch knows: each device and number format of this machine, measured."""

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gptlib import device as devices
from gptlib.config import GPTConfig
from gptlib.model import GPT

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
BATCH = 4  # rows of the batch that speed is measured with
SLOW = 4  # times slower than float32: worth a remark


@dataclass(frozen=True)
class Measured:
    """One device in one number format; a speed is None where the device can't do it."""

    device: str
    dtype: str
    flops: float | None  # floating-point operations a second, of a matrix product
    tokens: float | None  # a second, through the model
    used: int  # bytes; see gptlib.device.memory
    memory: int  # bytes in all
    note: str


class Switch:
    """Moves a model, and what belongs to its training, between the devices of this machine.

    `others` are further modules, and optimizers of torch: their state follows the model's weights,
    so that training goes on after a move as if nothing had happened.
    """

    def __init__(self, model: nn.Module | None = None, others: Sequence[Any] = ()) -> None:
        for thing in others:
            if not isinstance(thing, nn.Module | torch.optim.Optimizer):
                raise ValueError(
                    f"a {type(thing).__name__} can't be moved: give modules and torch optimizers"
                )
        self.model = model
        self.others = list(others)

    def names(self) -> list[str]:
        """The devices of this machine, the preferred one first."""
        return [str(device) for device in devices.available()]

    def move(self, name: str, dtype: str | None = None) -> devices.Choice:
        """Make a device the current one, and take the model there. Raises `ValueError`.

        `dtype` is the format of matrix products; weights stay in float32.
        """
        choice = devices.use(name, None if dtype is None else dtype_of(dtype))
        replaced: dict[Tensor, Tensor] = {}
        for module in (self.model, *self.others):
            if isinstance(module, nn.Module):
                before = dict(module.named_parameters())
                module.to(choice.device)
                replaced |= {before[n]: p for n, p in module.named_parameters()}
        for optimizer in self.others:
            if isinstance(optimizer, torch.optim.Optimizer):
                _follow(optimizer, replaced)
        return choice

    def measure(self, budget: float = 0.1) -> list[Measured]:
        """Every device in every format: about `budget` seconds for each of two speeds."""
        return [row for device in devices.available() for row in self._rows(device, budget)]

    def _rows(self, device: torch.device, budget: float) -> list[Measured]:
        rows: list[Measured] = []
        for dtype in DTYPES:
            note = "" if dtype != torch.float32 else "weights are kept in this format"
            flops = tokens = None
            try:
                flops = devices.matmul_flops(device, dtype, budget)
                tokens = self._tokens(device, dtype, budget)
            except (RuntimeError, NotImplementedError, TypeError) as error:
                note = f"not on this device: {str(error).splitlines()[0][:80]}"
            fastest = rows[0].flops if rows else None
            if flops and fastest and fastest > SLOW * flops:
                note = f"{fastest / flops:.0f} times slower than float32 here"
            used, memory = devices.memory(device)
            name = str(dtype).removeprefix("torch.")
            rows.append(Measured(str(device), name, flops, tokens, used, memory, note))
        return rows

    @torch.no_grad()
    def _tokens(self, device: torch.device, dtype: torch.dtype, budget: float) -> float:
        """Tokens a second through a copy: measuring changes nothing of the model."""
        model = self.model if isinstance(self.model, GPT) else GPT(GPTConfig.preset("tiny"))
        length = min(64, model.config.n_positions)
        twin = copy.deepcopy(model).to(device, dtype).eval()
        idx = torch.zeros(BATCH, length, dtype=torch.long).to(device)
        twin(idx)  # the first pass also pays for set-up
        devices.synchronize(device)
        passes, start = 0, time.perf_counter()
        while not passes or time.perf_counter() - start < budget:
            twin(idx)
            devices.synchronize(device)
            passes += 1
        return passes * BATCH * length / (time.perf_counter() - start)


def dtype_of(name: str) -> torch.dtype:
    """The torch dtype of a name such as "float32". Raises `ValueError` for another one."""
    known = {str(dtype).removeprefix("torch."): dtype for dtype in DTYPES}
    if name not in known:
        raise ValueError(f"dtype {name!r}: choose one of {', '.join(known)}")
    return known[name]


def _follow(optimizer: torch.optim.Optimizer, replaced: dict[Tensor, Tensor]) -> None:
    """Take an optimizer's moments to where its parameters are now; its step counts stay.

    Torch moves a parameter in place where the two devices allow it; else it makes a new one,
    and an optimizer that keeps the old one would go on training what nobody uses.
    """
    for group in optimizer.param_groups:
        group["params"] = [replaced.get(p, p) for p in group["params"]]
    for old in list(optimizer.state):
        new = replaced.get(old, old)
        state = optimizer.state[new] = optimizer.state.pop(old)
        for name, value in state.items():
            if torch.is_tensor(value) and value.shape == new.shape and value.dim() > 0:
                state[name] = value.to(new.device)
