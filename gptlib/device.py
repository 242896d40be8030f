"""Where to compute and in which number format: one table, seeds, memory, measured speed.

`python -m gptlib.device` prints what this machine has, for a bug report.
"""

import random
import sys
import time
from dataclasses import dataclass

import numpy as np
import torch

# One table decides. Rows are tried from the top; the first that this machine has is the default.
#   device            dtype       why
#   cuda, sm_80 up    bfloat16    tensor cores; as wide a range as float32, so no loss scaling
#   cuda, older       float32     bfloat16 is emulated there, float16 would need loss scaling
#   xpu               bfloat16    as cuda, sm_80 up
#   mps               float32     bfloat16 depends on the system's version and gains little
#   cpu               float32     the format that every CPU computes fast
ORDER = ("cuda", "xpu", "mps", "cpu")


@dataclass(frozen=True)
class Choice:
    """A device and the dtype that suits it; `reason` says why, in words."""

    device: torch.device
    dtype: torch.dtype
    reason: str

    def __str__(self) -> str:
        return f"{self.device} with {str(self.dtype).removeprefix('torch.')}: {self.reason}"


_chosen: Choice | None = None


def available() -> list[torch.device]:
    """Every device of this machine, the preferred one first, the CPU always last."""
    found = []
    for kind in ORDER[:-1]:
        backend = getattr(torch, kind, None)
        if backend is not None and backend.is_available():
            count = backend.device_count() if kind != "mps" else 1
            found += [
                torch.device(kind, i) if kind != "mps" else torch.device(kind) for i in range(count)
            ]
    return [*found, torch.device("cpu")]


def choose(device: str | torch.device | None = None) -> Choice:
    """The device asked for, or the best one here, with its dtype from the table.

    Raises `ValueError` when this machine does not have the device, and lists what it has.
    """
    here = available()
    if device is None:
        wanted = here[0]
    else:
        try:
            wanted = torch.device(device)
        except RuntimeError:
            raise ValueError(f"no device is called {device!r}: {_list(here)}") from None
        if not any(d.type == wanted.type and wanted.index in (None, d.index) for d in here):
            raise ValueError(f"this machine has no device {str(wanted)!r}: {_list(here)}")
    if wanted.type == "cuda":
        if torch.cuda.get_device_capability(wanted) >= (8, 0):
            return Choice(wanted, torch.bfloat16, "tensor cores, and float32's range")
        return Choice(wanted, torch.float32, "too old for bfloat16 in hardware (before sm_80)")
    if wanted.type == "xpu":
        return Choice(wanted, torch.bfloat16, "matrix units, and float32's range")
    if wanted.type == "mps":
        return Choice(wanted, torch.float32, "bfloat16 gains little here")
    return Choice(wanted, torch.float32, "the format that every CPU computes fast")


def _list(devices: list[torch.device]) -> str:
    return "choose one of " + ", ".join(str(d) for d in devices)


def use(device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> Choice:
    """Make a device the current one for every later cell; without an argument, the best.

    `dtype` replaces the one that the table has for the device.
    """
    global _chosen
    _chosen = choose(device)
    if dtype is not None and dtype != _chosen.dtype:
        _chosen = Choice(_chosen.device, dtype, "chosen by hand")
    return _chosen


def current() -> Choice:
    """The device in use: the one last given to `use`, or the best of this machine."""
    return _chosen if _chosen is not None else use()


def seed_everything(seed: int) -> None:
    """Seed Python's, NumPy's and torch's random numbers, on every device."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - older libraries draw from this global state
    torch.manual_seed(seed)


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished: a GPU returns before its work is done."""
    if device.type != "cpu":
        getattr(torch, device.type).synchronize()


def memory(device: torch.device) -> tuple[int, int]:
    """Bytes in use and bytes in all. On the CPU: this process's peak, and the machine's memory.

    A figure that the system does not tell is 0.
    """
    if device.type in ("cuda", "xpu"):
        free, total = getattr(torch, device.type).mem_get_info(device)
        return total - free, total
    if device.type == "mps":
        return torch.mps.current_allocated_memory(), torch.mps.recommended_max_memory()
    return _peak_memory(), _machine_memory()


def _peak_memory() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # Linux counts in KiB


def _machine_memory() -> int:
    import os

    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def matmul_flops(device: torch.device, dtype: torch.dtype, budget: float = 0.25) -> float:
    """Measured floating-point operations per second of a square matrix product.

    The size grows until one product takes a tenth of `budget` seconds: a fixed size would
    take minutes where a format is emulated, and measure only launch costs on a fast GPU.
    """
    n = 64
    while True:
        a = torch.ones(n, n, device=device, dtype=dtype)
        a @ a  # the first product of a size also pays for set-up
        synchronize(device)
        start = time.perf_counter()
        a @ a
        synchronize(device)
        seconds = time.perf_counter() - start
        if seconds > budget / 10 or n >= 8192:
            break
        n *= 2
    best = seconds
    end = time.perf_counter() + budget
    while time.perf_counter() < end:
        start = time.perf_counter()
        a @ a
        synchronize(device)
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best


def report() -> str:
    """A small table: each device, its dtypes, the measured speed of each, its memory."""
    lines = [
        f"torch {torch.__version__}, {torch.get_num_threads()} CPU threads",
        f"{'device':<10} {'dtype':<10} {'matmul':>14}  memory",
    ]
    for device in available():
        _, total = memory(device)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            try:
                billions = matmul_flops(device, dtype) / 1e9
                speed = f"{billions:,.{0 if billions >= 10 else 2}f} GFLOP/s"
            except RuntimeError:
                speed = "not supported"
            name = str(dtype).removeprefix("torch.")
            lines.append(f"{device!s:<10} {name:<10} {speed:>14}  {total / 2**30:.1f} GiB")
    lines.append(f"default: {choose()}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
