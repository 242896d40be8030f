"""An event's plain clause: the statement, and the questions, that any of its paraphrases means.

    clause {a:agent} gave/give {o:theme} to {b:recipient}

The subject comes first (a slot, or words such as `the storm`), then one verb as past/base, then
the rest. A slot names a parameter and its thematic role (Palmer, Gildea & Xue 2010, Semantic Role
Labeling, section 1.2), or a pronoun of it: `{a:his}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.reading import DataError

ROLES = (
    *("agent", "theme", "recipient", "beneficiary", "companion", "topic", "instrument"),
    *("source", "location", "destination"),
)
"""Thematic roles in their canonical order."""
PLACES = ("location", "destination")
"""Thematic roles that `where` asks for."""

_PRONOUNS = {"he": 0, "him": 1, "his": 2, "himself": 3}
_UNKNOWN = ("they", "them", "their", "themselves")
_PART = re.compile(r"\{([a-z][a-z0-9]*):([a-z]+)\}|([^{}]+)")
_VERB = re.compile(r"([a-z ]*) ([a-z]+)/([a-z]+)((?: .*)?)")
_SHAPE = "write clause {a:agent} gave/give {o:theme} to {b:recipient}"


@dataclass(frozen=True, slots=True)
class Argument:
    """A slot: a parameter in a thematic role."""

    parameter: str
    role: str


@dataclass(frozen=True, slots=True)
class Pronoun:
    """A slot that always prints a pronoun: `{a:his}`."""

    parameter: str
    index: int


Referents = Mapping[str, Entry | None]
"""Parameter of an event -> who or what it is; None if untold."""


@dataclass(frozen=True)
class Clause:
    """Subject, verb and the rest of a simple past clause."""

    subject: Argument | str
    past: str
    base: str
    rest: tuple[str | Argument | Pronoun, ...]

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The subject and every other argument, in the order told."""
        return tuple(part for part in (self.subject, *self.rest) if isinstance(part, Argument))

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Every parameter it takes to say the clause."""
        return frozenset(p.parameter for p in (self.subject, *self.rest) if not isinstance(p, str))

    @cached_property
    def places(self) -> bool:
        """Whether it says where."""
        return any(argument.role in PLACES for argument in self.arguments)

    def predicate(self, who: Referents, past: bool = True, asked: str = "") -> str:
        """`gave the ball to Tom`, or `give ...`, without the argument that is `asked` for."""
        verb = self._past(who) if past else self.base
        return f"{verb}{self.tail(who, asked)}"

    def tail(self, who: Referents, asked: str = "") -> str:
        """What follows the verb, each piece after a space."""
        text = ""
        for part in self.rest:
            if isinstance(part, str):
                text += part
            elif isinstance(part, Pronoun):
                entry = who[part.parameter]
                text += entry.pronouns[part.index] if entry else _UNKNOWN[part.index]
            elif part.parameter == asked:
                text = text.rstrip()
                if _known(who, asked).pos == "VERB":
                    text += " do"  # What did Lily learn to do?
            else:
                text += phrase(_known(who, part.parameter), part.role)
        return text

    def statement(self, who: Referents) -> str:
        """`Lily gave the ball to Tom`, without a full stop."""
        return f"{self.topic(who)} {self.predicate(who)}"

    def topic(self, who: Referents) -> str:
        """The subject: `Lily`, `the storm`."""
        if isinstance(self.subject, str):
            return self.subject
        return _known(who, self.subject.parameter).name

    def question(self, who: Referents, word: str = "", asked: str = "") -> str:
        """A question: polar without a `word`, else about `asked`, or about an adjunct.

        >>> clause.question(who)                                    # Did Lily give the ball to Tom?
        >>> clause.question(who, "Who", "a"), clause.question(who, "When")
        """
        if isinstance(self.subject, Argument) and asked == self.subject.parameter:
            return f"{word} {self.predicate({**who, asked: None})}?"
        subject = self.topic(who)
        if self.base == "be":
            text = f"{self._past(who)} {subject}{self.tail(who, asked)}?"
        else:
            text = f"did {subject} {self.base}{self.tail(who, asked)}?"
        return f"{word} {text}" if word else text[0].upper() + text[1:]

    def _past(self, who: Referents) -> str:
        subject = who.get(self.subject.parameter) if isinstance(self.subject, Argument) else None
        plural = subject is not None and subject.pronoun == 3
        return "were" if plural and self.past == "was" else self.past


def phrase(entry: Entry, role: str = "") -> str:
    """An argument in its role: `in the park` as location, `to the park`, else `the park`."""
    if role == "location":
        return entry.in_phrase
    return entry.to_phrase if role == "destination" else entry.name


def _known(who: Referents, parameter: str) -> Entry:
    entry = who[parameter]
    assert entry is not None, parameter
    return entry


def parse_clause(where: str, text: str, parameters: Mapping[str, str]) -> Clause:
    """Read a `clause` line; raises `DataError` if it is not of the shape above."""
    parts: list[str | Argument | Pronoun] = []
    if "".join(match[0] for match in _PART.finditer(text)) != text:
        raise DataError(where, f"cannot read clause {text!r}", _SHAPE)
    for parameter, role, literal in _PART.findall(text):
        if literal:
            parts.append(literal)
        elif parameter not in parameters:
            known = ", ".join(parameters)
            raise DataError(where, f"no parameter {parameter!r}", f"use one of {known}")
        elif role in _PRONOUNS:
            parts.append(Pronoun(parameter, _PRONOUNS[role]))
        elif role in ROLES:
            parts.append(Argument(parameter, role))
        else:
            raise DataError(where, f"unknown thematic role {role!r}", f"use {', '.join(ROLES)}")
    arguments = [part for part in parts if isinstance(part, Argument)]
    for field in ("parameter", "role"):
        names = [getattr(argument, field) for argument in arguments]
        if twice := [name for name in names if names.count(name) > 1]:
            raise DataError(where, f"{field} {twice[0]!r} twice in a clause", "give each one once")
    first = parts.pop(0) if parts and isinstance(parts[0], Argument) else ""
    literal = parts.pop(0) if parts and isinstance(parts[0], str) else ""
    verb = _VERB.fullmatch(str(literal))
    if not verb or bool(first) == bool(verb[1]) or text.count("/") != 1 or text[-1] in ".?! ":
        raise DataError(where, f"cannot read clause {text!r}", _SHAPE)
    assert not isinstance(first, Pronoun)
    rest = (verb[4], *parts) if verb[4] else tuple(parts)
    return Clause(first or verb[1], verb[2], verb[3], rest)
