"""Summaries: ROUGE-1, ROUGE-2 and ROUGE-L, through rouge-score.

ROUGE-N is the F1 of n-grams, ROUGE-L that of the longest common subsequence, each averaged over
the summaries. Source: Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries",
sections 2 and 3.1. All scores are in percent.
"""

import re
from collections.abc import Iterable
from typing import Unpack

from gptlib.evaluation.bootstrap import Resampling, mean
from gptlib.evaluation.packages import needed
from gptlib.evaluation.pairs import texts
from gptlib.evaluation.score import Score

_TYPES = {"ROUGE-1": "rouge1", "ROUGE-2": "rouge2", "ROUGE-L": "rougeL"}
UNITS = ("words", "characters")


class _Characters:
    """What rouge-score asks of a tokenizer: every character but spaces stands for itself."""

    def tokenize(self, text: str) -> list[str]:
        return [character for character in text.lower() if not character.isspace()]


def rouge(
    predictions: Iterable[str],
    references: Iterable[str],
    unit: str = "words",
    stem: bool = False,
    **how: Unpack[Resampling],
) -> dict[str, Score]:
    """ROUGE-1, ROUGE-2 and ROUGE-L, by name.

    Args:
        unit: "words" are runs of a-z and 0-9; all else counts for nothing, so that Chinese would
            score 0. "characters" are for Chinese.
        stem: cut words to their stems (Porter 1980) first.

    Raises ValueError for a reference that has no words, where these are the unit.
    """
    if unit not in UNITS:
        raise ValueError(f"unit={unit!r}: use one of {', '.join(UNITS)}")
    if stem and unit != "words":
        raise ValueError("stem=True cuts words: it has no meaning with unit='characters'")
    mine, theirs = texts(predictions, references)
    if unit == "words":
        _check_words(theirs)
    scorer = needed("rouge_score.rouge_scorer", "rouge-score").RougeScorer(
        list(_TYPES.values()),
        use_stemmer=stem,
        tokenizer=_Characters() if unit == "characters" else None,
    )
    found = [scorer.score(right, text) for text, right in zip(mine, theirs, strict=True)]
    return {
        name: mean(name, [100 * each[kind].fmeasure for each in found], **how)
        for name, kind in _TYPES.items()
    }


def _check_words(references: list[str]) -> None:
    for number, text in enumerate(references):
        if text.strip() and not re.search("[a-z0-9]", text.lower()):
            raise ValueError(
                f"reference {number}, {text[:20]!r}, has none of the words that ROUGE reads "
                "(a-z, 0-9), and any prediction would score 0: use unit='characters'"
            )
