"""The sampler: a linked plot turned into closures that print a story and its log-probability.

Every table (cumulative weights, log-probabilities) is made once, for each set of lines that can be
possible together, and kept. A choice then costs one random number, one bisection and one append.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Callable
from itertools import accumulate
from operator import itemgetter
from random import Random
from typing import Any

from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.linking import (
    Alt,
    Bind,
    Choice,
    Draw,
    Item,
    LinkedPlot,
    Paragraph,
    Quality,
    Say,
    Set,
    Tell,
)
from gptlib.storyworld.machine import StoryError
from gptlib.storyworld.realise import quality
from gptlib.storyworld.splits import World, split_of
from gptlib.storyworld.state import FATE, GAP, RANDOM, SENTENCE, TRACE, State, apply, entry_in
from gptlib.storyworld.template import Text

Run = Callable[[State, list[str]], None]
Table = tuple[list[float], list[Any]]
"""Cumulative probabilities (all but the last) and rows (log-probability, index, payload)."""


def table(weighted: list[tuple[int, float, Any]]) -> Table:
    """The table of (index, weight, payload) options."""
    total = math.fsum(weight for _, weight, _ in weighted)
    sums = [part / total for part in accumulate(weight for _, weight, _ in weighted)]
    return sums[:-1], [(math.log(weight / total), i, what) for i, weight, what in weighted]


class Sampler:
    """Draws stories from a world, each from its own seed."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._plots = table([(i, p, i) for i, p in enumerate(world.probabilities)])
        self._programs: dict[int, _Program] = {}

    def sample(self, seed: int, split: str | None) -> tuple[str, float, int, list[int]]:
        """(text, log-probability, plot index, index of every choice made) of a seed's story."""
        world = self.world
        mass = world.mass(split)
        draw = Random(seed).random
        cumulative, rows = self._plots
        while True:
            row = rows[bisect(cumulative, draw())]
            program = self._programs.get(row[1])
            if program is None:
                program = self._programs[row[1]] = _Program(world.linked(row[1]))
            s = program.plot.start[:]
            s[RANDOM] = draw
            fate = program.fate(s)
            if split is None or split_of(program.key(fate)) == split:
                break
        trace: list[Any] = [row]
        s[TRACE], s[FATE] = trace, fate
        out: list[str] = []
        program.run(s, out)
        log_prob = math.fsum(map(_FIRST, trace)) - math.log(mass)
        return "".join(out), log_prob, row[1], [choice[1] for choice in trace[1:]]


_FIRST = itemgetter(0)


class _Program:
    """The closures of one linked plot."""

    def __init__(self, plot: LinkedPlot) -> None:
        self.plot = plot
        self._made: dict[Item, Run] = {}
        self._draws: dict[int, Callable[[State], Entry]] = {}
        self._pickers = [(draw.cell, _picker(draw)) for draw in plot.keys]
        self.run = self._compile(plot.root)

    def fate(self, s: State) -> dict[int, Any]:
        """Who the key roles will be, drawn ahead so that a split can be kept to, told later."""
        fate: dict[int, Any] = {}
        for cell, pick in self._pickers:
            row = pick(s)
            fate[cell] = row
            s[cell] = row[2]
        for cell in fate:
            s[cell] = None
        return fate

    def key(self, fate: dict[int, Any]) -> str:
        """The key that decides the split."""
        return "/".join([self.plot.plot.name, *(row[2].id for row in fate.values())])

    def _compile(self, item: Item) -> Run:
        if item not in self._made:
            if isinstance(item, Choice):
                self._made[item] = self._choice(item)
            else:
                self._made[item] = self._simple(item)
        return self._made[item]

    def _simple(self, item: Item) -> Run:
        if isinstance(item, Text):
            text = item.text
            return lambda s, out: out.append(text)
        if isinstance(item, Tell):
            return self._tell(item)
        if isinstance(item, Say):
            return self._say(item)
        if isinstance(item, Quality):
            return self._quality(item)
        if isinstance(item, Bind):
            cell, bind = item.draw.cell, self._drawer(item.draw)

            def settle(s: State, out: list[str]) -> None:
                if s[cell] is None:
                    bind(s)

            return settle
        if isinstance(item, Set):
            effects = item.effects
            return lambda s, out: apply(s, effects)
        assert isinstance(item, Paragraph)
        return _paragraph

    def _sequence(self, items: tuple[Item, ...]) -> list[Run]:
        return [self._compile(item) for item in items]

    def _choice(self, choice: Choice) -> Run:
        guards = [(1 << i, alt.guards) for i, alt in enumerate(choice.alts) if alt.guards]
        always = sum(1 << i for i, alt in enumerate(choice.alts) if not alt.guards)
        tables: dict[int, Table] = {}

        def build(mask: int) -> Table:
            here = [alt for i, alt in enumerate(choice.alts) if mask >> i & 1]
            if not here:
                where = choice.alts[0].where
                raise StoryError(f"{choice.name} ({where}): no line is possible here")
            tables[mask] = table([(alt.index, alt.weight, self._body(alt)) for alt in here])
            return tables[mask]

        def free(s: State, out: list[str]) -> None:
            cumulative, rows = tables.get(always) or build(always)
            row = rows[bisect(cumulative, s[RANDOM]())] if cumulative else rows[0]
            s[TRACE].append(row)
            for run in row[2]:
                run(s, out)

        def guarded(s: State, out: list[str]) -> None:
            mask = always
            for bit, tests in guards:
                for test in tests:
                    if not test(s):
                        break
                else:
                    mask |= bit
            cumulative, rows = tables.get(mask) or build(mask)
            row = rows[bisect(cumulative, s[RANDOM]())] if cumulative else rows[0]
            s[TRACE].append(row)
            for run in row[2]:
                run(s, out)

        return guarded if guards else free

    def _body(self, alt: Alt) -> list[Run]:
        return self._sequence(alt.items)

    def _tell(self, tell: Tell) -> Run:
        choose = self._compile(tell.choice)
        effects = tell.effects

        def run(s: State, out: list[str]) -> None:
            s[SENTENCE] += 1
            out.append(s[GAP])
            s[GAP] = " "
            first = len(out)
            choose(s, out)
            head = out[first]
            if head[0] > "Z":
                out[first] = head[0].upper() + head[1:]
            for cell, source, value in effects:
                s[cell] = s[source] if source else value

        return run

    def _drawer(self, draw: Draw) -> Callable[[State], Entry]:
        if draw.cell not in self._draws:
            cell, pick, key = draw.cell, _picker(draw), draw in self.plot.keys

            def take(s: State) -> Entry:
                row = s[FATE][cell] if key else pick(s)
                s[TRACE].append(row)
                entry: Entry = row[2]
                s[cell] = entry
                return entry

            self._draws[cell] = take
        return self._draws[draw.cell]

    def _say(self, item: Say) -> Run:
        cell, say = item.cell, item.say
        if item.indirect:
            drawers = {c: self._drawer(draw) for c, draw in self.plot.draws.items()}

            def indirect(s: State, out: list[str]) -> None:
                role = s[cell]
                entry = s[role]
                out.append(say(s, role, drawers[role](s) if entry is None else entry))

            return indirect
        assert item.draw is not None
        draw = self._drawer(item.draw)

        def direct(s: State, out: list[str]) -> None:
            entry = s[cell]
            out.append(say(s, cell, draw(s) if entry is None else entry))

        return direct

    def _quality(self, item: Quality) -> Run:
        cell, slot, role = item.cell, item.slot, item.role
        draw = self._drawer(item.draw) if item.draw else None

        def run(s: State, out: list[str]) -> None:
            if s[cell] is None:
                if draw is None:
                    raise StoryError(f"{{{slot.role}.{slot.attribute}}} is told but not set")
                draw(s)
            out.append(quality(s, slot, cell, role))

        return run


def _paragraph(s: State, out: list[str]) -> None:
    s[SENTENCE] += 1
    s[GAP] = "\n\n"


def _picker(draw: Draw) -> Callable[[State], Any]:
    """A function that draws a row (log-probability, index, entry) in a state.

    A taken entry is drawn again, and its probability shared out among the others.
    """
    everything = [(i, entry.weight, entry) for i, entry in enumerate(draw.entries)]
    tables: dict[str, tuple[Table, dict[Entry, float]]] = {}
    rivals, near, name = draw.rivals, draw.near, draw.name

    def build(place: Entry | None) -> tuple[Table, dict[Entry, float]]:
        here = [o for o in everything if not near or (place and place.id in o[2].near)]
        if not here:
            raise StoryError(f"nobody and nothing can be {name} here")
        total = math.fsum(weight for _, weight, _ in here)
        return table(here), {entry: weight / total for _, weight, entry in here}

    def pick(s: State) -> Any:
        place = entry_in(s, near) if near else None
        spot = place.id if place else ""
        if spot not in tables:
            tables[spot] = build(place)
        (cumulative, rows), shares = tables[spot]
        taken = 0.0
        for cell in rivals:
            if s[cell] in shares:
                taken += shares[s[cell]]
        row = rows[bisect(cumulative, s[RANDOM]())]
        if not taken:
            return row
        if taken > 1 - 1e-12:
            raise StoryError(f"nobody and nothing can be {name} here")
        barred = [s[cell] for cell in rivals]
        while row[2] in barred:
            row = rows[bisect(cumulative, s[RANDOM]())]
        return row[0] - math.log1p(-taken), row[1], row[2]

    return pick
