"""How sure a figure is: the percentile bootstrap.

The test set is one draw of examples; another draw would have given another figure. Drawing from
the examples at hand, with replacement, shows by how much. Source: Efron 1979, "Bootstrap Methods:
Another Look at the Jackknife"; percentile intervals: Efron & Tibshirani 1993, chapter 13; two
systems on the same resamples: Koehn 2004, "Statistical Significance Tests for Machine Translation
Evaluation".

Where all examples are right, so are those of every resample: the interval has no width. It says
nothing of mistakes that were not met yet, of which there may be about 3 in n (Hanley &
Lippman-Hand 1983, "If Nothing Goes Wrong, Is Everything All Right?").
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypedDict, Unpack
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gptlib.evaluation.score import Score

Rows = NDArray[np.intp]
Statistic = Callable[[Rows], float]
"""The figure of the examples at these indexes; an index may come several times."""


class Resampling(TypedDict, total=False):
    """How to resample; every metric takes these by name."""

    samples: int
    """How many resamples: 1000."""
    confidence: float
    """How often the interval holds the true value: 0.95."""
    seed: int
    """Of the draws: 0."""
    groups: Sequence[Hashable]
    """What belongs together, one entry an example, such as its story: groups are drawn whole."""


def interval(
    scores: Sequence[float] | NDArray[np.float64] | Statistic,
    n: int | None = None,
    **how: Unpack[Resampling],
) -> tuple[float, float]:
    """The lower and upper end of a figure's percentile interval.

    Args:
        scores: one number an example, for their mean; or a function from resampled indexes to the
            figure, for one that is no mean, with `n`, the number of examples.
        **how: see `Resampling`.

    Raises ValueError where there are no examples or the resampling makes no sense.

    >>> interval([1, 0, 1, 1], samples=2000)
    (0.25, 1.0)
    """
    found = (
        score("", scores, n or 0, **how)
        if callable(scores)
        else mean("", np.asarray(scores), **how)
    )
    return found.low, found.high


def mean(
    name: str,
    scores: NDArray[np.float64] | Sequence[float],
    digits: int = 1,
    **how: Unpack[Resampling],
) -> Score:
    """The mean of one number an example, with its interval."""
    values = np.asarray(scores, dtype=np.float64)
    return score(name, lambda rows: float(values[rows].mean()), len(values), digits, **how)


def score(
    name: str, statistic: Statistic, n: int, digits: int = 1, **how: Unpack[Resampling]
) -> Score:
    """A figure of `n` examples, with its interval; resamples where it is undefined are left out.

    One example, or one group, tells nothing of others: there the interval is NaN.
    """
    confidence = how.get("confidence", 0.95)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence!r}: must lie between 0 and 1")
    values = np.array([statistic(rows) for rows in _draws(n, how)])
    value = statistic(np.arange(n))
    low = high = float("nan")
    units = n if (groups := how.get("groups")) is None else len(set(groups))
    if units > 1 and not np.isnan(values).all():
        tail = (1 - confidence) / 2
        low, high = map(float, np.nanquantile(values, [tail, 1 - tail]))
    return Score(name, value, low, high, n, digits, values, _fingerprint(n, how))


def share(
    name: str, hits: Sequence[bool], among: Sequence[bool], **how: Unpack[Resampling]
) -> Score:
    """The percentage of hits among the examples chosen; undefined, with n=0, where none is."""
    rows = [row for row, chosen in enumerate(among) if chosen]
    if not rows:
        return Score(name, float("nan"), float("nan"), float("nan"), 0)
    if groups := how.get("groups"):
        how["groups"] = [groups[row] for row in rows]
    return mean(name, [100.0 * hits[row] for row in rows], **how)


def difference(a: Score, b: Score, confidence: float = 0.95) -> Score:
    """How much `a` is above `b`, both measured on the same examples with the same resampling.

    Examples that are hard for both move both figures: their difference is surer than either.
    Where the interval lies above 0, `a` is better. Source: Koehn 2004, section 5.
    Raises ValueError where the two were not resampled alike.
    """
    if a.resampled is None or b.resampled is None or a.drawn != b.drawn:
        raise ValueError(
            f"{a.name} and {b.name} cannot be compared pair by pair: score the same examples "
            "with the same samples, seed and groups"
        )
    values = a.resampled - b.resampled
    tail = (1 - confidence) / 2
    low, high = map(float, np.nanquantile(values, [tail, 1 - tail]))
    name = a.name if a.name == b.name else f"{a.name} - {b.name}"
    return Score(
        f"difference in {name}", a.value - b.value, low, high, a.n, a.digits, values, a.drawn
    )


def _draws(n: int, how: Resampling) -> Iterator[Rows]:
    """The indexes of each resample."""
    samples, groups = how.get("samples", 1000), how.get("groups")
    if n < 1:
        raise ValueError("there is nothing to score: no examples")
    if samples < 1:
        raise ValueError(f"samples={samples!r}: draw at least one resample")
    random = np.random.default_rng(how.get("seed", 0))
    if groups is None:
        for _ in range(samples):
            yield random.integers(n, size=n)
        return
    if len(groups) != n:
        raise ValueError(f"{len(groups)} groups for {n} examples: give one entry an example")
    members: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    parts = [np.array(rows) for rows in members.values()]
    for _ in range(samples):
        yield np.concatenate([parts[i] for i in random.integers(len(parts), size=len(parts))])


def _fingerprint(n: int, how: Resampling) -> str:
    groups = how.get("groups")
    told = "" if groups is None else crc32(repr(list(groups)).encode())
    return f"{n} {how.get('samples', 1000)} {how.get('seed', 0)} {told}"
