"""Tasks with known answers, from the same meaning as the stories: no labelling, no model.

>>> from gptlib.storyworld import tasks
>>> for example in tasks.examples("summary", split="train", start=0, stop=3, level="nursery"):
...     print(example.summary)

Examples come in the order of their stories' indexes, and are the same everywhere. Splits hold out
combinations (`gptlib.storyworld.splits`): no plot has the same key roles in two splits. Tasks on
single sentences hold out combinations of words besides (`HELD_OUT`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from gptlib import storyworld
from gptlib.storyworld.splits import SPLITS
from gptlib.storyworld.tasks import heldout, search
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.labels import sentiments, themes
from gptlib.storyworld.tasks.logic import logic
from gptlib.storyworld.tasks.questions import questions
from gptlib.storyworld.tasks.summary import summarise
from gptlib.storyworld.tasks.tags import tag
from gptlib.storyworld.tasks.telling import Telling
from gptlib.storyworld.tasks.translation import translate

__all__ = ["HELD_OUT", "TASKS", "Example", "examples", "of_story"]

_MAKERS: dict[str, Callable[[Telling], Iterator[Any]]] = {
    "summary": summarise,
    "questions": questions,
    "sentiment": sentiments,
    "theme": themes,
    "tags": tag,
    "logic": logic,
    "translation": translate,
}
TASKS = (*_MAKERS, "search")
"""Every task, by name."""
HELD_OUT = ("sentiment", "tags", "logic", "translation")
"""Tasks on single sentences: an example is in a split if its story and its words both are."""


def examples(
    task: str,
    split: str | None = "train",
    start: int = 0,
    stop: int | None = None,
    level: str = "full",
) -> Iterator[Any]:
    """Yield the examples of the stories `start` to `stop` - 1 of a split, without end if no `stop`.

    With `split=None`, of all stories, with every sentence. Raises `ValueError` for an unknown
    task, split or level.
    """
    if task not in TASKS:
        raise ValueError(f"task {task!r}: use one of {', '.join(TASKS)}")
    if split is not None and split not in SPLITS:
        raise ValueError(f"split {split!r}: use one of {', '.join(SPLITS)} or None")
    storyworld.world(level)
    return _examples(task, split, start, stop, level)


def _examples(
    task: str, split: str | None, start: int, stop: int | None, level: str
) -> Iterator[Any]:
    index = start
    while stop is None or index < stop:
        for example in _make(task, index, split, level):
            if split is None or task not in HELD_OUT or heldout.inside(example.text, split):
                yield example
        index += 1


def of_story(index: int, split: str | None = None, level: str = "full") -> dict[str, list[Any]]:
    """Every task's examples of the story `index` of a split, with all its sentences."""
    return {task: list(_make(task, index, split, level)) for task in TASKS}


def _make(task: str, index: int, split: str | None, level: str) -> Iterator[Any]:
    if task == "search":
        first = index // search.COLLECTION * search.COLLECTION
        collection = _collection(first, split, level)
        return search.queries(collection[index - first], collection)
    return _MAKERS[task](_telling(index, split, level))


@lru_cache(maxsize=2 * search.COLLECTION)
def _telling(index: int, split: str | None, level: str) -> Telling:
    return Telling(storyworld.story(index, level, split))


@lru_cache(maxsize=4)
def _collection(first: int, split: str | None, level: str) -> list[search.Card]:
    indexes = range(first, first + search.COLLECTION)
    return [search.card(_telling(index, split, level)) for index in indexes]
