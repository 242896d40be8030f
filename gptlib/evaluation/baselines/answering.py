"""Answers without a model: what is answered most often, and the first name in the text."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from gptlib.evaluation.baselines.words import words
from gptlib.evaluation.pairs import paired

_CAPITAL = re.compile(r"[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
_BEFORE = re.compile(r"[\w,;] $")


class CommonAnswer:
    """Answers as questions with the same first word were answered most often.

    The first word stands for the question's kind (who, where, did): a kind from the data would
    tell it which questions have no answer. A first word never seen gets the commonest answer of
    all. Raises ValueError where questions and answers do not pair.
    """

    def __init__(self, questions: Iterable[str], answers: Iterable[str]) -> None:
        asked, right = paired(questions, answers)
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for question, answer in zip(asked, right, strict=True):
            counts[_kind(question)][answer] += 1
        self._answer = {kind: found.most_common(1)[0][0] for kind, found in counts.items()}
        self._default = Counter(right).most_common(1)[0][0]

    def predict(self, questions: Iterable[str]) -> list[str]:
        """The answer to each question."""
        return [self._answer.get(_kind(question), self._default) for question in questions]


def first_entities(texts: Iterable[str]) -> list[str]:
    """The first name in each text: the first words in capitals inside a sentence; "" if none.

    A capital at a sentence's beginning tells nothing, and `I` is no name.
    """
    return [_first_name(text) for text in texts]


def _first_name(text: str) -> str:
    for match in _CAPITAL.finditer(text):
        before = text[max(0, match.start() - 2) : match.start()]
        name = re.sub(r"['’]s$", "", match[0])
        if _BEFORE.search(before) and name != "I":
            return name
    return ""


def _kind(question: str) -> str:
    return next(iter(words(question)), "")
