"""What the tasks ask of the data: lines of events, plots and attributes, and two blocks.

None of these lines changes a story or its probability; they say what is made of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gptlib.storyworld.clause import Clause, parse_clause
from gptlib.storyworld.lexicon import Lexicon
from gptlib.storyworld.reading import Block, DataError, Line, parse_line

PARTS = ("setting", "problem", "help", "outcome", "moral")
"""The part an event plays in a plot: the summary tells them but the setting, which is not asked
about either."""
TONES = ("positive", "negative")
EVENT_KEYS = ("clause", "part", "tone", "because", "untimed")
PLOT_KEYS = ("theme", "outcome", "query")
_ASK = re.compile(r"[^{}]*(?:\{([a-z]+)(?::[a-z/]+)?\}[^{}]*)*\?$")
_SLOT = re.compile(r"\{([a-z]+)(?::[a-z/]+)?\}")


@dataclass
class EventNotes:
    """What an event means for the tasks."""

    clause: Clause | None = None
    part: str = ""
    tone: str = "neutral"
    because: list[tuple[str, str]] = field(default_factory=list)
    """(where, name) of the events that can be its cause."""
    untimed: bool = False
    """Whether a time told in its sentence is not that of the event."""

    def read(self, where: str, key: str, text: str, parameters: Mapping[str, str]) -> None:
        """Note one line of an event block."""
        if key == "clause":
            self.clause = parse_clause(where, text, parameters)
        elif key == "part":
            self.part = _one_of(where, "part", text, PARTS)
        elif key == "tone":
            self.tone = _one_of(where, "tone", text, TONES)
        elif key == "untimed":
            self.untimed = True
        else:
            self.because += [(where, name.strip()) for name in text.split(",")]


@dataclass
class PlotNotes:
    """What a plot means for the tasks; conditions are asked of the last state."""

    theme: str = ""
    outcomes: list[tuple[str, str, list[str]]] = field(default_factory=list)
    """(where, name, conditions): the first that holds names how the story ended."""
    queries: list[Line] = field(default_factory=list)

    def read(self, where: str, key: str, text: str) -> None:
        """Note one line of a plot block."""
        if key == "theme":
            self.theme = text
        elif key == "outcome":
            name, _, conditions = text.partition(":")
            tests = [part.strip() for part in conditions.split(",") if part.strip()]
            self.outcomes.append((where, name.strip(), tests))
        else:
            self.queries.append(parse_line(where, text, (0, 2)))


@dataclass
class AttributeNotes:
    """Questions about an attribute: of what was told, and of the last state."""

    asks: str = ""
    """`What colour was {toy}?`: the slot names the type of those who can be asked about."""
    open: bool = False
    """Whether it is asked of those of whom it is not told, too: then it has no answer."""
    locates: bool = False
    """Whether it says where somebody is."""
    ends: str = ""
    """`At the end, did {person} have {thing}?`: the value first, then who has the attribute."""

    def read(self, where: str, key: str, text: str, lexicon: Lexicon) -> None:
        """Note one line of an attribute block."""
        if key == "locates" and not text:
            self.locates = True
            return
        if key not in ("asks", "asks-told", "ends"):
            raise DataError(where, f"unknown {key!r}", "write asks, asks-told, ends or locates")
        types = set(_SLOT.findall(text))
        if not _ASK.match(text) or (len(types) != 2 if key == "ends" else len(types) > 1):
            raise DataError(where, f"cannot read {text!r}", "asks What colour was {thing}?")
        for kind in sorted(types):
            if kind not in lexicon.parent:
                raise DataError(where, f"unknown type {kind!r}", "use a type of the lexicon")
        if key == "ends":
            self.ends = text
        else:
            self.asks, self.open = text, key == "asks"


def read_entities(block: Block, lexicon: Lexicon, labels: dict[str, str]) -> None:
    """`entity PLACE`: below it, the types whose names are entities of this kind."""
    if not block.head.isupper():
        raise DataError(block.where, f"entity label {block.head!r}", "entity PERSON, entity PLACE")
    for where, text in block.plain:
        for kind in text.split():
            if kind not in lexicon.parent:
                raise DataError(where, f"unknown type {kind!r}", "use a type of the lexicon")
            if labels.setdefault(kind, block.head) != block.head:
                raise DataError(where, f"{kind!r} already is {labels[kind]}", "list it once")


def read_glosses(block: Block, lexicon: Lexicon, glosses: dict[str, str]) -> None:
    """`gloss`: below it, a tag or a type and the words that describe those who have it."""
    tags = {tag for group in lexicon.entries.values() for e in group.values() for tag in e.tags}
    for where, text in block.plain:
        name, _, gloss = text.partition(" ")
        if name not in tags and name not in lexicon.parent:
            raise DataError(where, f"no tag or type {name!r}", "gloss a tag of the lexicon")
        if not gloss.strip():
            raise DataError(where, f"{name!r} without words", "write toy something to play with")
        glosses[name] = gloss.strip()


def _one_of(where: str, key: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise DataError(where, f"unknown {key} {text!r}", f"use one of {', '.join(known)}")
    return text
