"""Drawing tokens from probabilities, with random numbers of one's own."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Draws:
    """Draws one token for each row of a batch; torch's global random numbers stay as they are.

    Each row has its own random numbers. They depend on the seed and the row's place alone, not on
    how many rows follow it, nor on what the others draw. Without a seed, one is drawn from
    torch's global random numbers, so `torch.manual_seed` governs it.
    """

    def __init__(self, n_rows: int, seed: int | None = None) -> None:
        if seed is None:
            seed = int(torch.randint(2**62, ()))
        try:
            seeds = torch.Generator().manual_seed(seed)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            raise ValueError(f"seed={seed!r}: must be a whole number of 64 bits, or None") from None
        self._rows = [
            torch.Generator().manual_seed(int(torch.randint(2**62, (), generator=seeds)))
            for _ in range(n_rows)
        ]

    def __call__(self, probs: Float[Tensor, "B V"]) -> Int[Tensor, "B"]:
        """One token a row: the first whose cumulative probability passes a uniform number.

        In float64: in float32 a large vocabulary's rounding could pass the end, and would
        misplace the borders of rare tokens.
        """
        uniform = torch.stack([torch.rand(1, generator=row) for row in self._rows])  # (B, 1)
        cumulative = probs.double().cumsum(dim=-1)
        threshold = uniform.to(cumulative) * cumulative[:, -1:]
        # right=True: strictly above, so that a token of probability 0 is never drawn.
        return torch.searchsorted(cumulative, threshold, right=True)[:, 0]
