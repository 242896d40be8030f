"""The scorer: log-probability of a text, found by reading it, with no access to how it was made.

A forward pass over hypotheses: each is a configuration of the machine that has printed the text up
to some position. Hypotheses in the same configuration are merged by adding their probabilities, so
a text with several derivations gets their sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.linking import LinkedPlot
from gptlib.storyworld.machine import End, Rest, begin, moves
from gptlib.storyworld.splits import World, split_of
from gptlib.storyworld.state import State

Parses = dict[str, float]
"""Key -> probability of the text told with that key."""


def log_prob(world: World, text: str, split: str | None = None) -> float:
    """Log-probability of `text` in nats; `-inf` if the world never tells it."""
    mass = world.mass(split)
    found: list[float] = []
    named = _names_in(text)
    for index, probability in enumerate(world.probabilities):
        for key, part in _read(world.linked(index), text, named).items():
            if split is None or split_of(key) == split:
                found.append(math.log(probability) + part - math.log(mass))
    return _log_sum(found)


def _log_sum(logs: list[float]) -> float:
    if not logs:
        return -math.inf
    top = max(logs)
    return top + math.log(math.fsum(math.exp(value - top) for value in logs))


def _names_in(text: str) -> Callable[[Entry], bool]:
    """Whether an entry can be meant by `text` at all: one of its forms occurs."""
    lower = text.lower()
    known: dict[Entry, bool] = {}

    def named(entry: Entry) -> bool:
        if entry not in known:
            forms = (entry.id, entry.noun, entry.plural)
            known[entry] = any(form.lower() in lower for form in forms)
        return known[entry]

    return named


def _read(plot: LinkedPlot, text: str, named: Callable[[Entry], bool]) -> dict[str, float]:
    rest, state = begin(plot)
    # Hypotheses that stand at a sentence end, by position in the text; log-probability of each.
    agenda: dict[int, dict[tuple[Rest, tuple[object, ...]], list[float]]] = {
        0: {(rest, tuple(state)): [0.0]}
    }
    complete: dict[str, list[float]] = {}
    while agenda:
        position = min(agenda)
        for (rest, cells), logs in agenda.pop(position).items():
            stack: list[tuple[int, Rest, State, float]] = [
                (position, rest, list(cells), _log_sum(logs))
            ]
            while stack:
                at, rest, state, before = stack.pop()
                if rest is None:
                    if at == len(text):
                        complete.setdefault(_key(plot, state), []).append(before)
                    continue
                for move in moves(plot, rest, state, named):
                    if not text.startswith(move.text, at):
                        continue
                    after, log = at + len(move.text), before + move.log_prob
                    if isinstance(move.item, End):
                        place = agenda.setdefault(after, {})
                        place.setdefault((move.rest, tuple(move.state)), []).append(log)
                    else:
                        stack.append((after, move.rest, move.state, log))
    return {key: _log_sum(logs) for key, logs in complete.items()}


def _key(plot: LinkedPlot, s: State) -> str:
    return "/".join([plot.plot.name, *(s[draw.cell].id for draw in plot.keys)])
