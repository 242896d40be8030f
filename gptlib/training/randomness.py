"""The state of every random number generator, as tensors: to save, to restore, to keep."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan, nan

import numpy as np
import torch
from torch import Tensor


def rng_state(device: torch.device) -> dict[str, Tensor]:
    """The states of Python's, NumPy's and torch's generators, and of the device's own.

    Their shapes depend on the device's kind alone, so that processes can exchange them.
    """
    version, numbers, spare = random.getstate()
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002 - the state that libraries share
    assert isinstance(legacy, dict)
    words = [*legacy["state"]["key"].tolist(), legacy["state"]["pos"], legacy["has_gauss"]]
    state = {
        "python": torch.tensor([version, *numbers], dtype=torch.int64),
        "numpy": torch.tensor(words, dtype=torch.int64),
        # Both draw normal numbers in pairs and keep the second one for later.
        "spare": torch.tensor(
            [nan if spare is None else spare, legacy["gauss"]], dtype=torch.float64
        ),
        "torch": torch.get_rng_state(),
    }
    if device.type == "mps":
        state["mps"] = torch.mps.get_rng_state()
    elif device.type != "cpu":
        state[device.type] = getattr(torch, device.type).get_rng_state(device)
    return state


def set_rng_state(state: dict[str, Tensor], device: torch.device) -> None:
    """Put every generator back into a state that `rng_state` gave."""
    version, *numbers = state["python"].tolist()
    spare, gauss = state["spare"].tolist()
    random.setstate((version, tuple(numbers), None if isnan(spare) else spare))
    *key, pos, has_gauss = state["numpy"].tolist()
    np.random.set_state(  # noqa: NPY002
        {
            "bit_generator": "MT19937",
            "state": {"key": np.array(key, dtype=np.uint32), "pos": pos},
            "has_gauss": has_gauss,
            "gauss": gauss,
        }
    )
    torch.set_rng_state(state["torch"])
    if device.type not in state:  # the CPU has no other, and another device's tells it nothing
        return
    if device.type == "mps":
        torch.mps.set_rng_state(state["mps"])
    else:
        getattr(torch, device.type).set_rng_state(state[device.type], device)


@contextmanager
def rng_kept(device: torch.device) -> Iterator[None]:
    """Whatever is drawn during the `with` block, afterwards the generators stand as before."""
    state = rng_state(device)
    try:
        yield
    finally:
        set_rng_state(state, device)
