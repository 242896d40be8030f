"""Summarisation: a story in one or two sentences."""

from collections.abc import Mapping, Sequence

from gptlib.applications.application import Application, stories
from gptlib.evaluation import Score, baselines, rouge
from gptlib.storyworld.tasks.summary import Summary


class Summarise(Application[Summary]):
    """What happened, without how it was told. "TL;DR:" is from Radford et al. 2019, section 3.6."""

    name = "summaries"
    task = "summary"
    room = 90

    def request(self, example: Summary) -> str:
        return "\nTL;DR:"

    def answer(self, example: Summary) -> str:
        return f" {example.summary}"

    def baselines(self, examples: Sequence[Summary]) -> Mapping[str, Sequence[str]]:
        texts = [example.text for example in examples]
        return {"Lead-3": baselines.lead(texts), "Random-3": baselines.drawn(texts)}

    def score(self, predictions: Sequence[str], examples: Sequence[Summary]) -> list[Score]:
        right = [example.summary for example in examples]
        return list(rouge(predictions, right, groups=stories(examples)).values())
