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

    >>> pair = next(examples("translation"))
    >>> pair.text, pair.zh
    ('Lily was very happy.', '莉莉非常高兴。')
    """
    for s in telling.story.sentences:
        yield Translation(telling.story.seed, telling.text[: s.start], s.text, s.zh)
