"""Search: recall@k, mean reciprocal rank and nDCG@k of ranked documents with graded relevance.

A ranking lists documents, best first, and is scored against a grade for each relevant one; those
not listed have grade 0. It holds no ties: whoever ranks has settled them (`ranked` settles them by
the documents' order). Scores are means over queries, in percent.
Sources: Manning, Raghavan & Schütze 2008, sections 8.4 and 8.5; Voorhees 1999 (reciprocal rank);
Järvelin & Kekäläinen 2002 (nDCG).
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar, Unpack

import numpy as np

from gptlib.evaluation.bootstrap import Resampling, mean
from gptlib.evaluation.pairs import paired
from gptlib.evaluation.score import Score

Ranking = Sequence[Hashable]
Grades = Mapping[Hashable, float]
D = TypeVar("D", bound=Hashable)

GAINS: dict[str, Callable[[float], float]] = {
    "linear": float,
    "exponential": lambda grade: 2.0**grade - 1,
}
"""What a grade is worth to nDCG."""


def ranked(documents: Sequence[D], scores: Sequence[float]) -> list[D]:
    """The documents, highest score first; of those with one score, in their own order."""
    if len(documents) != len(scores):
        raise ValueError(f"{len(scores)} scores for {len(documents)} documents: each needs one")
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    return [documents[i] for i in order]


def recall_at(
    rankings: Iterable[Ranking],
    relevant: Iterable[Grades],
    k: int = 10,
    least: float = 1,
    **how: Unpack[Resampling],
) -> Score:
    """Of the documents whose grade is `least` or more, the share among the first k.

    Raises ValueError for a query that has no such document: it has no recall.
    """
    found = []
    for ranking, wanted in _relevant(rankings, relevant, k, least):
        found.append(100 * len(wanted.intersection(ranking[:k])) / len(wanted))
    return mean(f"recall@{k}", found, **how)


def mrr(
    rankings: Iterable[Ranking],
    relevant: Iterable[Grades],
    least: float = 1,
    **how: Unpack[Resampling],
) -> Score:
    """1 / the rank of the first document whose grade is `least` or more; 0 if none is ranked.

    Raises ValueError for a query that has no such document.
    """
    found = []
    for ranking, wanted in _relevant(rankings, relevant, 1, least):
        ranks = (rank for rank, document in enumerate(ranking, 1) if document in wanted)
        first = next(ranks, None)
        found.append(100 / first if first else 0.0)
    return mean("MRR", found, **how)


def ndcg(
    rankings: Iterable[Ranking],
    relevant: Iterable[Grades],
    k: int = 10,
    gain: str = "linear",
    **how: Unpack[Resampling],
) -> Score:
    """Gains of the first k, each divided by log2(1 + rank), over the most that k can have.

    The gain of a document is its grade, as in scikit-learn's `ndcg_score`, whose value this is
    where scores are not tied; with `gain="exponential"`, 2^grade - 1 (Burges et al. 2005).
    Raises ValueError for a query with no relevant document.
    """
    if gain not in GAINS:
        raise ValueError(f"gain={gain!r}: use one of {', '.join(GAINS)}")
    worth = GAINS[gain]
    found = []
    for number, (ranking, grades) in enumerate(_queries(rankings, relevant, k)):
        best = _discounted(sorted(map(worth, grades.values()), reverse=True)[:k])
        if not best > 0:
            raise ValueError(f"query {number} has no relevant document: leave it out")
        gains = [worth(grades.get(document, 0)) for document in ranking[:k]]
        found.append(100 * _discounted(gains) / best)
    return mean(f"nDCG@{k}", found, **how)


def _discounted(gains: list[float]) -> float:
    return float(np.sum(np.array(gains) / np.log2(2 + np.arange(len(gains)))))


def _queries(
    rankings: Iterable[Ranking], relevant: Iterable[Grades], k: int
) -> Iterable[tuple[Ranking, Grades]]:
    if k < 1:
        raise ValueError(f"k={k!r}: must be at least 1")
    mine, theirs = paired(rankings, relevant)
    for number, (ranking, grades) in enumerate(zip(mine, theirs, strict=True)):
        if isinstance(ranking, str) or len(set(ranking)) < len(ranking):
            raise ValueError(f"query {number}: a ranking is a list that has no document twice")
        if any(grade < 0 for grade in grades.values()):
            raise ValueError(f"query {number}: grades must be 0 or more")
    return zip(mine, theirs, strict=True)


def _relevant(
    rankings: Iterable[Ranking], relevant: Iterable[Grades], k: int, least: float
) -> Iterable[tuple[Ranking, set[Hashable]]]:
    if least <= 0:
        raise ValueError(f"least={least!r}: must be above 0, the grade of all other documents")
    for number, (ranking, grades) in enumerate(_queries(rankings, relevant, k)):
        wanted = {document for document, grade in grades.items() if grade >= least}
        if not wanted:
            raise ValueError(
                f"query {number} has no document of grade {least} or more: leave it out"
            )
        yield ranking, wanted
