"""Text generation: a story from a few words that it must hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gptlib import storyworld
from gptlib.applications.application import Application
from gptlib.applications.asking import replies
from gptlib.evaluation import Score
from gptlib.evaluation.bootstrap import mean
from gptlib.model import GPT
from gptlib.storyworld import tasks
from gptlib.tokenizer import Tokenizer

# At 1 one senseless token in 200 spoils a story; at 0 a wish gives the same story always. Of 0.2,
# 0.3 and 0.5 the best for 200 wishes that are in no test.
TEMPERATURE = 0.2


@dataclass(frozen=True, slots=True)
class Wish(tasks.Example):
    """A theme and the words that a story about it must hold; `text` is one such story."""

    theme: str
    words: tuple[str, ...]
    text: str

    def met(self, text: str) -> bool:
        """Whether a story holds every word that was asked for."""
        return all(word.lower() in text.lower() for word in self.words)


class Write(Application[Wish]):
    """A story about a theme, with the given hero, place or thing.

    The words are the roles that the splits keep apart: "compositional" asks for a hero and a
    thing that no training story of that plot brought together.
    """

    name = "writing"
    task = "theme"
    room = 400

    def of_stories(
        self, split: str, level: str, start: int, stop: int | None = None
    ) -> Iterator[Wish]:
        for theme in tasks.examples("theme", split, start, stop, level):
            key = storyworld.story(theme.story, level, split).key
            words = [w for w in key.split("/")[1:] if w.lower() in theme.text.lower()]
            yield Wish(theme.story, theme.label, tuple(words), theme.text)

    def text(self, example: Wish) -> str:
        return f"Story about {example.theme}: "

    def request(self, example: Wish) -> str:
        return f"{', '.join(example.words)}\n"

    def answer(self, example: Wish) -> str:
        return example.text

    def predict(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        examples: Sequence[Wish],
        progress: bool = False,
        temperature: float = TEMPERATURE,
    ) -> Sequence[str]:
        """A story for each wish, drawn: at each call the same ones."""
        return replies(
            model, tokenizer, [self.prompt(example) for example in examples], self.room,
            seed=0, temperature=temperature, progress=progress,
        )  # fmt: skip

    def baselines(self, examples: Sequence[Wish]) -> Mapping[str, Sequence[str]]:
        """Another story of the world: all that is right about it but the wish."""
        others = self.examples("train", len(examples))
        return {"any story": [other.text for other in others]}

    def score(self, predictions: Sequence[str], examples: Sequence[Wish]) -> list[Score]:
        verdicts = [storyworld.check(text) for text in predictions]
        met = [wish.met(text) for wish, text in zip(examples, predictions, strict=True)]
        return [
            mean("grammatical", [100.0 * verdict.grammatical for verdict in verdicts]),
            mean("consistent", [100.0 * bool(verdict) for verdict in verdicts]),
            mean("wish met", [100.0 * value for value in met]),
        ]
