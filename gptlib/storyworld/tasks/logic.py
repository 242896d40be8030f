"""Logical forms: what a sentence says, with everybody named by who they are.

    give(agent: lily, theme: ball[colour: red], recipient: tom)

The grammar, in EBNF (ISO/IEC 14977); there is one text for one form, so no space is free:

    form      = name, "(", [ argument, { ", ", argument } ], ")" ;
    argument  = name, ": ", value ;
    value     = name, [ "[", pair, { ", ", pair }, "]" ] ;
    pair      = name, ": ", name ;
    name      = letter, { letter | digit | "_" | "-" } ;

Arguments come in the order of `ROLES`; those with another name are facts told by the way, such as
`weather: sunny`, and follow in alphabetical order, as do attributes in brackets. None comes twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gptlib.storyworld.clause import ROLES
from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.telling import Telling, Told

Pairs = tuple[tuple[str, str], ...]
_RANK = {role: rank for rank, role in enumerate(ROLES)}
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


class FormError(ValueError):
    """A text is no logical form: the message names the position, `position` holds it.

    `unfinished` says that the text is right as far as it goes.
    """

    def __init__(self, position: int, expected: str, unfinished: bool = False) -> None:
        super().__init__(f"position {position}: expected {expected}")
        self.position = position
        self.unfinished = unfinished


@dataclass(frozen=True, slots=True)
class Referent:
    """Somebody or something, and what the sentence says of it."""

    name: str
    attributes: Pairs = ()

    def __str__(self) -> str:
        inner = ", ".join(f"{name}: {value}" for name, value in self.attributes)
        return f"{self.name}[{inner}]" if inner else self.name


@dataclass(frozen=True, slots=True)
class Form:
    """A predicate with its arguments; `str` gives its canonical text."""

    predicate: str
    arguments: tuple[tuple[str, Referent], ...]

    def __str__(self) -> str:
        return (
            f"{self.predicate}({', '.join(f'{name}: {value}' for name, value in self.arguments)})"
        )


@dataclass(frozen=True, slots=True)
class Logic(Example):
    """A sentence, what was told before it (pronouns need it), and its form."""

    context: str
    text: str
    form: str


def logic(telling: Telling) -> Iterator[Logic]:
    """The form of each sentence of a story; events without a `clause` line have none.

    >>> _, owns, *_ = tasks.examples("logic", None, 1, 2, level="nursery")
    >>> owns.text, owns.form
    ('He had a red drum.', 'own(agent: sam, theme: drum[colour: red])')
    """
    for told in telling.told:
        form = form_of(told)
        if form:
            start = told.sentence.start
            context = telling.text[:start]
            yield Logic(telling.story.seed, context, told.sentence.text, str(form))


def form_of(told: Told) -> Form | None:
    """The form of an event as told: its arguments, and the qualities its sentence tells."""
    clause = told.event.notes.clause
    if clause is None:
        return None
    qualities: dict[str, dict[str, str]] = {}
    for mention in told.sentence.mentions:
        role, dot, attribute = mention.role.partition(".")
        if dot:
            qualities.setdefault(role, {})[attribute] = symbol(mention.entry)
    arguments = []
    for argument in clause.arguments:
        entry = told.who[argument.parameter]
        if entry is not None:
            told_of = qualities.pop(told.sentence.arguments[argument.parameter], {})
            arguments.append(
                (argument.role, Referent(symbol(entry), tuple(sorted(told_of.items()))))
            )
    rest: dict[str, str] = {}
    for others in qualities.values():
        rest.update(others)
    arguments.sort(key=lambda pair: _RANK[pair[0]])
    arguments += [(name, Referent(rest[name])) for name in sorted(rest)]
    return Form(told.event.name, tuple(arguments))


def symbol(entry: Entry) -> str:
    """The name of an entry in forms: `skipping_rope`, `aunt_may`."""
    return entry.id.lower().replace(" ", "_").replace("'", "")


def signature(grammar: Grammar) -> dict[str, tuple[str, ...]]:
    """Predicate -> thematic roles it can have, of every event that has a clause."""
    found = {}
    for event in grammar.events.values():
        if event.notes.clause:
            roles = [argument.role for argument in event.notes.clause.arguments]
            found[event.name] = tuple(sorted(roles, key=_RANK.__getitem__))
    return found


def parse(text: str, known: dict[str, tuple[str, ...]] | None = None) -> Form:
    """Read a form; with a `signature`, predicates and roles must be `known`.

    >>> str(parse("meet(agent: lily, theme: tom)"))
    'meet(agent: lily, theme: tom)'

    Raises `FormError` with the first position that is wrong.
    """
    reader = _Reader(text)
    predicate = reader.name("a predicate")
    if known is not None and predicate not in known:
        can_be = any(name.startswith(predicate) for name in known)
        raise FormError(0, "a known predicate", reader.ended and can_be)
    reader.take("(")
    arguments: list[tuple[str, Referent]] = []
    while not reader.at(")"):
        if arguments:
            reader.take(", ")
        at = reader.position
        role = reader.name("an argument")
        if arguments and order(role) <= order(arguments[-1][0]):
            last = arguments[-1][0]
            message = f"an argument after {last!r} in canonical order"
            raise FormError(at, message, reader.ended and _can_follow(role, last))
        if known is not None and role in _RANK and role not in known[predicate]:
            raise FormError(at, f"an argument of {predicate!r}", reader.ended)
        reader.take(": ")
        arguments.append((role, _referent(reader)))
    reader.take(")")
    if reader.position != len(text):
        raise FormError(reader.position, "the end")
    return Form(predicate, tuple(arguments))


def begins(text: str, known: dict[str, tuple[str, ...]] | None = None) -> bool:
    """Whether some form begins with this text, so that a writer may go on.

    >>> begins("meet(agent: li"), begins("meet(agent; ")
    (True, False)
    """
    try:
        parse(text, known)
    except FormError as error:
        return error.unfinished
    return True


def _can_follow(start: str, last: str) -> bool:
    """Whether an argument whose name begins so can stand behind the last one."""
    names = [role for role in ROLES if role.startswith(start)]
    return order(f"{start}z") > order(last) or any(order(n) > order(last) for n in names)


def order(role: str) -> tuple[int, str]:
    """What arguments are sorted by: thematic roles first, then facts by their names."""
    return _RANK.get(role, len(_RANK)), "" if role in _RANK else role


def _referent(reader: _Reader) -> Referent:
    name = reader.name("a referent")
    pairs: list[tuple[str, str]] = []
    if reader.at("["):
        reader.take("[")
        while not pairs or not reader.at("]"):
            if pairs:
                reader.take(", ")
            at = reader.position
            attribute = reader.name("an attribute")
            if pairs and attribute <= pairs[-1][0]:
                last = pairs[-1][0]
                message = f"an attribute after {last!r} in alphabetical order"
                raise FormError(at, message, reader.ended and f"{attribute}z" > last)
            reader.take(": ")
            pairs.append((attribute, reader.name("a value")))
        reader.take("]")
    return Referent(name, tuple(pairs))


class _Reader:
    """A text and how far it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def at(self, mark: str) -> bool:
        return self.text.startswith(mark, self.position)

    @property
    def ended(self) -> bool:
        return self.position == len(self.text)

    def take(self, mark: str) -> None:
        if not self.at(mark):
            rest = self.text[self.position :]
            raise FormError(self.position, repr(mark), mark.startswith(rest))
        self.position += len(mark)

    def name(self, what: str) -> str:
        match = _NAME.match(self.text, self.position)
        if not match:
            raise FormError(self.position, what, self.ended)
        self.position = match.end()
        return match[0]
