"""Answers to questions: exact match and F1, and whether "no answer" is given where it is right.

Sources: Rajpurkar et al. 2016, "SQuAD: 100,000+ Questions for Machine Comprehension of Text",
section 6.1, for both metrics; Rajpurkar, Jia & Liang 2018, "Know What You Don't Know", section 5,
for questions that have no answer: there both are 1 where the prediction is empty too, else 0.
All scores are in percent.
"""

import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Unpack

from gptlib.evaluation.bootstrap import Resampling, mean, share
from gptlib.evaluation.pairs import paired
from gptlib.evaluation.score import Score

Reference = str | Sequence[str]
"""The right answer, or several that are all right; the empty text where there is none."""

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise(text: str) -> str:
    """Lower case; no ASCII punctuation; no a, an, the; single spaces.

    >>> normalise("The  Old-Oak, a tree!")
    'oldoak tree'
    """
    plain = text.lower().translate(_NO_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", plain).split())


def matches(prediction: str, reference: Reference) -> bool:
    """Is a prediction one of the right answers, once both are normalised?"""
    return normalise(prediction) in {normalise(right) for right in _answers(reference)}


def overlap(prediction: str, reference: Reference) -> float:
    """F1 of the words, from 0 to 1, with the right answer that gives most.

    >>> overlap("the red ball", "a ball")  # precision 1/2, recall 1
    0.6666666666666666
    """
    return max(_f1(normalise(prediction), normalise(right)) for right in _answers(reference))


def exact_match(
    predictions: Iterable[str], references: Iterable[Reference], **how: Unpack[Resampling]
) -> Score:
    """EM: how many predictions are right, word for word."""
    pairs = zip(*_checked(predictions, references), strict=True)
    return mean("EM", [100 * matches(mine, right) for mine, right in pairs], **how)


def answer_f1(
    predictions: Iterable[str], references: Iterable[Reference], **how: Unpack[Resampling]
) -> Score:
    """F1: how much of the words of predictions and answers is shared, averaged over questions."""
    pairs = zip(*_checked(predictions, references), strict=True)
    return mean("F1", [100 * overlap(mine, right) for mine, right in pairs], **how)


def unanswerable_recall(
    predictions: Iterable[str], references: Iterable[Reference], **how: Unpack[Resampling]
) -> Score:
    """Of the questions that have no answer, how many got none; n counts these questions."""
    mine, theirs = _checked(predictions, references)
    silent, unanswerable = [not normalise(p) for p in mine], [_none(r) for r in theirs]
    return share("unanswerable recall", silent, unanswerable, **how)


def unanswerable_precision(
    predictions: Iterable[str], references: Iterable[Reference], **how: Unpack[Resampling]
) -> Score:
    """Of the questions that got no answer, how many have none; n counts these questions."""
    mine, theirs = _checked(predictions, references)
    silent, unanswerable = [not normalise(p) for p in mine], [_none(r) for r in theirs]
    return share("unanswerable precision", unanswerable, silent, **how)


def _checked(
    predictions: Iterable[str], references: Iterable[Reference]
) -> tuple[list[str], list[Reference]]:
    mine, theirs = paired(predictions, references)
    for number, (prediction, reference) in enumerate(zip(mine, theirs, strict=True)):
        right = _answers(reference) if isinstance(reference, Iterable) else [reference]
        for text in (prediction, *right):
            if not isinstance(text, str):
                raise ValueError(f"question {number}: {text!r} is no text; no answer is ''")
        if not right:
            raise ValueError(f"question {number} has no reference; where no answer is right: ''")
    return mine, theirs


def _answers(reference: Reference) -> Sequence[str]:
    return [reference] if isinstance(reference, str) else reference


def _none(reference: Reference) -> bool:
    """No answer is right: the only one is empty."""
    return not any(map(normalise, _answers(reference)))


def _f1(prediction: str, right: str) -> float:
    mine, theirs = prediction.split(), right.split()
    if not mine or not theirs:
        return float(mine == theirs)
    shared = (Counter(mine) & Counter(theirs)).total()
    # 2PR / (P + R), with P = shared / len(mine) and R = shared / len(theirs).
    return 2 * shared / (len(mine) + len(theirs))
