"""What the seven applications have in common: a text, a request, an answer in words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar, Generic, TypeVar
from zlib import crc32

from gptlib.applications.asking import replies
from gptlib.evaluation import Score
from gptlib.finetuning.instructions import Turn
from gptlib.model import GPT
from gptlib.storyworld import tasks
from gptlib.storyworld.tasks import heldout
from gptlib.tokenizer import Tokenizer

E = TypeVar("E", bound=tasks.Example)

# Where examples come from: a split of the story world, and the seeds of its stories. Training
# begins at seed 10,000. "test" has stories never seen, made of plots and roles that were seen
# together; "compositional" has those whose combination training never had.
SPLITS = {"train": ("train", 10_000), "test": ("train", 0), "compositional": ("test", 0)}


def kept_for(text: str) -> str:
    """Which split may ask about a sentence of a story that trains or tests: "test" has a tenth.

    Stories never seen share sentences with others, so the text itself decides. Sentences of fewer
    than two lexicon words, such as "He ran home.", are few and come everywhere: they train.
    """
    if len(heldout.combination(text)) < 2:
        return "train"
    spread = crc32(text.encode()) * 2654435761 & 0xFFFFFFFF  # as in `storyworld.splits`
    return "test" if spread * 10 >> 32 == 0 else "train"


class Application(ABC, Generic[E]):
    """One application: its examples, and how each is put to a model in plain text.

    Every prompt is a text and then a request about it (`prompt = text + request`), so that several
    requests can follow one text.
    """

    name: ClassVar[str]
    task: ClassVar[str]
    """Its name in `gptlib.storyworld.tasks`."""
    room: ClassVar[int]
    """Tokens that an answer may have; the longest right one has fewer."""

    def examples(self, split: str, n: int | None = None, level: str = "full") -> Iterator[E]:
        """The first `n` examples of a split: "train", "test" or "compositional".

        Raises `ValueError` for another split.
        """
        if split not in SPLITS:
            raise ValueError(f"split {split!r}: use one of {', '.join(SPLITS)}")
        source, first = SPLITS[split]
        return islice(self._kept(self.of_stories(source, level, first), split), n)

    def training(self, seed: int, level: str = "full") -> list[E]:
        """The examples of one training story that may be learned from."""
        return list(self._kept(self.of_stories("train", level, seed, seed + 1), "train"))

    def _kept(self, examples: Iterator[E], split: str) -> Iterator[E]:
        if split == "compositional" or self.task not in tasks.HELD_OUT:
            return examples
        return (e for e in examples if kept_for(e.text) == split)  # type: ignore[attr-defined]

    def of_stories(
        self, split: str, level: str, start: int, stop: int | None = None
    ) -> Iterator[E]:
        """The examples of a range of stories of one of the story world's splits."""
        return tasks.examples(self.task, split, start, stop, level)

    def text(self, example: E) -> str:
        """The text that the request is about."""
        return example.text  # type: ignore[attr-defined,no-any-return]

    @abstractmethod
    def request(self, example: E) -> str:
        """What is asked of the text; it ends where the answer begins."""

    @abstractmethod
    def answer(self, example: E) -> str:
        """The right answer, as it follows the request: most begin with a space."""

    def prompt(self, example: E) -> str:
        """The text and the request."""
        return self.text(example) + self.request(example)

    def turn(self, example: E) -> Turn:
        """The example as one turn of a conversation."""
        return Turn(self.prompt(example), self.answer(example))

    def predict(
        self, model: GPT, tokenizer: Tokenizer, examples: Sequence[E], progress: bool = False
    ) -> Sequence[Any]:
        """What the model answers to each example, ready to be scored: most often a text."""
        prompts = [self.prompt(example) for example in examples]
        answers = replies(model, tokenizer, prompts, self.room, progress=progress)
        return [answer.strip() for answer in answers]

    def baselines(self, examples: Sequence[E]) -> Mapping[str, Sequence[Any]]:
        """What methods without a model answer, by name; they learn from training examples."""
        return {}

    @abstractmethod
    def score(self, predictions: Sequence[Any], examples: Sequence[E]) -> list[Score]:
        """The metrics of the field; stories are resampled, since what is asked of one is alike."""

    def learned(self, n: int = 3_000) -> list[E]:
        """Training examples, for baselines."""
        return list(self.examples("train", n))


def stories(examples: Sequence[tasks.Example]) -> list[int]:
    """The story of each example: what a bootstrap draws whole."""
    return [example.story for example in examples]
