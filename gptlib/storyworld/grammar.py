"""The grammar: attributes, phrases, events, steps and plots, read from data and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from gptlib.storyworld.annotations import (
    EVENT_KEYS,
    PLOT_KEYS,
    AttributeNotes,
    EventNotes,
    PlotNotes,
    read_entities,
    read_glosses,
)
from gptlib.storyworld.lexicon import Lexicon
from gptlib.storyworld.reading import BLOCKS, Block, DataError, Line, read_blocks
from gptlib.storyworld.template import Template, parse_template

DATA = Path(__file__).with_name("data")

_CALL = re.compile(r"([a-z][a-z0-9-]*)(?:\(([a-z0-9, ]*)\))?$")
_EVENT = re.compile(r"([a-z][a-z0-9-]*)\(([a-z0-9:, ]*)\)$")
_ROLE = re.compile(r"([a-z][a-z0-9]*): ([a-z]+)((?: -?[a-z]+)*?)(?:,? near ([a-z0-9.]+))?$")


@dataclass(frozen=True)
class Role:
    """Someone or something a plot may name: its type, tags it needs or must not have, and near."""

    name: str
    type: str
    wanted: tuple[str, ...]
    barred: tuple[str, ...]
    near: str
    key: bool
    where: str


@dataclass(frozen=True)
class Call:
    """An item of a step: an event or a step, or `set` with one effect, or `paragraph`."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Alternative:
    """One line of a step or plot: what happens, one item after another."""

    line: Line
    items: tuple[Call, ...]


@dataclass
class Event:
    """An event type: parameters with their types, needs, effects and paraphrases."""

    name: str
    where: str
    parameters: dict[str, str]
    needs: list[tuple[str, str]] = field(default_factory=list)
    """Conditions, as (where, text)."""
    effects: list[tuple[str, str]] = field(default_factory=list)
    templates: list[Template] = field(default_factory=list)
    notes: EventNotes = field(default_factory=EventNotes)


@dataclass
class Plot:
    """A plot shape: its roles, the state it starts from, its weight and its lines."""

    name: str
    where: str
    levels: tuple[int, int]
    weight: float
    roles: dict[str, Role] = field(default_factory=dict)
    start: list[tuple[str, str]] = field(default_factory=list)
    lines: list[Alternative] = field(default_factory=list)
    notes: PlotNotes = field(default_factory=PlotNotes)


class Grammar:
    """Everything the data files say. Raises `DataError` at the first line that is wrong."""

    def __init__(self, folder: Path = DATA) -> None:
        blocks = read_blocks(folder)
        self.version = ""
        self.lexicon = Lexicon([b for b in blocks if b.kind == "type"])
        self.attributes: dict[str, str] = {}
        """`role`, a type of the lexicon, or the symbols the attribute can hold."""
        self.drawn: set[str] = set()
        """Attributes that are drawn when they are told before they were set."""
        self.asks: dict[str, AttributeNotes] = {}
        self.labels: dict[str, str] = {}
        """Type -> entity label of its names."""
        self.glosses: dict[str, str] = {}
        """Tag or type -> words that describe those who have it."""
        self.pos: dict[str, str] = {}
        self.phrases: dict[str, list[Template]] = {}
        self.events: dict[str, Event] = {}
        self.steps: dict[str, list[Alternative]] = {}
        self.plots: dict[str, Plot] = {}
        homes: dict[tuple[str, str], str] = {}
        for kind in BLOCKS:
            for block in blocks:
                if block.kind == kind and kind != "type":
                    getattr(self, f"_read_{kind}")(block)
                    if kind in ("phrase", "event", "step", "plot"):
                        self._once(homes, block)
        if not self.version:
            raise DataError(str(folder), "no version", "write a line: version 1.0")
        self._check_calls()

    def _check_calls(self) -> None:
        lines = [line for step in self.steps.values() for line in step]
        for alternative in lines + [line for plot in self.plots.values() for line in plot.lines]:
            for call in alternative.items:
                known = call.name in self.steps or call.name in ("set", "paragraph")
                event = self.events.get(call.name)
                where = alternative.line.where
                if not known and not event:
                    raise DataError(where, f"no event or step {call.name!r}", "add it or rename")
                if event and len(call.arguments) != len(event.parameters):
                    shape = f"{event.name}({', '.join(event.parameters)})"
                    raise DataError(where, f"wrong arguments for {event.name}", f"write {shape}")

        for event in self.events.values():
            for where, name in event.notes.because:
                if name not in self.events:
                    raise DataError(where, f"no event {name!r}", "name events that can be causes")

    def _once(self, homes: dict[tuple[str, str], str], block: Block) -> None:
        family = "event or step" if block.kind in ("event", "step") else block.kind
        name = re.split(r"[ (]", block.head)[0]
        first = homes.setdefault((family, name), block.where)
        if first != block.where:
            raise DataError(block.where, f"{name!r} is a {family} at {first}", "rename one of them")

    def _read_version(self, block: Block) -> None:
        self.version = block.head

    def _read_attribute(self, block: Block) -> None:
        name, colon, values = block.head.partition(":")
        if not colon or not values.strip():
            raise DataError(block.where, "an attribute without values", "attribute holder: role")
        words = values.split()
        if words[0] == "draw":
            self.drawn.add(name)
            if len(words) != 2 or words[1] not in self.lexicon.parent:
                raise DataError(block.where, "draw without a type", "attribute colour: draw colour")
            words = words[1:]
        self.attributes[name] = " ".join(words)
        self.asks[name] = AttributeNotes()
        for where, text in block.plain:
            key, _, rest = text.partition(" ")
            self.asks[name].read(where, key, rest.strip(), self.lexicon)

    def _read_entity(self, block: Block) -> None:
        read_entities(block, self.lexicon, self.labels)

    def _read_gloss(self, block: Block) -> None:
        read_glosses(block, self.lexicon, self.glosses)

    def _read_pos(self, block: Block) -> None:
        if not block.head.isupper():
            raise DataError(
                block.where, f"part of speech {block.head!r}", "pos VERB, pos NOUN, ..."
            )
        for where, text in block.plain:
            for word in text.split():
                if self.pos.setdefault(word, block.head) != block.head:
                    first = self.pos[word]
                    remedy = f"list it once; in a template write {word}/{block.head}"
                    raise DataError(where, f"{word!r} already is {first}", remedy)

    def _read_phrase(self, block: Block) -> None:
        self.phrases[block.head] = self._templates(block)

    def _templates(self, block: Block) -> list[Template]:
        if not block.lines:
            raise DataError(block.where, "no lines below", "add a line: - English | Chinese")
        templates = [parse_template(line, self.pos) for line in block.lines]
        seen: dict[object, str] = {}
        for template in templates:
            first = seen.setdefault(template.english, template.line.where)
            if first != template.line.where:
                raise DataError(template.line.where, f"same English as {first}", "delete one")
        return templates

    def _read_event(self, block: Block) -> None:
        match = _EVENT.match(block.head)
        if not match:
            raise DataError(block.where, f"cannot read {block.head!r}", "event give(a: person)")
        parameters = {}
        for part in filter(None, (p.strip() for p in match[2].split(","))):
            name, _, kind = part.partition(": ")
            if kind not in self.lexicon.parent:
                raise DataError(
                    block.where, f"parameter {part!r}", "write name: type, of a known type"
                )
            parameters[name] = kind
        event = Event(match[1], block.where, parameters)
        for where, text in block.plain:
            key, _, rest = text.partition(" ")
            if key in EVENT_KEYS:
                event.notes.read(where, key, rest.strip(), parameters)
                continue
            if key not in ("needs", "makes"):
                known = ", ".join(("needs", "makes", *EVENT_KEYS))
                raise DataError(where, f"unknown {key!r}", f"write {known} or a line with '- '")
            target = event.needs if key == "needs" else event.effects
            target.extend((where, part.strip()) for part in rest.split(","))
        event.templates = self._templates(block)
        self.events[event.name] = event

    def _read_step(self, block: Block) -> None:
        if not block.lines:
            raise DataError(block.where, "a step without lines", "add - event(role); step")
        self.steps[block.head] = [self._alternative(line) for line in block.lines]

    def _alternative(self, line: Line) -> Alternative:
        items = []
        for text in (part.strip() for part in line.text.split(";")):
            if text.startswith("set "):
                items.append(Call("set", (text[4:],)))
                continue
            match = _CALL.match(text)
            if not match:
                raise DataError(
                    line.where, f"cannot read {text!r}", "write event(role, role) or step"
                )
            arguments = tuple(filter(None, (a.strip() for a in (match[2] or "").split(","))))
            name = match[1]
            items.append(Call(name, arguments))
        return Alternative(line, tuple(items))

    def _read_plot(self, block: Block) -> None:
        name, _, weight = block.head.partition(" ")
        try:
            plot = Plot(name, block.where, block.levels, float(weight or 1))
        except ValueError:
            raise DataError(block.where, f"weight {weight!r}", "write plot NAME [number]") from None
        for where, text in block.plain:
            key, _, rest = text.partition(" ")
            if key == "start":
                plot.start.extend((where, part.strip()) for part in rest.split(","))
            elif key in ("role", "key"):
                role = self._role(where, rest, key == "key")
                plot.roles[role.name] = role
            elif key in PLOT_KEYS:
                plot.notes.read(where, key, rest.strip())
            else:
                known = ", ".join(("role", "key", "start", *PLOT_KEYS))
                raise DataError(where, f"unknown {key!r}", f"write {known} or a line with '- '")
        plot.lines = [self._alternative(line) for line in block.lines]
        if not plot.lines:
            raise DataError(block.where, "a plot without lines", "add - step; step; step")
        self.plots[name] = plot

    def _role(self, where: str, text: str, key: bool) -> Role:
        match = _ROLE.match(text)
        if not match:
            raise DataError(where, f"cannot read role {text!r}", "role spot: place outdoors -dark")
        name, kind, tags, near = match.groups()
        if kind not in self.lexicon.parent:
            raise DataError(where, f"unknown type {kind!r}", "use a type of the lexicon")
        if key and near:
            raise DataError(where, "a key role with near", "choose keys from a fixed list")
        words = tags.split()
        barred = tuple(word[1:] for word in words if word[0] == "-")
        wanted = tuple(word for word in words if word[0] != "-")
        return Role(name, kind, wanted, barred, near or "", key, where)
