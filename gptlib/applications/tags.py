"""Tagging: who and what a sentence names, as a list of entities in its order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gptlib.applications.application import Application, stories
from gptlib.evaluation import Score, baselines, span_f1, tag_accuracy
from gptlib.model import GPT
from gptlib.storyworld.tasks.tags import Tags
from gptlib.tokenizer import Tokenizer

NOTHING = "none"


class Tag(Application[Tags]):
    """Entities as `Omar = person, old door = object`, in the order of the sentence."""

    name = "tags"
    task = "tags"
    room = 90

    def request(self, example: Tags) -> str:
        return "\nNames:"

    def answer(self, example: Tags) -> str:
        found = [f"{words} = {kind}" for words, kind in listed(example.tokens, example.entities)]
        return f" {', '.join(found) or NOTHING}"

    def predict(
        self, model: GPT, tokenizer: Tokenizer, examples: Sequence[Tags], progress: bool = False
    ) -> Sequence[list[str]]:
        answers = super().predict(model, tokenizer, examples, progress)
        return [tagged(e.tokens, answer) for e, answer in zip(examples, answers, strict=True)]

    def baselines(self, examples: Sequence[Tags]) -> Mapping[str, Sequence[list[str]]]:
        seen = self.learned()
        table = baselines.WordTags([e.tokens for e in seen], [e.entities for e in seen])
        return {"word by word": table.predict([e.tokens for e in examples])}

    def score(self, predictions: Sequence[list[str]], examples: Sequence[Tags]) -> list[Score]:
        right, groups = [list(e.entities) for e in examples], stories(examples)
        return [
            span_f1(predictions, right, groups=groups),
            tag_accuracy(predictions, right, groups=groups),
        ]


def listed(tokens: Sequence[str], tags: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each entity of a sentence in BIO: its words and its kind, in lower case."""
    words: list[str] = []
    kind = ""
    for token, tag in zip([*tokens, ""], [*tags, "O"], strict=True):
        if words and not tag.startswith("I-"):
            yield " ".join(words), kind
            words = []
        if tag != "O":
            words.append(token)
            kind = tag[2:].lower()


def tagged(tokens: Sequence[str], answer: str) -> list[str]:
    """The BIO tags that an answer gives the tokens of its sentence.

    Each entity is looked for behind the one before it; what the sentence does not have is left
    out, and so is what is no `words = kind`.
    """
    tags = ["O"] * len(tokens)
    start = 0
    for entity in answer.strip().split(", "):
        words, equals, kind = entity.partition(" = ")
        wanted = words.split()
        if not equals or not wanted or not kind.isalpha():
            continue
        for at in range(start, len(tokens) - len(wanted) + 1):
            if list(tokens[at : at + len(wanted)]) == wanted:
                tags[at : at + len(wanted)] = [
                    f"{'I' if n else 'B'}-{kind.upper()}" for n in range(len(wanted))
                ]
                start = at + len(wanted)
                break
    return tags
