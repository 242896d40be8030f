"""One plot at one level, linked: every name resolved to cells of the state, ready to be walked.

The linked plot is a probabilistic transition system. Its nodes are read by two walkers that share
nothing else: the sampler (`generate`) and the machine behind scoring and enumeration (`machine`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gptlib.storyworld import realise
from gptlib.storyworld.grammar import Alternative, Call, Event, Grammar, Plot
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.reading import LEVELS, DataError, Line
from gptlib.storyworld.state import Env, Layout, State, Test
from gptlib.storyworld.template import Part, Phrase, Slot, Template, Text


@dataclass(eq=False, slots=True)
class Draw:
    """Who or what a role (or a quality) turns out to be: drawn when it is first told."""

    cell: int
    name: str
    entries: list[Entry]
    near: int = 0
    """Cell whose entry the drawn one must be near; 0 for anywhere."""
    rivals: tuple[int, ...] = ()
    """Cells of other roles that could hold the same entry: nobody plays two roles."""
    before: tuple[int, ...] = ()
    """For a key role: key cells that must be told before it."""
    after: tuple[int, ...] = ()
    """For a key role: rival cells that must not be told before it."""


@dataclass(eq=False, slots=True)
class Say:
    """Name a role: `cell` holds its entry, or the role's cell if `indirect`."""

    cell: int
    slot: Slot
    say: realise.Say
    indirect: bool
    draw: Draw | None


@dataclass(eq=False, slots=True)
class Quality:
    """Say an attribute's value (`red`), drawn when first told."""

    cell: int
    slot: Slot
    draw: Draw | None
    role: int = 0
    """With an article, the cell of the role it agrees with, if the template names that role."""


@dataclass(eq=False, slots=True)
class Bind:
    """Settle who a role is just before a quality of it is told, as in `a red ball`."""

    draw: Draw


@dataclass(eq=False, slots=True)
class Alt:
    """One line of a choice. `index` counts lines of this level, from 0."""

    index: int
    weight: float
    guards: tuple[Test, ...]
    items: tuple[Item, ...]
    chinese: tuple[Part, ...]
    where: str


@dataclass(eq=False, slots=True)
class Choice:
    """A choice among the lines that are possible in the state, in proportion to their weights."""

    name: str
    alts: list[Alt] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Set:
    """Effects between sentences."""

    effects: list[tuple[int, int, Any]]


@dataclass(eq=False, slots=True)
class Paragraph:
    """A paragraph break: names come before pronouns again."""


@dataclass(eq=False, slots=True)
class Tell:
    """One event told in one sentence."""

    event: Event
    env: Env
    needs: tuple[Test, ...]
    choice: Choice
    effects: list[tuple[int, int, Any]]


Item = Text | Say | Quality | Bind | Choice | Set | Paragraph | Tell


class LinkedPlot:
    """A plot at a level: its root choice, its draws, and the layout of its states."""

    def __init__(self, grammar: Grammar, plot: Plot, level: int) -> None:
        self.grammar, self.plot, self.level = grammar, plot, level
        self.layout = Layout(grammar, plot)
        self._steps: dict[str, Choice] = {}
        self._tells: dict[Call, Tell] = {}
        self._phrases: dict[tuple[str, tuple[tuple[str, str], ...], bool], Choice] = {}
        self._qualities: dict[int, Draw | None] = {}
        self.draws = self._roles()
        self.keys = [draw for draw in self.draws.values() if plot.roles[draw.name].key]
        self.root = Choice(plot.name)
        self._fill(self.root, plot.lines)
        notes = plot.notes
        self.outcomes = [(name, self._all(where, tests)) for where, name, tests in notes.outcomes]
        """Names of outcomes, each with its tests of the last state."""
        self.queries = [(line.text, self._tests(line, {})) for line in notes.queries]
        """What somebody may type who looks for such a story, with tests of the last state."""
        self.start = self.layout.initial()
        self.names = dict(zip(self.layout.cells.values(), self.layout.cells, strict=True))
        """The path of each cell: `hero` or `hero.at`."""

    def _roles(self) -> dict[int, Draw]:
        draws = {}
        for role in self.plot.roles.values():
            found = self.grammar.lexicon.candidates(role.type, self.level, role.wanted, role.barred)
            near = self.layout.cell(role.where, role.near, {}) if role.near else 0
            draws[self.layout.cells[role.name]] = Draw(
                self.layout.cells[role.name], role.name, found, near
            )
        key_cells = [cell for cell, draw in draws.items() if self.plot.roles[draw.name].key]
        for cell, draw in draws.items():
            entries = set(draw.entries)
            draw.rivals = tuple(
                c for c, other in draws.items() if c != cell and entries & set(other.entries)
            )
            if cell in key_cells:
                draw.before = tuple(key_cells[: key_cells.index(cell)])
                draw.after = tuple(c for c in draw.rivals if c not in draw.before)
        return draws

    def outcome(self, s: State) -> str:
        """The first outcome that holds in a last state; empty if none does."""
        return next((name for name, tests in self.outcomes if all(t(s) for t in tests)), "")

    def _all(self, where: str, tests: list[str]) -> tuple[Test, ...]:
        return tuple(self.layout.condition(where, text, {}) for text in tests)

    def _here(self, line: Line) -> bool:
        return line.levels[0] <= self.level <= line.levels[1]

    def _tests(self, line: Line, env: Env) -> tuple[Test, ...]:
        return tuple(self.layout.condition(line.where, text, env) for text in line.conditions)

    def _fill(self, choice: Choice, lines: list[Alternative]) -> None:
        for index, alternative in enumerate(a for a in lines if self._here(a.line)):
            items = tuple(self._item(alternative.line, call) for call in alternative.items)
            guards = self._tests(alternative.line, {})
            if isinstance(items[0], Tell):
                guards += items[0].needs
            line = alternative.line
            choice.alts.append(Alt(index, line.weight, guards, items, (), line.where))
        if not choice.alts:
            where = lines[0].line.where
            level = LEVELS[self.level]
            raise DataError(where, f"{choice.name} has no line at level {level}", f"mark @{level}")

    def _item(self, line: Line, call: Call) -> Item:
        if call.name == "set":
            return Set([self.layout.effect(line.where, call.arguments[0], {})])
        if call.name == "paragraph":
            return Paragraph()
        if call.name in self.grammar.steps:
            if call.name not in self._steps:
                self._steps[call.name] = Choice(call.name)
                self._fill(self._steps[call.name], self.grammar.steps[call.name])
            return self._steps[call.name]
        if call not in self._tells:
            self._tells[call] = self._tell(line, call)
        return self._tells[call]

    def _tell(self, line: Line, call: Call) -> Tell:
        event = self.grammar.events[call.name]
        env = dict(zip(event.parameters, call.arguments, strict=True))
        for parameter, role in env.items():
            self.layout.cell(line.where, role, {})
            wanted = event.parameters[parameter]
            kind = self.plot.roles[role].type
            if wanted not in self.grammar.lexicon.family(kind):
                remedy = f"{event.name} wants a {wanted}"
                raise DataError(line.where, f"{role} is a {kind}", remedy)
        choice = self._choice(event.name, event.templates, env, event.where)
        needs = tuple(self.layout.condition(w, text, env, untold=True) for w, text in event.needs)
        effects = [self.layout.effect(w, text, env) for w, text in event.effects]
        return Tell(event, env, needs, choice, effects)

    def _choice(
        self, name: str, templates: list[Template], env: Env, where: str, tail: str = ""
    ) -> Choice:
        choice = Choice(name)
        for index, template in enumerate(t for t in templates if self._here(t.line)):
            line = template.line
            items = self._english(line.where, template.english, env)
            if tail and items:
                items = (*items, Text(tail))
            guards = self._tests(line, env)
            choice.alts.append(Alt(index, line.weight, guards, items, template.chinese, line.where))
        if not choice.alts:
            level = LEVELS[self.level]
            raise DataError(where, f"{name} has no line at level {level}", f"mark one @{level}")
        return choice

    def _english(self, where: str, parts: tuple[Part, ...], env: Env) -> tuple[Item, ...]:
        """English parts as items; the space after a phrase moves into its lines that have words."""
        items: list[Item] = []
        for index, part in enumerate(parts):
            before, after = parts[index - 1 : index], parts[index + 1 : index + 2]
            if isinstance(part, Slot):
                slot = self._slot(where, part, env)
                noun = any(
                    p.role == part.role for p in parts if isinstance(p, Slot) and not p.attribute
                )
                if isinstance(slot, Quality) and part.article and noun:
                    slot.role = self.layout.cell(where, part.role, env)
                    items.append(Bind(self.draws[slot.role]))
                items.append(slot)
            elif isinstance(part, Phrase):
                spaced = bool(after) and isinstance(after[0], Text) and after[0].text[0] == " "
                items.append(self._phrase(where, part, env, spaced))
            elif before and isinstance(before[0], Phrase) and part.text[0] == " ":
                items.append(Text(part.text[1:], part.words))
            else:
                items.append(part)
        return tuple(item for item in items if not isinstance(item, Text) or item.text)

    def _phrase(self, where: str, part: Phrase, env: Env, spaced: bool) -> Choice:
        lines = self.grammar.phrases.get(part.name)
        if lines is None:
            raise DataError(where, f"no phrase <{part.name}>", "add a phrase block or correct it")
        key = (part.name, tuple(env.items()), spaced)
        if key not in self._phrases:
            tail = " " if spaced else ""
            self._phrases[key] = self._choice(part.name, lines, env, where, tail)
        return self._phrases[key]

    def _slot(self, where: str, slot: Slot, env: Env) -> Say | Quality:
        role = self.layout.cell(where, slot.role, env)
        if not slot.attribute:
            return Say(role, slot, realise.english(slot), False, self.draws[role])
        cell = self.layout.cell(where, f"{slot.role}.{slot.attribute}", env)
        kind = self.grammar.attributes[slot.attribute]
        if kind == "role":
            return Say(cell, slot, realise.english(slot), True, None)
        if cell not in self._qualities:
            self._qualities[cell] = None
            if slot.attribute in self.grammar.drawn:
                found = self.grammar.lexicon.candidates(kind, self.level)
                self._qualities[cell] = Draw(cell, f"{slot.role}.{slot.attribute}", found)
        return Quality(cell, slot, self._qualities[cell])
