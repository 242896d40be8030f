"""Batches for next-token prediction: a window of tokens, and the same window one token later.

Every batch is a pure function of (tokens, seed, number of the batch), so the position in the data
is one integer: training that stopped goes on with exactly the batches it would have had.
"""

from collections.abc import Iterator
from typing import Any, TypeVar

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from gptlib.data.tokens import TokenFile

Tokens = TokenFile | Tensor | NDArray[Any]
Batch = tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]
Sliced = TypeVar("Sliced", TokenFile, Tensor, NDArray[Any], str, list[int], list[str])


def split(tokens: Sliced, validation: float = 0.1) -> tuple[Sliced, Sliced]:
    """Cut tokens, text or a list in two: the first part to train on, the last to validate on.

    No position belongs to both, so no window of one can show a token of the other.
    Raises ValueError where `validation` is not between 0 and 1 or leaves a part empty.
    """
    if not 0 < validation < 1:
        raise ValueError(f"validation must be between 0 and 1, not {validation}")
    cut = len(tokens) - round(len(tokens) * validation)
    if not 0 < cut < len(tokens):
        raise ValueError(f"{len(tokens)} tokens are too few to validate on {validation:.0%}")
    return tokens[:cut], tokens[cut:]


class Batches:
    """An endless iterator of batches `(idx, targets)`, each (B, T) int64 on the CPU.

    `targets[b, t]` is the token that follows `idx[b, t]`. With `order="random"` every window
    starts anywhere, independently; with `order="epochs"` windows that do not overlap are shuffled
    anew each epoch, so every token but a remainder shorter than T is seen once an epoch.
    Raises ValueError where there are fewer than T + 1 tokens.

    >>> idx, targets = next(Batches(torch.arange(100), batch_size=4, length=8))
    """

    def __init__(
        self,
        tokens: Tokens,
        *,
        batch_size: int,
        length: int,
        seed: int = 0,
        order: str = "random",
    ) -> None:
        _check_sizes(tokens, batch_size, length)
        if order not in ("random", "epochs"):
            raise ValueError(f"order must be 'random' or 'epochs', not {order!r}")
        self.tokens = tokens
        self.batch_size = batch_size
        self.length = length
        self.seed = seed
        self.order = order
        self.number = 0  # of the next batch
        self._shuffled: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        batch = self.batch(self.number)
        self.number += 1
        return batch

    def batch(self, number: int) -> Batch:
        """Batch `number`, whatever was drawn before; the position does not move."""
        starts = self._random(number) if self.order == "random" else self._in_epochs(number)
        return _cut(self.tokens, starts, self.length)

    @property
    def epoch(self) -> float:
        """How often the tokens have been seen so far, counting T tokens a window."""
        return self.number * self.batch_size * self.length / (len(self.tokens) - 1)

    def state_dict(self) -> dict[str, int | str]:
        """The position in the data, and what must be the same for it to mean anything."""
        return {
            "number": self.number,
            "seed": self.seed,
            "order": self.order,
            "batch_size": self.batch_size,
            "length": self.length,
            "n_tokens": len(self.tokens),
        }

    def load_state_dict(self, state: dict[str, int | str]) -> None:
        """Go on from a saved position.

        Raises ValueError where seed, order, sizes or the tokens differ: the batches would not be
        those of the run that was saved.
        """
        for name, mine in self.state_dict().items():
            if name != "number" and state.get(name) != mine:
                raise ValueError(f"cannot go on: {name} was {state.get(name)!r}, now {mine!r}")
        self.number = int(state["number"])

    def _random(self, number: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([self.seed, number])
        return rng.integers(len(self.tokens) - self.length, size=self.batch_size)

    def _in_epochs(self, number: int) -> NDArray[np.int64]:
        windows = (len(self.tokens) - 1) // self.length
        # Batches are always full: one may end an epoch and begin the next.
        position = range(number * self.batch_size, (number + 1) * self.batch_size)
        order = [self._permutation(p // windows, windows)[p % windows] for p in position]
        return np.array(order, dtype=np.int64) * self.length

    def _permutation(self, epoch: int, windows: int) -> NDArray[np.int64]:
        if self._shuffled[0] != epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._shuffled = (epoch, rng.permutation(windows))
        return self._shuffled[1]


def in_order(tokens: Tokens, *, batch_size: int, length: int) -> Iterator[Batch]:
    """Yield every token but the first once as a target, in order: what an exact evaluation needs.

    The last batches may hold fewer rows, and a last row fewer than T tokens.
    Raises ValueError where there are fewer than 2 tokens.
    """
    _check_sizes(tokens, batch_size, 1)
    targets = len(tokens) - 1
    starts = np.arange(targets // length, dtype=np.int64) * length
    for first in range(0, len(starts), batch_size):
        yield _cut(tokens, starts[first : first + batch_size], length)
    if rest := targets % length:
        yield _cut(tokens, np.array([targets - rest]), rest)


def _check_sizes(tokens: Tokens, batch_size: int, length: int) -> None:
    if batch_size < 1 or length < 1:
        raise ValueError(f"batch_size and length must be at least 1: {batch_size}, {length}")
    if len(tokens) < length + 1:
        raise ValueError(
            f"{len(tokens)} tokens are too few for a window of {length} and its next token"
        )


def _cut(tokens: Tokens, starts: NDArray[np.int64], length: int) -> Batch:
    if isinstance(tokens, TokenFile):
        rows = tokens.windows(starts, length + 1)
    else:
        rows = np.asarray(tokens)[starts[:, None] + np.arange(length + 1)]
    windows = torch.from_numpy(rows.astype(np.int64))
    return windows[:, :-1].contiguous(), windows[:, 1:].contiguous()
