"""The simulated world: a story's state as one flat list, conditions on it and effects on it.

A cell holds None (not told, not set), a lexicon entry, a symbol such as `yes`, or the number of
another role's cell (an `int`): after `hero.at = place`, `hero.at` points to the cell of `place`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from gptlib.storyworld.grammar import Grammar, Plot
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.reading import DataError

State = list[Any]
Test = Callable[[State], bool]
Env = dict[str, str]
"""Parameter of an event -> role of the plot."""

# Cells that every state has. Discourse: for each pronoun class the role last mentioned, the
# sentence of that mention, and the last sentence that mentioned another role of the class.
SENTENCE, PRONOUN_RUN, GAP, CAPITAL, DISCOURSE = 0, 1, 2, 3, 4
RANDOM, TRACE, FATE, FIRST_FREE = 16, 17, 18, 19

_CONDITION = re.compile(r"([a-z0-9.]+) (=|!=|is not|is|near|not near) ([a-z0-9.-]+)$")
_EFFECT = re.compile(r"([a-z0-9]+\.[a-z]+) = ([a-z0-9.-]+)$")


class Layout:
    """Which cell holds what in the states of one plot; cells are given out on first use."""

    def __init__(self, grammar: Grammar, plot: Plot) -> None:
        self.grammar = grammar
        self.plot = plot
        self.cells: dict[str, int] = {}
        for name in plot.roles:
            self.cells[name] = FIRST_FREE + len(self.cells)

    def cell(self, where: str, path: str, env: Env) -> int:
        """Cell of `role` or `role.attribute`; raises `DataError` if the plot has no such role."""
        role, dot, attribute = path.partition(".")
        role = env.get(role, role)
        if role not in self.plot.roles:
            known = ", ".join(self.plot.roles)
            remedy = f"declare it there or use one of {known}"
            raise DataError(where, f"plot {self.plot.name} has no role {role!r}", remedy)
        if attribute and attribute not in self.grammar.attributes:
            known = ", ".join(sorted(self.grammar.attributes))
            raise DataError(where, f"unknown attribute {attribute!r}", f"use one of {known}")
        return self.cells.setdefault(role + dot + attribute, FIRST_FREE + len(self.cells))

    def value(self, where: str, path: str, text: str, env: Env) -> Any:
        """What `text` means as a value of `path`: None, a role's cell, an entry or a symbol."""
        if text == "none":
            return None
        role, dot, attribute = path.partition(".")
        role = env.get(role, role)
        kind = self.grammar.attributes[attribute] if dot else self.plot.roles[role].type
        if kind == "role":
            return self.cell(where, text, env)
        if kind in self.grammar.lexicon.parent:
            found = self.grammar.lexicon.find(kind, text)
            if found:
                return found
            raise DataError(where, f"{text!r} is no {kind}", f"add it to type {kind}")
        if text not in kind.split():
            raise DataError(where, f"{path} cannot be {text!r}", f"use one of {kind}, none")
        return text

    def condition(self, where: str, text: str, env: Env, untold: bool = False) -> Test:
        """A test of the state; `is` and `near` give `untold` about a role not told yet."""
        match = _CONDITION.match(text)
        if not match:
            remedy = "write a.at = b.at, x != none, x is tag, x near y"
            raise DataError(where, f"cannot read condition {text!r}", remedy)
        left, operator, right = match.groups()
        cell = self.cell(where, left, env)
        if operator in ("=", "!="):
            return self._equality(where, cell, left, operator, right, env)
        positive = "not" not in operator
        if "near" in operator:
            other = self.cell(where, right, env)

            def near(s: State) -> bool:
                a, b = entry_in(s, cell), entry_in(s, other)
                return untold if a is None or b is None else (b.id in a.near) is positive

            return near

        def tagged(s: State) -> bool:
            a = entry_in(s, cell)
            return untold if a is None else (right in a.tags) is positive

        return tagged

    def _equality(
        self, where: str, cell: int, left: str, operator: str, right: str, env: Env
    ) -> Test:
        if "." in right:
            other = self.cell(where, right, env)
            if operator == "=":
                return lambda s: s[cell] is not None and s[cell] == s[other]
            return lambda s: bool(s[cell] != s[other])
        value = self.value(where, left, right, env)
        if operator == "=":
            return lambda s: bool(s[cell] == value)
        return lambda s: bool(s[cell] != value)

    def effect(self, where: str, text: str, env: Env) -> tuple[int, int, Any]:
        """An assignment as (cell, source, value): copy cell `source`, or set `value` if it is 0."""
        match = _EFFECT.match(text)
        if not match:
            raise DataError(where, f"cannot read effect {text!r}", "write role.attribute = value")
        left, right = match.groups()
        cell = self.cell(where, left, env)
        if "." in right:
            return cell, self.cell(where, right, env), None
        return cell, 0, self.value(where, left, right, env)

    def initial(self) -> State:
        """The state before the first sentence."""
        effects = [self.effect(where, text, {}) for where, text in self.plot.start]
        s: State = [None] * (FIRST_FREE + len(self.cells))
        s[SENTENCE], s[PRONOUN_RUN], s[GAP], s[CAPITAL] = 0, 0, "", True
        s[DISCOURSE : DISCOURSE + 12] = [None, -9, -9] * 4
        apply(s, effects)
        return s

    def name(self, cell: int) -> str:
        """The path of a cell: `hero` or `hero.at`."""
        return list(self.cells)[cell - FIRST_FREE]

    def facts(self, s: State) -> dict[str, str]:
        """Everything set in a state, readable: `{"hero": "Lily", "hero.at": "home"}`."""
        names = list(self.cells)
        facts = {}
        for name, cell in self.cells.items():
            value = s[cell]
            if value is not None:
                value = names[value - FIRST_FREE] if isinstance(value, int) else value
                facts[name] = value.id if isinstance(value, Entry) else value
        return facts


def entry_in(s: State, cell: int) -> Entry | None:
    """The lexicon entry a cell holds, directly or through a role; None if there is none yet."""
    value = s[cell]
    if isinstance(value, int):
        value = s[value]
    return value if isinstance(value, Entry) else None


def apply(s: State, effects: list[tuple[int, int, Any]]) -> None:
    """Carry out effects in place, in order."""
    for cell, source, value in effects:
        s[cell] = s[source] if source else value
