"""Search: queries, and the stories of a collection that answer them, graded by meaning.

A collection is a hundred stories in a row. For each of its stories there are two queries: one in
the story's own words (its problem, as a clause), and one in others (its plot's `query` line, with
glosses for names). Grades are those of TREC's four-point scale (Järvelin & Kekäläinen 2002,
"Cumulated Gain-based Evaluation", section 2.2): how much of what a query says is so in a story.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.telling import Telling

COLLECTION = 100
"""Stories in a collection."""

_SLOT = re.compile(r"\{([a-z][a-z0-9]*)(?::(gloss|noun))?\}")


@dataclass(frozen=True, slots=True)
class Query(Example):
    """A query and its relevant stories; those not listed have grade 0."""

    kind: str
    """`words` in the story's own words, `paraphrase` in others."""
    query: str
    collection: tuple[int, int]
    """The first story of the collection and the one after its last."""
    relevant: dict[int, int]
    """Story -> grade: 3 all that is asked for, 2 the plot and a part, 1 the plot or the rest."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a story is about, as far as queries ask."""

    story: int
    plot: str
    outcome: str
    keys: frozenset[Entry]
    query: str
    """Its problem in its own words."""
    paraphrase: str
    glosses: tuple[str, ...]


def card(telling: Telling) -> Card:
    """The card of a story."""
    story = telling.story
    index = [plot.name for plot in story.world.plots].index(story.plot)
    linked = story.world.linked(index)
    last = story.sentences[-1]
    keys = tuple(e for key in linked.keys if (e := last.entry(key.name)))
    problems = [t for t in telling.told if t.clause and t.event.notes.part == "problem"]
    told = next(iter(problems or [t for t in telling.told if t.asked]), None)
    words = [told.clause.statement(told.who)] if told and told.clause else []
    said = set(told.who.values()) if told else set()
    words += [key.name for key in keys if key not in said]
    lines = [text for text, tests in linked.queries if all(test(last.cells) for test in tests)]
    glosses = tuple(gloss(telling, key) for key in keys)
    paraphrase = " ".join([story.plot, *glosses])
    if lines:
        paraphrase = _fill(telling, lines[story.seed % len(lines)])
    own = ", ".join(words)
    return Card(story.seed, story.plot, story.outcome, frozenset(keys), own, paraphrase, glosses)


def gloss(telling: Telling, entry: Entry) -> str:
    """Other words for somebody or something: the first gloss that fits; else the noun."""
    words = (text for tag, text in telling.grammar.glosses.items() if tag in entry.tags)
    return next(words, entry.noun)


def _fill(telling: Telling, line: str) -> str:
    def say(match: re.Match[str]) -> str:
        entry = telling.cast.get(match[1])
        if entry is None:
            return "somebody"
        if match[2] == "gloss":
            return gloss(telling, entry)
        return entry.noun if match[2] else entry.name

    return _SLOT.sub(say, line)


def queries(mine: Card, collection: list[Card]) -> Iterator[Query]:
    """The two queries of a story, graded against the cards of its collection.

    >>> words, other = tasks.examples("search", None, 1, 2, level="nursery")
    >>> words.query, other.query
    ('Sam lost the drum', "one who recovers a favourite plaything without anybody's aid")
    >>> words.relevant[1], words.relevant[2], words.relevant[3]
    (3, 2, 1)
    """
    span = (collection[0].story, collection[-1].story + 1)
    words = {other.story: _words(mine, other) for other in collection}
    yield Query(mine.story, "words", mine.query, span, {s: g for s, g in words.items() if g})
    other_words = {other.story: _paraphrase(mine, other) for other in collection}
    relevant = {s: g for s, g in other_words.items() if g}
    yield Query(mine.story, "paraphrase", mine.paraphrase, span, relevant)


def _words(mine: Card, other: Card) -> int:
    """Plot and keys: who and what a story's own words name."""
    if mine.plot == other.plot:
        return 3 if mine.keys == other.keys else 1 if mine.keys.isdisjoint(other.keys) else 2
    return 1 if mine.keys == other.keys else 0


def _paraphrase(mine: Card, other: Card) -> int:
    """Plot, outcome and glosses: what is left of a story without its names."""
    if mine.plot != other.plot:
        return 0
    return 1 + (mine.outcome == other.outcome) + (mine.glosses == other.glosses)
