"""A story and, when asked for, its meaning: sentences, events, states, tags and Chinese."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from gptlib.storyworld.replay import Mention, Replay, Sentence
from gptlib.storyworld.splits import World, split_of
from gptlib.storyworld.template import Word

__all__ = ["Mention", "Sentence", "Story", "Word"]


@dataclass
class Story:
    """A story: its text, its exact log-probability in nats, and on demand its meaning."""

    text: str
    log_prob: float
    seed: int
    plot: str
    world: World = field(repr=False)
    choices: list[int] = field(repr=False)
    """Index of every line and entry chosen, in the order told."""

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences, read back from the choices; `StoryError` if an event's needs fail."""
        return self._replay.sentences

    @cached_property
    def events(self) -> list[tuple[str, dict[str, str]]]:
        """(event, {parameter: entry}) of every sentence."""
        return [
            (s.event, {name: s.state.get(role, role) for name, role in s.arguments.items()})
            for s in self.sentences
        ]

    @property
    def zh(self) -> str:
        """The story in Simplified Chinese."""
        return self._replay.zh

    @property
    def key(self) -> str:
        """What decides the split: the plot and its key roles, `lost/Lily/ball`."""
        return self._replay.key

    @property
    def outcome(self) -> str:
        """How it ended, in the words of the plot's `outcome` lines; empty if none holds."""
        return self._replay.outcome

    @property
    def split(self) -> str:
        """The split the story belongs to."""
        return split_of(self.key)

    @cached_property
    def _replay(self) -> Replay:
        index = [plot.name for plot in self.world.plots].index(self.plot)
        return Replay(self.world.linked(index), self.choices)
