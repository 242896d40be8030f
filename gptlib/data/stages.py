"""Batches from one source after another: easy texts first, or several kinds mixed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from gptlib.data.batches import Batch


class Source(Protocol):
    """An endless iterator of batches that knows where it stands."""

    def __next__(self) -> Batch: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class Stages:
    """An endless iterator of batches that draws from named sources, in stages.

    Args:
        sources: by name; each goes on where it stood when a later stage draws from it again.
        stages: for each stage how many batches it lasts, and the share of each source in it.
            The last stage never ends, whatever it says.
        seed: of the choice among sources.

    Raises ValueError for a stage of no batches, an unknown source, or shares that don't sum to 1.

    >>> Stages({"easy": easy, "hard": hard}, [(100, {"easy": 1}), (1, {"easy": 0.2, "hard": 0.8})])
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        stages: Sequence[tuple[int, Mapping[str, float]]],
        seed: int = 0,
    ) -> None:
        for number, (length, shares) in enumerate(stages, start=1):
            if length < 1:
                raise ValueError(f"stage {number} lasts {length} batches: at least 1 is needed")
            if unknown := shares.keys() - sources.keys():
                raise ValueError(f"stage {number} draws from {min(unknown)!r}, which is no source")
            if abs(sum(shares.values()) - 1) > 1e-9:
                raise ValueError(f"the shares of stage {number} sum to {sum(shares.values())}")
        if not stages:
            raise ValueError("there is no stage")
        self.sources = dict(sources)
        self.stages = [(length, dict(shares)) for length, shares in stages]
        self.seed = seed
        self.number = 0  # of the next batch

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        names, shares = zip(*self._shares().items(), strict=True)
        chance = np.random.default_rng([self.seed, self.number])
        self.number += 1
        return next(self.sources[names[chance.choice(len(names), p=shares)]])

    def _shares(self) -> dict[str, float]:
        left = self.number
        for length, shares in self.stages:
            if left < length:
                return shares
            left -= length
        return self.stages[-1][1]

    def state_dict(self) -> dict[str, Any]:
        """The position in the stages and in every source."""
        inner = {name: source.state_dict() for name, source in self.sources.items()}
        return {"number": self.number, "seed": self.seed, "sources": inner}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position; raises ValueError where seed or sources differ."""
        if state["seed"] != self.seed or state["sources"].keys() != self.sources.keys():
            raise ValueError("cannot go on: the seed or the sources were others")
        for name, source in self.sources.items():
            source.load_state_dict(state["sources"][name])
        self.number = state["number"]
