"""Random inputs that are the same on every machine: Python's own generator, numbers on a grid."""

import random
from collections.abc import Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


class Draw:
    """Draws the inputs of one check for one seed, in one dtype."""

    def __init__(self, seed: str, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def choice(self, options: Sequence[T]) -> T:
        """One of `options`."""
        return options[self.integer(0, len(options) - 1)]

    def sizes(self, n: int, low: int = 2, high: int = 5) -> list[int]:
        """`n` sizes, no two of them equal: so no answer is right by confusing two dimensions."""
        left = list(range(low, high + 1))
        return [left.pop(self.integer(0, len(left) - 1)) for _ in range(n)]

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Roughly normal numbers with variance 1, as multiples of 1/16, times `scale`.

        Such numbers are exact in every floating-point format, and small in a file.
        """
        total = torch.Size(shape).numel()
        # The sum of three even draws from -16 ... 16 has variance 272, near 256.
        grid = [sum(self.integer(-16, 16) for _ in range(3)) for _ in range(total)]
        return torch.tensor(grid, dtype=self.dtype).view(shape) / 16 * scale

    def integers(self, *shape: int, below: int) -> Tensor:
        """Whole numbers from 0 to `below` - 1, as for token ids."""
        total = torch.Size(shape).numel()
        return torch.tensor([self.integer(0, below - 1) for _ in range(total)]).view(shape)

    def booleans(self, *shape: int) -> Tensor:
        """True and False, about as many of each."""
        return self.integers(*shape, below=2).bool()

    def state(self, module: nn.Module, scale: float = 0.5) -> dict[str, Tensor]:
        """Weights for every parameter of a module, biases and gains included."""
        return {
            name: self.normal(*value.shape, scale=scale)
            for name, value in module.state_dict().items()
        }

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """The items in another order."""
        left = list(items)
        return [left.pop(self.integer(0, len(left) - 1)) for _ in range(len(left))]
