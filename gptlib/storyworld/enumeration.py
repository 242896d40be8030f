"""Every story of a small world, each with its probability."""

from __future__ import annotations

import math
from collections.abc import Iterator

from gptlib.storyworld.machine import Rest, begin, moves
from gptlib.storyworld.splits import World, split_of
from gptlib.storyworld.state import State


def enumerate_stories(world: World, split: str | None = None) -> Iterator[tuple[str, float]]:
    """Yield (text, log-probability) of every derivation; a text with two comes twice."""
    shift = math.log(world.mass(split))
    for index, probability in enumerate(world.probabilities):
        plot = world.linked(index)
        rest, state = begin(plot)
        stack: list[tuple[Rest, State, str, float]] = [
            (rest, state, "", math.log(probability) - shift)
        ]
        while stack:
            rest, state, text, log = stack.pop()
            if rest is None:
                key = "/".join([plot.plot.name, *(state[draw.cell].id for draw in plot.keys)])
                if split is None or split_of(key) == split:
                    yield text, log
                continue
            for move in reversed(moves(plot, rest, state)):
                stack.append((move.rest, move.state, text + move.text, log + move.log_prob))
