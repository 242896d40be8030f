"""Semantic parsing: what a sentence of a story says, as a logical form."""

from collections.abc import Mapping, Sequence
from functools import cache

from gptlib import storyworld
from gptlib.applications.application import Application, stories
from gptlib.applications.asking import replies
from gptlib.applications.constrained import Constrained
from gptlib.evaluation import Score, baselines, form_match, valid_forms
from gptlib.model import GPT
from gptlib.storyworld.tasks.logic import FormError, Logic, begins, parse, signature
from gptlib.tokenizer import Tokenizer


class Parse(Application[Logic]):
    """`give(agent: lily, theme: ball)`; who "she" is, the story before the sentence tells."""

    name = "forms"
    task = "logic"
    room = 60

    def text(self, example: Logic) -> str:
        return example.context + example.text

    def request(self, example: Logic) -> str:
        return f"\nParse: {example.text}\nForm:"

    def answer(self, example: Logic) -> str:
        return f" {example.form}"

    def predict(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        examples: Sequence[Logic],
        progress: bool = False,
        constrained: bool = True,
    ) -> Sequence[str]:
        """The form of each sentence; unless `constrained`, it may be none."""
        said = replies(
            model, tokenizer, [self.prompt(example) for example in examples], self.room,
            grammar=(lambda: grammar(tokenizer)) if constrained else None, progress=progress,
        )  # fmt: skip
        return [answer.strip() for answer in said]

    def baselines(self, examples: Sequence[Logic]) -> Mapping[str, Sequence[str]]:
        seen = self.learned()
        table = baselines.NearestNeighbour([e.text for e in seen], [e.form for e in seen])
        return {"nearest sentence": table.predict(example.text for example in examples)}

    def score(self, predictions: Sequence[str], examples: Sequence[Logic]) -> list[Score]:
        right, groups = [example.form for example in examples], stories(examples)
        return [
            form_match(predictions, right, groups=groups),
            valid_forms(predictions, known(), groups=groups),
        ]


def grammar(tokenizer: Tokenizer) -> Constrained:
    """A processor that lets a model write valid forms only: known predicates, roles in order."""
    return Constrained(tokenizer, _begins, _complete)


@cache
def known() -> dict[str, tuple[str, ...]]:
    """Every predicate of the story world, with the roles that it can have."""
    return signature(storyworld.world().grammar)


def _begins(text: str) -> bool:
    return text[:1] in ("", " ") and begins(text[1:], known())


def _complete(text: str) -> bool:
    try:
        parse(text[1:], known())
    except FormError:
        return False
    return text[:1] == " "
