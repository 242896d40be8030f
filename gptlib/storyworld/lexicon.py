"""The lexicon: every person, place, thing and quality a story can name, in both languages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from gptlib.storyworld.reading import Block, DataError, Line

PRONOUNS = {
    "he": ("he", "him", "his", "himself", "他"),
    "she": ("she", "her", "her", "herself", "她"),
    "it": ("it", "it", "its", "itself", "它"),
    "they": ("they", "them", "their", "themselves", "它们"),
}
"""Subject, object, possessive, reflexive and Chinese pronoun of each class."""

PRONOUN_CLASS = {name: index for index, name in enumerate(PRONOUNS)}
FIELDS = ("noun", "名", "pl", "a", "in", "to", "里", "量", "near", "pos")
_TYPE = re.compile(r"([a-z]+)(?: is ([a-z]+))?(?:: ?(.*))?$")


@dataclass(eq=False, slots=True)
class Entry:
    """A word of the lexicon with all its forms; two entries are equal only if the same object."""

    id: str
    type: str
    zh: str
    tags: frozenset[str]
    """Tags of the entry, with its type and the types above it."""
    levels: tuple[int, int]
    weight: float
    pos: str
    where: str
    name: str
    """Noun phrase of a known referent: `Lily`, `the ball`."""
    noun: str
    plural: str
    a_noun: str
    a_id: str
    in_phrase: str
    to_phrase: str
    zh_noun: str
    zh_in: str
    measure: str
    pronoun: int
    """Index of its class in `PRONOUNS`."""
    pronouns: tuple[str, ...]
    near: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        return f"<{self.type} {self.id}>"


def article(phrase: str, override: str = "") -> str:
    """`phrase` with its indefinite article, by its first letter unless `override` says a or an."""
    word = override or ("an" if phrase[:1].lower() in "aeiou" else "a")
    return f"{word} {phrase}"


class Lexicon:
    """Types (a tree) and their entries."""

    def __init__(self, blocks: list[Block]) -> None:
        self.parent: dict[str, str | None] = {}
        self.entries: dict[str, dict[str, Entry]] = {}
        """Entries of each type, by id."""
        for block in blocks:
            self._read(block)
        self._connect()

    def _read(self, block: Block) -> None:
        match = _TYPE.match(block.head)
        if not match:
            raise DataError(block.where, f"cannot read type {block.head!r}", "type toy is thing")
        name, parent, defaults = match.groups()
        if parent and parent not in self.parent:
            raise DataError(block.where, f"unknown type {parent!r}", "define it above this line")
        if name not in self.parent:
            self.parent[name] = parent
            self.entries[name] = {}
        elif parent and self.parent[name] != parent:
            raise DataError(block.where, f"{name} already is {self.parent[name]}", "drop 'is'")
        for line in block.lines:
            entry = self._entry(name, line, (defaults or "").split())
            for kind in self.family(name):
                if entry.id in self.entries[kind]:
                    first = self.entries[kind][entry.id].where
                    raise DataError(line.where, f"{entry.id!r} is a {kind} at {first}", "rename it")
            self.entries[name][entry.id] = entry

    def _entry(self, kind: str, line: Line, defaults: list[str]) -> Entry:
        if line.conditions:
            raise DataError(line.where, "a lexicon line with a condition", "use weight and level")
        parts = line.fields(3 if line.text.count("|") == 2 else 2)
        english, chinese = parts[0], parts[1]
        if not english or not chinese:
            raise DataError(line.where, "a word is missing", "write - English | Chinese | fields")
        tags: list[str] = []
        fields: dict[str, str] = {}
        for word in [*defaults, *(parts[2].split() if len(parts) == 3 else [])]:
            key, equals, value = word.partition("=")
            if not equals:
                tags.append(word)
            elif key in FIELDS:
                fields[key] = value.replace("_", " ")
            else:
                raise DataError(line.where, f"unknown field {key!r}", f"use {', '.join(FIELDS)}")
        genders = [tag for tag in tags if tag in PRONOUNS]
        pronoun = genders[-1] if genders else "it"
        proper = "proper" in tags
        noun = fields.get("noun", english)
        name = english if proper else f"the {noun}"
        override = fields.get("a", "")
        if override not in ("", "a", "an"):
            raise DataError(line.where, f"article {override!r}", "write a=a or a=an")
        plural_noun = pronoun == "they" and "person" not in self.family(kind)
        return Entry(
            id=english,
            type=kind,
            zh=chinese,
            tags=frozenset([*(t for t in tags if t not in PRONOUNS), *self.family(kind)]),
            levels=line.levels,
            weight=line.weight,
            pos=fields.get("pos", "PROPN" if proper else "NOUN"),
            where=line.where,
            name=name,
            noun=noun,
            plural=fields.get("pl", noun if plural_noun else noun + "s"),
            a_noun=f"some {noun}" if plural_noun else article(noun, override),
            a_id=article(english, override),
            in_phrase=f"{fields.get('in', 'in')} {name}",
            to_phrase=f"{fields.get('to', 'to')} {name}".strip(),
            zh_noun=fields.get("名", chinese),
            zh_in=chinese + fields.get("里", "里"),
            measure=fields.get("量", "个"),
            pronoun=PRONOUN_CLASS[pronoun],
            pronouns=PRONOUNS[pronoun],
            near=set(filter(None, fields.get("near", "").split(","))),
        )

    def _connect(self) -> None:
        """Make `near` symmetric and refuse neighbours that do not exist."""
        places = {e.id: e for group in self.entries.values() for e in group.values()}
        for entry in places.values():
            for other in sorted(entry.near):
                if other not in places:
                    raise DataError(entry.where, f"near={other}: no such entry", "add or rename it")
                places[other].near.add(entry.id)

    def family(self, name: str) -> list[str]:
        """A type and the types above it, nearest first."""
        found: list[str] = []
        kind: str | None = name
        while kind:
            found.append(kind)
            kind = self.parent[kind]
        return found

    def find(self, name: str, word: str) -> Entry | None:
        """The entry `word` of a type or its subtypes."""
        groups = (group for kind, group in self.entries.items() if name in self.family(kind))
        return next((group[word] for group in groups if word in group), None)

    def candidates(
        self, name: str, level: int, wanted: tuple[str, ...] = (), barred: tuple[str, ...] = ()
    ) -> list[Entry]:
        """Entries of a type and its subtypes at a level, filtered by tags, in file order."""
        return [
            entry
            for kind, group in self.entries.items()
            if name in self.family(kind)
            for entry in group.values()
            if entry.levels[0] <= level <= entry.levels[1]
            and all(tag in entry.tags for tag in wanted)
            and not any(tag in entry.tags for tag in barred)
        ]
