"""Reading any text sentence by sentence: which events can each of its sentences tell?

Unlike the scorer, this knows no plot: it finds every paraphrase of every event that fits, so it
reads texts that no plot would tell, such as a model's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gptlib.storyworld.grammar import Event, Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.reading import LEVELS
from gptlib.storyworld.template import Part, Phrase, Slot, Template, Text

_PRONOUN = {"he": 0, "him": 1, "his": 2, "himself": 3}


class Mention(NamedTuple):
    """A slot as it was read: whom or what it can mean."""

    role: str
    attribute: str
    """Empty for the role itself; else the attribute whose value is told."""
    entries: frozenset[Entry]
    pronoun: bool
    text: str


@dataclass(frozen=True)
class Reading:
    """One way to understand a sentence."""

    event: Event
    template: Template
    start: int
    stop: int
    mentions: tuple[Mention, ...]


class Forms(NamedTuple):
    """What a slot can print: text -> (entries it can mean, whether it is a pronoun)."""

    meanings: dict[str, tuple[frozenset[Entry], bool]]
    lengths: tuple[int, ...]


class Matcher:
    """Reads sentences by a grammar at a level."""

    def __init__(self, grammar: Grammar, level: str) -> None:
        self.grammar = grammar
        self.level = LEVELS.index(level)
        self._forms: dict[tuple[str, str, str, bool], Forms] = {}
        self._templates = [
            (event, template, _anchor(template.english))
            for event in grammar.events.values()
            for template in event.templates
            if self._here(template)
        ]

    def _here(self, template: Template) -> bool:
        return template.line.levels[0] <= self.level <= template.line.levels[1]

    def sentences(self, text: str) -> dict[int, list[Reading]]:
        """Every reading that starts where a sentence can start, by its start.

        A position is there if the text before it can be read; the last is `len(text)` if all can.
        """
        likely = [(e, t) for e, t, anchor in self._templates if anchor in text.lower()]
        found: dict[int, list[Reading]] = {}
        agenda = [0]
        while agenda:
            start = agenda.pop()
            if start in found:
                continue
            found[start] = []
            for event, template in likely if start < len(text) else ():
                for stop, mentions in self._read(event, template.english, text, start, True, ()):
                    after = _after(text, stop)
                    if after is not None:
                        found[start].append(Reading(event, template, start, stop, mentions))
                        agenda.append(after)
        return found

    def _read(
        self,
        event: Event,
        parts: tuple[Part, ...],
        text: str,
        at: int,
        first: bool,
        mentions: tuple[Mention, ...],
    ) -> Iterator[tuple[int, tuple[Mention, ...]]]:
        """Ends of the sentence that `parts` can print from `at` on, with what its slots mean."""
        if not parts:
            yield at, mentions
            return
        part, rest = parts[0], parts[1:]
        if isinstance(part, Text):
            literal = part.text[0].upper() + part.text[1:] if first else part.text
            if text.startswith(literal, at):
                yield from self._read(event, rest, text, at + len(literal), False, mentions)
        elif isinstance(part, Phrase):
            for line in self.grammar.phrases[part.name]:
                if not self._here(line):
                    continue
                if line.english:
                    yield from self._read(event, line.english + rest, text, at, first, mentions)
                else:  # an empty phrase takes the space behind it with it
                    yield from self._read(event, _closed_up(rest), text, at, first, mentions)
        else:
            forms = self._forms_of(event, part, first or part.capital)
            for length in forms.lengths:
                word = text[at : at + length]
                meaning = forms.meanings.get(word)
                if meaning and _agrees(part, meaning[0], mentions):
                    told = Mention(part.role, part.attribute, *meaning, word)
                    after = (*mentions, told)
                    yield from self._read(event, rest, text, at + length, False, after)

    def _forms_of(self, event: Event, slot: Slot, capital: bool) -> Forms:
        kind = event.parameters.get(slot.role, "")
        if slot.attribute:
            values = self.grammar.attributes[slot.attribute]
            kind = values if values in self.grammar.lexicon.parent else ""
        form = slot.article or slot.form
        key = (kind, form, "attribute" if slot.attribute else "", capital)
        if key not in self._forms:
            meanings: dict[str, tuple[set[Entry], bool]] = {}
            kinds = (
                [kind] if kind else [k for k, up in self.grammar.lexicon.parent.items() if not up]
            )
            for entry in (e for k in kinds for e in self.grammar.lexicon.candidates(k, self.level)):
                quality = bool(slot.attribute and kind)
                for text, pronoun in _quality(entry, form) if quality else _names(entry, form):
                    text = text[:1].upper() + text[1:] if capital else text
                    meanings.setdefault(text, (set(), pronoun))[0].add(entry)
            frozen = {text: (frozenset(entries), p) for text, (entries, p) in meanings.items()}
            self._forms[key] = Forms(frozen, tuple(sorted({len(text) for text in frozen})))
        return self._forms[key]


def _anchor(parts: tuple[Part, ...]) -> str:
    """The longest text that every sentence of a template contains, in small letters."""
    return max((p.text.strip().lower() for p in parts if isinstance(p, Text)), key=len, default="")


def _after(text: str, stop: int) -> int | None:
    """Where the next sentence starts; None if none can end at `stop`."""
    if stop == len(text):
        return stop
    for gap in ("\n\n", " "):
        if text.startswith(gap, stop) and stop + len(gap) < len(text):
            return stop + len(gap)
    return None


def _closed_up(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    if parts and isinstance(parts[0], Text) and parts[0].text.startswith(" "):
        rest = parts[0].text[1:]
        return ((Text(rest),) if rest else ()) + parts[1:]
    return parts


def _agrees(slot: Slot, entries: frozenset[Entry], mentions: tuple[Mention, ...]) -> bool:
    """Whether a slot can mean the same as the earlier mentions of its role in the sentence."""
    for earlier in mentions:
        if (earlier.role, earlier.attribute) == (slot.role, slot.attribute):
            entries &= earlier.entries
    return bool(entries)


def _names(entry: Entry, form: str) -> list[tuple[str, bool]]:
    """(text, whether it is a pronoun) of every way in which a form can name an entry."""
    subject, other, possessive, _, _ = entry.pronouns
    if "/" in form:
        singular, _, plural = form.partition("/")
        return [(plural if entry.pronoun == 3 else singular, True)]
    if form in _PRONOUN:
        return [(entry.pronouns[_PRONOUN[form]], True)]
    s = "'" if entry.name.endswith("s") and entry.pronoun == 3 else "'s"
    return {
        "": [(entry.name, False), (subject, True)],
        "obj": [(entry.name, False), (other, True)],
        "poss": [(entry.name + s, False), (possessive, True)],
        "name": [(entry.name, False)],
        "the": [(entry.name, False)],
        "noun": [(entry.noun, False)],
        "plural": [(entry.plural, False)],
        "a": [(entry.a_noun, False)],
        "in": [(entry.in_phrase, False)],
        "to": [(entry.to_phrase, False)],
    }[form]


def _quality(entry: Entry, form: str) -> list[tuple[str, bool]]:
    """The ways to print a quality: `red`, or `a red` and `some red`."""
    if form == "a":
        return [(entry.a_id, False), (f"some {entry.id}", False)]
    return [(entry.id, False)]
