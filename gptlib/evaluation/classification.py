"""Classes: accuracy, macro F1 and what was taken for what.

Accuracy counts examples alike, macro F1 classes: a rare class that is never found costs as much
as a common one. Scores are in percent, and equal scikit-learn's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
from numpy.typing import NDArray

from gptlib.evaluation.bootstrap import Resampling, Rows, mean, score
from gptlib.evaluation.pairs import paired
from gptlib.evaluation.score import Score

NO_LABEL = "(other)"
"""Where `Confusion` counts predictions that are no label: a language model may say anything."""


@dataclass(frozen=True)
class Confusion:
    """How often an example of one class (row) was taken for one of another (column)."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    """(labels, labels + 1); the last column has the predictions that are no label."""

    def __str__(self) -> str:
        heads = [*self.labels, NO_LABEL]
        kept = len(heads) if self.counts[:, -1].any() else len(self.labels)
        first = max(map(len, self.labels))
        lines = [" " * first + "".join(f"  {head}" for head in heads[:kept])]
        for label, row in zip(self.labels, self.counts, strict=True):
            cells = zip(row[:kept], heads, strict=False)
            lines.append(f"{label:<{first}}" + "".join(f"  {n:>{len(head)}}" for n, head in cells))
        return "\n".join(lines)


def accuracy(
    predictions: Iterable[str], references: Iterable[str], **how: Unpack[Resampling]
) -> Score:
    """The share of predictions that are right."""
    pairs = zip(*paired(predictions, references), strict=True)
    return mean("accuracy", [100.0 * (mine == right) for mine, right in pairs], **how)


def confusion(
    predictions: Iterable[str],
    references: Iterable[str],
    labels: Sequence[str] | None = None,
) -> Confusion:
    """Count every pair of a reference and its prediction.

    `labels` are those of the references, sorted, unless given.
    Raises ValueError for a reference that is none of the labels.
    """
    mine, theirs = paired(predictions, references)
    names, pairs = _coded(mine, theirs, labels)
    return Confusion(names, _count(pairs, len(names)))


def macro_f1(
    predictions: Iterable[str],
    references: Iterable[str],
    labels: Sequence[str] | None = None,
    **how: Unpack[Resampling],
) -> Score:
    """The mean over classes of their F1; a prediction that is no label is wrong, no class.

    A class that a resample has none of, predicted or true, is left out of its mean.
    Raises ValueError for a reference that is none of the labels.
    """
    mine, theirs = paired(predictions, references)
    names, pairs = _coded(mine, theirs, labels)

    def of(rows: Rows) -> float:
        counts = _count(pairs[rows], len(names))
        both = counts.sum(axis=1) + counts[:, :-1].sum(axis=0)
        there = both > 0
        return float(100 * (2 * counts.diagonal()[there] / both[there]).mean())

    return score("macro F1", of, len(mine), **how)


def _coded(
    mine: list[str], theirs: list[str], labels: Sequence[str] | None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """The labels, and (examples, 2) indexes of reference and prediction among them."""
    names = tuple(sorted(set(theirs)) if labels is None else dict.fromkeys(labels))
    code = {name: number for number, name in enumerate(names)}
    for number, right in enumerate(theirs):
        if right not in code:
            raise ValueError(
                f"reference {number} is {right!r}, none of the labels {', '.join(names)}"
            )
    other = len(names)
    pairs = [(code[right], code.get(said, other)) for said, right in zip(mine, theirs, strict=True)]
    return names, np.array(pairs)


def _count(pairs: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """(labels, labels + 1) how often each pair comes."""
    width = n_labels + 1
    cells = np.bincount(pairs[:, 0] * width + pairs[:, 1], minlength=n_labels * width)
    return cells.reshape(n_labels, width)
