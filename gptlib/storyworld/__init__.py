"""The story world: generated children's stories whose exact probability and meaning are known.

>>> from gptlib import storyworld
>>> story = storyworld.story(1, level="nursery")
>>> story.text, story.log_prob, story.zh, story.events

The manner (a small vocabulary, short plots, dialogue, a moral) is that of TinyStories (Eldan & Li
2023, arXiv:2305.07759); there a large model wrote the stories, here a simulated world and a
grammar do, so that the entropy of the corpus is known. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gptlib.storyworld import enumeration, score
from gptlib.storyworld.estimate import Encode, Entropy, estimate
from gptlib.storyworld.generate import Sampler
from gptlib.storyworld.grammar import DATA, Grammar
from gptlib.storyworld.judge import Judge, Verdict
from gptlib.storyworld.machine import StoryError
from gptlib.storyworld.meaning import Sentence, Story, Word
from gptlib.storyworld.reading import LEVELS, DataError
from gptlib.storyworld.splits import SPLITS, World

__all__ = [
    "DATA",
    "LEVELS",
    "SPLITS",
    "VERSION",
    "DataError",
    "Entropy",
    "Grammar",
    "Judge",
    "Sampler",
    "Sentence",
    "Story",
    "StoryError",
    "Verdict",
    "Word",
    "World",
    "check",
    "entropy",
    "enumerate_stories",
    "log_prob",
    "stories",
    "story",
    "world",
]

VERSION: str
"""Version of the data: the same version and seed give the same story everywhere."""


@cache
def _grammar() -> Grammar:
    return Grammar()


@cache
def world(level: str = "full") -> World:
    """The world at a level, read once. Raises `DataError` if a data file is wrong."""
    return World(_grammar(), level)


@cache
def _sampler(level: str) -> Sampler:
    return Sampler(world(level))


@cache
def _judge(level: str) -> Judge:
    return Judge(_grammar(), level)


def story(seed: int, level: str = "full", split: str | None = None) -> Story:
    """The story of a seed (0 or more), from the whole world or conditioned on a split."""
    if seed < 0:
        raise ValueError(f"seed {seed}: use 0 or more")
    text, log_probability, index, choices = _sampler(level).sample(seed, split)
    here = world(level)
    return Story(text, log_probability, seed, here.plots[index].name, here, choices)


def stories(
    start: int, stop: int | None = None, level: str = "full", split: str | None = None
) -> Iterator[Story]:
    """Yield the stories of seeds 0 to `start` - 1, or of `start` to `stop` - 1."""
    seeds = range(start) if stop is None else range(start, stop)
    return (story(seed, level, split) for seed in seeds)


def log_prob(text: str, level: str = "full", split: str | None = None) -> float:
    """Log-probability in nats of a text, read back; `-inf` if the world never tells it."""
    return score.log_prob(world(level), text, split)


def check(text: str, level: str = "full") -> Verdict:
    """Whether a text is grammatical and consistent, with the first thing that is wrong."""
    return _judge(level).check(text)


def enumerate_stories(
    level: str = "nursery", split: str | None = None
) -> Iterator[tuple[str, float]]:
    """Yield (text, log-probability) of every story of a level: for "nursery" feasible."""
    return enumeration.enumerate_stories(world(level), split)


def entropy(
    level: str = "full",
    split: str | None = None,
    n: int = 2000,
    tokenizer: Any = None,
    start: int = 0,
) -> Entropy:
    """Nats per story, and per token of a `tokenizer` (its `encode` or itself a function).

    Estimated on the stories of seeds `start` to `start + n - 1`. The tokens of a story count one
    more, for its end, since a model has to predict where it ends.
    """
    encode: Encode | None = getattr(tokenizer, "encode", tokenizer)
    found = stories(start, start + n, level, split)
    return estimate(((s.text, s.log_prob) for s in found), encode)


def __getattr__(name: str) -> str:
    if name == "VERSION":
        return _grammar().version
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
