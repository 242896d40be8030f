"""Labels: the sentiment of a sentence, and the theme and the outcome of a story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.telling import Telling

SENTIMENTS = ("negative", "neutral", "positive")


@dataclass(frozen=True, slots=True)
class Sentiment(Example):
    """A sentence and how it feels to those it is about."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Theme(Example):
    """A story, what it is about (from its plot) and how it ends (from its last state)."""

    text: str
    label: str
    outcome: str


def sentiments(telling: Telling) -> Iterator[Sentiment]:
    """The sentiment of each sentence of a story: the tone of its event.

    >>> [e.label for e in tasks.examples("sentiment", None, 1, 2, level="nursery")][2:5]
    ['neutral', 'negative', 'negative']
    """
    for told in telling.told:
        yield Sentiment(telling.story.seed, told.sentence.text, told.event.notes.tone)


def themes(telling: Telling) -> Iterator[Theme]:
    """The theme of a story.

    >>> theme = next(tasks.examples("theme", None, 1, level="nursery"))
    >>> theme.label, theme.outcome
    ('loss', 'found alone')
    """
    story = telling.story
    theme = telling.grammar.plots[story.plot].notes.theme or story.plot
    yield Theme(story.seed, story.text, theme, story.outcome or theme)


def theme_labels(grammar: Grammar) -> list[str]:
    """Every theme, in the order of the plots."""
    return list(dict.fromkeys(plot.notes.theme or plot.name for plot in grammar.plots.values()))
