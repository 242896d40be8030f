"""Classification: how a sentence feels, and what a story is about."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from gptlib.applications.application import Application, stories
from gptlib.evaluation import Score, accuracy, baselines, macro_f1
from gptlib.storyworld.tasks.labels import Sentiment, Theme

L = TypeVar("L", Sentiment, Theme)


class Label(Application[L]):
    """A text has one of a few labels, and the answer is its name."""

    room = 8

    def answer(self, example: L) -> str:
        return f" {example.label}"

    def baselines(self, examples: Sequence[L]) -> Mapping[str, Sequence[str]]:
        seen, texts = self.learned(), [example.text for example in examples]
        labels = [example.label for example in seen]
        votes = baselines.WordVote([example.text for example in seen], labels)
        return {
            "commonest label": baselines.Majority(labels).predict(texts),
            "votes of words": votes.predict(texts),
        }

    def score(self, predictions: Sequence[str], examples: Sequence[L]) -> list[Score]:
        right, groups = [example.label for example in examples], stories(examples)
        return [
            accuracy(predictions, right, groups=groups),
            macro_f1(predictions, right, groups=groups),
        ]


class Feel(Label[Sentiment]):
    """`negative`, `neutral` or `positive`: the sentiment of a sentence."""

    name = "sentiment"
    task = "sentiment"

    def request(self, example: Sentiment) -> str:
        return "\nMood:"


class Classify(Label[Theme]):
    """The theme of a story, such as `loss`."""

    name = "themes"
    task = "theme"

    def request(self, example: Theme) -> str:
        return "\nTheme:"
