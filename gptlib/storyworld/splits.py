"""Train, validation and test stories: disjoint because they hold out combinations, not seeds.

A story's key is its plot and the entries of the plot's key roles (`lost/Lily/ball`). The key alone
decides the split, so no hero meets the same object in the same plot in two splits. Given a split,
a story's probability is its probability divided by that of all the split's keys: exact.
"""

from __future__ import annotations

import math
from zlib import crc32

from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.linking import LinkedPlot
from gptlib.storyworld.reading import LEVELS, DataError

SPLITS = ("train", "validation", "test")
_TENTHS = ("train",) * 8 + ("validation", "test")


def split_of(key: str) -> str:
    """The split of a key: eight tenths of all keys train.

    CRC-32 is linear, so like keys fall into like residues: a multiplication (Knuth, The Art of
    Computer Programming 3, section 6.4) spreads them, and its high bits choose the tenth.
    """
    spread = crc32(key.encode()) * 2654435761 & 0xFFFFFFFF
    return _TENTHS[spread * 10 >> 32]


class World:
    """The story world at one level: its plots, linked when first needed, and their weights."""

    def __init__(self, grammar: Grammar, level: str) -> None:
        if level not in LEVELS:
            raise ValueError(f"level {level!r}: use one of {', '.join(LEVELS)}")
        self.grammar = grammar
        self.level = LEVELS.index(level)
        here = [p for p in grammar.plots.values() if p.levels[0] <= self.level <= p.levels[1]]
        if not here:
            raise DataError("plots", f"no plot at level {level}", f"mark one @{level}")
        total = math.fsum(plot.weight for plot in here)
        self.plots = here
        self.probabilities = [plot.weight / total for plot in here]
        self._linked: dict[int, LinkedPlot] = {}
        self._mass: dict[str, float] = {}

    def linked(self, index: int) -> LinkedPlot:
        """The plot of that index, linked."""
        if index not in self._linked:
            self._linked[index] = LinkedPlot(self.grammar, self.plots[index], self.level)
        return self._linked[index]

    def mass(self, split: str | None) -> float:
        """Probability that a story's key belongs to a split; raises `ValueError` if none does."""
        if split is None:
            return 1.0
        if split not in SPLITS:
            raise ValueError(f"split {split!r}: use one of {', '.join(SPLITS)} or None")
        if not self._mass:
            parts: dict[str, list[float]] = {name: [] for name in SPLITS}
            for index, probability in enumerate(self.probabilities):
                self._add_keys(parts, self.linked(index), 0, [], probability)
            self._mass = {name: math.fsum(values) for name, values in parts.items()}
        if not self._mass[split]:
            raise ValueError(f"split {split!r} is empty at level {LEVELS[self.level]}")
        return self._mass[split]

    def _add_keys(
        self,
        parts: dict[str, list[float]],
        plot: LinkedPlot,
        done: int,
        chosen: list[str],
        probability: float,
    ) -> None:
        if done == len(plot.keys):
            parts[split_of("/".join([plot.plot.name, *chosen]))].append(probability)
            return
        draw = plot.keys[done]
        earlier = dict(zip((key.cell for key in plot.keys), chosen, strict=False))
        taken = {earlier[cell] for cell in draw.before if cell in draw.rivals}
        free = [entry for entry in draw.entries if entry.id not in taken]
        total = math.fsum(entry.weight for entry in free)
        for entry in free:
            part = probability * (entry.weight / total)
            self._add_keys(parts, plot, done + 1, [*chosen, entry.id], part)
