"""Which rows make a batch: shuffled anew each epoch, with those of like length together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

POOL = 64  # batches whose rows are sorted by length together


class ByLength:
    """The rows of each batch, as a pure function of (lengths, batch_size, seed, its number).

    Each epoch shuffles all rows and cuts them into pools of 64 batches. Inside a pool rows are
    sorted by length, cut into batches, and the batches shuffled: little padding is needed, and
    yet lengths come in no order. Batches are full: the last few rows of an epoch's order, fewer
    than a batch, wait for another epoch.

    Raises ValueError for a batch of no rows, or where there are fewer rows than a batch.

    >>> ByLength([3, 1, 7, 2], batch_size=2).rows(0).tolist()  # the two short or the two long
    [1, 3]
    """

    def __init__(
        self, lengths: Sequence[int] | NDArray[np.int64], batch_size: int, seed: int = 0
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if len(lengths) < batch_size:
            raise ValueError(f"{len(lengths)} rows are too few for a batch of {batch_size}")
        self.lengths = np.asarray(lengths, dtype=np.int64)
        self.batch_size = batch_size
        self.seed = seed
        self._pool: tuple[tuple[int, int], NDArray[np.int64]] = ((-1, -1), self.lengths[:0, None])

    def __len__(self) -> int:
        """How many batches an epoch has."""
        return len(self.lengths) // self.batch_size

    def rows(self, number: int) -> NDArray[np.int64]:
        """The indexes of batch `number`'s rows."""
        epoch, place = divmod(number, len(self))
        pool, place = divmod(place, POOL)
        batch: NDArray[np.int64] = self._batches_of(epoch, pool)[place]
        return batch

    def _batches_of(self, epoch: int, pool: int) -> NDArray[np.int64]:
        if self._pool[0] != (epoch, pool):
            order = np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.lengths))
            order = order[: len(self) * self.batch_size]
            inside = order[pool * POOL * self.batch_size :][: POOL * self.batch_size]
            by_length = inside[np.argsort(self.lengths[inside], kind="stable")]
            batches = by_length.reshape(-1, self.batch_size)
            shuffled = np.random.default_rng([self.seed, 2, epoch, pool]).permutation(len(batches))
            self._pool = ((epoch, pool), batches[shuffled])
        return self._pool[1]
