"""What a story tells, ready for every task: who did what in each sentence, and where it says so."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

from gptlib.storyworld.clause import Clause
from gptlib.storyworld.grammar import Event, Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.meaning import Mention, Sentence, Story

Span = tuple[int, int]
"""Start and stop in the story's text."""

_PRONOUN_FORMS = ("he", "him", "his", "himself")


class Told:
    """One event as told: its clause, and who or what its parameters are."""

    __slots__ = ("asked", "clause", "event", "sentence", "who")

    def __init__(self, sentence: Sentence, event: Event) -> None:
        self.sentence = sentence
        self.event = event
        self.who: dict[str, Entry | None] = {
            parameter: sentence.entry(role) for parameter, role in sentence.arguments.items()
        }
        clause = event.notes.clause
        known = clause and all(map(self.who.get, clause.parameters))
        self.clause: Clause | None = clause if known else None
        """The event's clause, if everybody in it is known by now."""
        self.asked = self.clause is not None and event.notes.part != "setting"
        """Whether questions are asked about it."""


class Telling:
    """A story as its tasks see it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.text = story.text
        self.grammar: Grammar = story.world.grammar
        events = self.grammar.events
        self.told = [Told(sentence, events[sentence.event]) for sentence in story.sentences]

    @cached_property
    def mentions(self) -> dict[str, list[Mention]]:
        """Role or attribute (`toy`, `toy.colour`) -> where the text prints it."""
        found: dict[str, list[Mention]] = {}
        for sentence in self.story.sentences:
            for mention in sentence.mentions:
                found.setdefault(mention.role, []).append(mention)
        return found

    @cached_property
    def cast(self) -> dict[str, Entry]:
        """Every role that the story names, with who or what it is."""
        return {
            path: mentions[0].entry for path, mentions in self.mentions.items() if "." not in path
        }

    @cached_property
    def _spans(self) -> dict[str, list[tuple[int, Span, Span]]]:
        """Role -> (start, span of the name, span with its preposition) of where it is named."""
        found: dict[str, list[tuple[int, Span, Span]]] = {}
        for role, mentions in self.mentions.items():
            spans = found[role] = []
            for start, stop, _, entry, form in mentions if role in self.cast else ():
                at = _name_in(self.text[start:stop], entry, form)
                if at:
                    name = (start + at[0], start + at[1])
                    spans.append((start, name, (start, stop) if form in ("in", "to") else name))
        return found

    def answer(self, role: str, sentence: Sentence, place: bool = False) -> Span | None:
        """Where the text names a role: in the sentence, else last before it, else next after.

        With `place`, a preposition belongs to the name: `in the park`.
        """
        best: Span | None = None
        for start, name, phrase in self._spans.get(role, ()):
            if start >= sentence.stop and best:
                break
            best = phrase if place else name
            if start >= sentence.start:
                break
        return best

    def label(self, entry: Entry) -> str:
        """Entity label of an entry: that of its type, or of the nearest type above; or empty."""
        return _label(self.grammar, entry.type)


@lru_cache(maxsize=4096)
def _label(grammar: Grammar, kind: str) -> str:
    family = grammar.lexicon.family(kind)
    return next((grammar.labels[t] for t in family if t in grammar.labels), "")


@lru_cache(maxsize=4096)
def _name_in(printed: str, entry: Entry, form: str) -> Span | None:
    """The name in what a slot printed (`Lily`, `the ball`); None if that is a pronoun."""
    if form in _PRONOUN_FORMS or "/" in form:
        return None
    proper = not entry.name.startswith("the ")
    for name in (entry.name,) if proper else (entry.name, entry.a_noun, entry.noun):
        found = re.search(rf"\b{re.escape(name)}\b", printed, re.IGNORECASE)
        if found:
            return found.span()
    return None
