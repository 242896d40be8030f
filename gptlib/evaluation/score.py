"""A figure with its confidence interval, as every metric returns it."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Score:
    """What a metric found over `n` examples, and the interval that resampling them gives.

    >>> print(Score("EM", 87.3, 85.9, 88.6, n=1000))
    87.3 [85.9, 88.6] (n=1000)

    A value that is not defined, such as a precision where nothing was predicted, is NaN and
    prints as "undefined"; where no interval is known, `low` and `high` are NaN.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    digits: int = 1
    """Decimals to print."""
    resampled: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)
    """(samples,) the value in each resample."""
    drawn: str = field(default="", repr=False, compare=False)
    """Which resamples these were: two scores of the same can be compared pair by pair."""

    @property
    def cell(self) -> str:
        """Value and interval, without n."""
        if math.isnan(self.value):
            return "undefined"
        value = f"{self.value:.{self.digits}f}"
        if math.isnan(self.low):
            return value
        return f"{value} [{self.low:.{self.digits}f}, {self.high:.{self.digits}f}]"

    def __str__(self) -> str:
        return f"{self.cell} (n={self.n})"

    def as_dict(self) -> dict[str, str | float | int | None]:
        """Name, value, low, high and n, ready for JSON: what is not a number is None."""
        found: dict[str, str | float | int | None] = {"name": self.name}
        for name in ("value", "low", "high"):
            number = float(getattr(self, name))
            found[name] = None if math.isnan(number) else number
        return found | {"n": self.n}
