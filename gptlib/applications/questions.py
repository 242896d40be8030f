"""Question answering: a question about a story, answered in its words."""

from collections.abc import Mapping, Sequence

from gptlib.applications.application import Application, stories
from gptlib.evaluation import Score, answer_f1, baselines, exact_match, unanswerable_recall
from gptlib.model import GPT
from gptlib.storyworld.tasks.questions import Question
from gptlib.tokenizer import Tokenizer

UNKNOWN = "unknown"
"""What is said to a question that the story does not answer."""


class Answer(Application[Question]):
    """The answer is a span of the story, `yes` or `no`, or `unknown`.

    "A:" after a question is how Radford et al. 2019, section 3.5, ask GPT-2.
    """

    name = "questions"
    task = "questions"
    room = 70

    def request(self, example: Question) -> str:
        return f"\nQ: {example.question}\nA:"

    def answer(self, example: Question) -> str:
        return f" {example.answer or UNKNOWN}"

    def predict(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        examples: Sequence[Question],
        progress: bool = False,
    ) -> Sequence[str]:
        answers = super().predict(model, tokenizer, examples, progress)
        return ["" if answer == UNKNOWN else answer for answer in answers]

    def baselines(self, examples: Sequence[Question]) -> Mapping[str, Sequence[str]]:
        seen = self.learned()
        common = baselines.CommonAnswer([e.question for e in seen], [e.answer for e in seen])
        return {
            "commonest answer": common.predict(example.question for example in examples),
            "first name": baselines.first_entities(example.text for example in examples),
        }

    def score(self, predictions: Sequence[str], examples: Sequence[Question]) -> list[Score]:
        right, groups = [example.answer for example in examples], stories(examples)
        return [
            exact_match(predictions, right, groups=groups),
            answer_f1(predictions, right, groups=groups),
            unanswerable_recall(predictions, right, groups=groups),
        ]
