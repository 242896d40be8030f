"""Machine translation: a sentence of a story in Chinese."""

from collections.abc import Mapping, Sequence

from gptlib.applications.application import Application, stories
from gptlib.evaluation import Score, baselines, bleu, chrf
from gptlib.storyworld.tasks.translation import Translation


class Translate(Application[Translation]):
    """English to Simplified Chinese, a sentence at a time, without the story around it."""

    name = "translation"
    task = "translation"
    room = 110

    def request(self, example: Translation) -> str:
        return "\nChinese:"

    def answer(self, example: Translation) -> str:
        return example.zh

    def baselines(self, examples: Sequence[Translation]) -> Mapping[str, Sequence[str]]:
        pairs = self.learned()
        table = baselines.WordByWord([pair.text for pair in pairs], [pair.zh for pair in pairs])
        return {"word by word": table.predict(example.text for example in examples)}

    def score(self, predictions: Sequence[str], examples: Sequence[Translation]) -> list[Score]:
        right, groups = [example.zh for example in examples], stories(examples)
        return [
            bleu(predictions, right, language="zh", groups=groups),
            chrf(predictions, right, groups=groups),
        ]
