"""What a story tells, ready for every task: who did what in each sentence, and where it says so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from gptlib.storyworld.clause import Clause
from gptlib.storyworld.grammar import Event, Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.meaning import Mention, Sentence, Story

Span = tuple[int, int]
"""Start and stop in the story's text."""

_PRONOUN_FORMS = ("he", "him", "his", "himself")


@dataclass(frozen=True, slots=True)
class Told:
    """One event as told: its clause and who or what its parameters are."""

    sentence: Sentence
    event: Event
    who: dict[str, Entry | None]

    @property
    def clause(self) -> Clause | None:
        """The event's clause if everybody in it is known by now."""
        clause = self.event.notes.clause
        if clause and all(self.who[parameter] is not None for parameter in clause.parameters):
            return clause
        return None

    @property
    def asked(self) -> bool:
        """Whether questions are asked about it."""
        return self.event.notes.part != "setting" and self.clause is not None


class Telling:
    """A story as its tasks see it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.text = story.text
        self.grammar: Grammar = story.world.grammar
        events = self.grammar.events
        self.told = [
            Told(s, events[s.event], {p: s.entry(role) for p, role in s.arguments.items()})
            for s in story.sentences
        ]

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

    def named(self, mention: Mention, place: bool = False) -> Span | None:
        """The part of a mention that is a name (`Lily`, `the ball`), not a pronoun; else None.

        With `place`, a preposition belongs to it: `in the park`.
        """
        start, stop, _, entry, form = mention
        if form in _PRONOUN_FORMS or "/" in form:
            return None
        if place and form in ("in", "to"):
            return start, stop
        printed = self.text[start:stop].lower()
        proper = not entry.name.startswith("the ")
        for name in (entry.name,) if proper else (entry.name, entry.a_noun, entry.noun):
            at = printed.find(name.lower())
            if at >= 0:
                return start + at, start + at + len(name)
        return None

    def answer(self, role: str, sentence: Sentence, place: bool = False) -> Span | None:
        """Where the text names a role: in the sentence, else last before it, else next after."""
        best: Span | None = None
        for mention in self.mentions.get(role, ()):
            if mention.start >= sentence.stop and best:
                break
            span = self.named(mention, place)
            if span:
                best = span
                if mention.start >= sentence.start:
                    break
        return best

    def label(self, entry: Entry) -> str:
        """Entity label of an entry: that of its type, or of the nearest type above; or empty."""
        family = self.grammar.lexicon.family(entry.type)
        return next((self.grammar.labels[t] for t in family if t in self.grammar.labels), "")
