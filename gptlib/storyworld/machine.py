"""The transition system, one step at a time: what scoring, enumeration and reading back walk.

A configuration is what remains to be told (a linked list of items) and the state of the world.
`moves` returns every way to go on from it. The sampler in `generate` does not use this module.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
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
from gptlib.storyworld.realise import quality
from gptlib.storyworld.state import CAPITAL, GAP, SENTENCE, State, apply, entry_in
from gptlib.storyworld.template import Text

Rest = tuple[Any, Any] | None
"""What remains to be told: (item, rest) or None."""


class StoryError(RuntimeError):
    """The plots lead into a state they cannot leave, or tell what the world does not allow."""


@dataclass(frozen=True, slots=True)
class End:
    """The end of a sentence: the event's effects happen."""

    tell: Tell


@dataclass(slots=True)
class Move:
    """One way on: its log-probability, what it prints, and the configuration after it."""

    log_prob: float
    text: str
    rest: Rest
    state: State
    index: int | None = None
    """Which line or entry was chosen; None where there was nothing to choose."""
    alt: Alt | None = None
    item: Item | End | None = None


def begin(plot: LinkedPlot) -> tuple[Rest, State]:
    """The configuration before the first sentence."""
    return (plot.root, None), plot.start[:]


def anything(entry: Entry) -> bool:
    """Leave no entry out."""
    return True


def moves(
    plot: LinkedPlot,
    rest: Rest,
    s: State,
    seen: Callable[[Entry], bool] = anything,
    only: int | None = None,
) -> list[Move]:
    """Every way on from a configuration, but for entries that are not `seen`.

    With `only`, a choice is made already: the move of that index alone. Where there is one way,
    `s` itself is changed; where there are several, each has its own copy. Raises `StoryError` if
    nothing is possible.
    """
    assert rest is not None
    item, rest = rest
    if isinstance(item, Text):
        return [Move(0.0, _print(s, item.text), rest, s, item=item)]
    if isinstance(item, Choice):
        return _choose(item, rest, s, only)
    if isinstance(item, Say | Quality | Bind):
        return _fill(plot, item, rest, s, seen, only)
    if isinstance(item, Tell):
        s[SENTENCE] += 1
        gap, s[GAP], s[CAPITAL] = s[GAP], " ", True
        return [Move(0.0, gap, (item.choice, (End(item), rest)), s, item=item)]
    if isinstance(item, Paragraph):
        s[SENTENCE] += 1
        s[GAP] = "\n\n"
    else:
        apply(s, item.effects if isinstance(item, Set) else item.tell.effects)
    return [Move(0.0, "", rest, s, item=item)]


def _print(s: State, text: str) -> str:
    if s[CAPITAL] and text:
        s[CAPITAL] = False
        return text[0].upper() + text[1:]
    return text


def _choose(choice: Choice, rest: Rest, s: State, only: int | None) -> list[Move]:
    possible = [alt for alt in choice.alts if all(test(s) for test in alt.guards)]
    if not possible:
        raise StoryError(f"{choice.name} ({choice.alts[0].where}): no line is possible here")
    total = math.fsum(alt.weight for alt in possible)
    found = []
    for alt in possible:
        if only is not None and alt.index != only:
            continue
        after = rest
        for item in reversed(alt.items):
            after = (item, after)
        state = s if only is not None or len(possible) == 1 else s[:]
        log_prob = math.log(alt.weight / total)
        found.append(Move(log_prob, "", after, state, alt.index, alt, choice))
    return found


def _fill(
    plot: LinkedPlot,
    item: Say | Quality | Bind,
    rest: Rest,
    s: State,
    seen: Callable[[Entry], bool],
    only: int | None,
) -> list[Move]:
    draw: Draw | None
    if isinstance(item, Bind):
        cell, draw = item.draw.cell, item.draw
    else:
        cell = s[item.cell] if isinstance(item, Say) and item.indirect else item.cell
        draw = plot.draws.get(cell) if isinstance(item, Say) else item.draw
    if cell is not None and s[cell] is not None:
        return [Move(0.0, _print(s, utter(item, s, cell)), rest, s, item=item)]
    if draw is None:
        assert not isinstance(item, Bind)
        raise StoryError(f"{{{item.slot.role}.{item.slot.attribute}}} is told but not set")
    found = []
    for index, entry, probability in _options(draw, s):
        if index == only or (only is None and seen(entry)):
            state = s[:]
            state[cell] = entry
            text = _print(state, utter(item, state, cell))
            found.append(Move(math.log(probability), text, rest, state, index, item=item))
    return found


def _options(draw: Draw, s: State) -> list[tuple[int, Entry, float]]:
    """(index, entry, probability) of every entry a draw can give in this state."""
    if any(s[cell] is None for cell in draw.before) or any(s[c] is not None for c in draw.after):
        raise StoryError(f"key role {draw.name} is told out of order: tell keys first, in order")
    taken = [s[cell] for cell in draw.rivals]
    place = entry_in(s, draw.near) if draw.near else None
    options = [
        (index, entry)
        for index, entry in enumerate(draw.entries)
        if entry not in taken and (not draw.near or (place and place.id in entry.near))
    ]
    if not options:
        raise StoryError(f"nobody and nothing can be {draw.name} here")
    total = math.fsum(entry.weight for _, entry in options)
    return [(index, entry, entry.weight / total) for index, entry in options]


def utter(item: Say | Quality | Bind, s: State, cell: int) -> str:
    """The English of a slot whose referent is known."""
    if isinstance(item, Say):
        return item.say(s, cell, s[cell])
    return quality(s, item.slot, cell, item.role) if isinstance(item, Quality) else ""
