"""BM25: search by the words that query and document share."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from gptlib.evaluation.baselines.words import words


class BM25:
    """Scores documents for a query: rare words count more, repeated ones less and less.

        score = sum over the query's words of idf * tf / (tf + k1 (1 - b + b length / mean length))
        idf   = ln(1 + (N - n + 0.5) / (n + 0.5))

    N documents, n of them with the word, tf times in this one. Source: Robertson & Zaragoza 2009,
    "The Probabilistic Relevance Framework: BM25 and Beyond", equations 3.15 and 3.3. The 1 in the
    logarithm is Lucene's; without it, a word in more than half of the documents would count against
    them. Words are as they stand: `gives` is not `give`.

    Args:
        k1: how soon further occurrences of a word stop counting.
        b: how much long documents are held back, from 0 to 1.

    Raises ValueError where there are no documents.
    """

    def __init__(self, documents: Sequence[str], k1: float = 1.2, b: float = 0.75) -> None:
        if not documents:
            raise ValueError("there are no documents to search")
        if k1 < 0 or not 0 <= b <= 1:
            raise ValueError(f"k1={k1!r}, b={b!r}: k1 must be at least 0, b between 0 and 1")
        counts = [Counter(words(text)) for text in documents]
        lengths = np.array([found.total() for found in counts])
        held_back = k1 * (1 - b + b * lengths / max(lengths.mean(), 1))
        postings: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for number, found in enumerate(counts):
            for word, tf in found.items():
                postings[word].append((number, tf))
        self.n_documents = len(documents)
        # Word -> its documents, and what it adds to the score of each.
        self._parts: dict[str, tuple[NDArray[np.intp], NDArray[np.float64]]] = {}
        for word, found_in in postings.items():
            numbers, tf = np.array(found_in).T
            self._parts[word] = numbers, self.idf(len(numbers)) * tf / (tf + held_back[numbers])

    def idf(self, n: int) -> float:
        """What a word in `n` of the documents counts."""
        return log(1 + (self.n_documents - n + 0.5) / (n + 0.5))

    def scores(self, query: str) -> NDArray[np.float64]:
        """(documents,) the score of each for a query; 0 where no word is shared."""
        total = np.zeros(self.n_documents)
        for word in words(query):
            if word in self._parts:
                numbers, parts = self._parts[word]
                total[numbers] += parts
        return total

    def rank(self, query: str) -> list[int]:
        """The indexes of all documents, best first; of those with one score, the first first."""
        order: list[int] = np.argsort(-self.scores(query), kind="stable").tolist()
        return order
