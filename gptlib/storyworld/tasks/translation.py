"""Translation: every sentence in English and Simplified Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.telling import Telling


@dataclass(frozen=True, slots=True)
class Translation(Example):
    """A sentence in both languages, and what the story told before it, in English."""

    context: str
    text: str
    zh: str


def translate(telling: Telling) -> Iterator[Translation]:
    """The sentences of a story.

    >>> _, pair, *_ = tasks.examples("translation", None, 1, 2, level="nursery")
    >>> pair.text, pair.zh
    ('He had a red drum.', '他有一面红色的小鼓。')
    """
    for s in telling.story.sentences:
        yield Translation(telling.story.seed, telling.text[: s.start], s.text, s.zh)
