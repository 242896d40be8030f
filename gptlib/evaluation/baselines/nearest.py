"""The nearest training example's output, by TF-IDF and the cosine."""

from collections.abc import Iterable

import numpy as np

from gptlib.evaluation.packages import needed
from gptlib.evaluation.pairs import paired


class NearestNeighbour:
    """Answers with the output of the training input that shares most, and the rarest, words.

    Inputs are vectors of TF-IDF, compared by the cosine (Salton & Buckley 1988), through
    scikit-learn. It can say nothing that training did not have: what it lacks on combinations
    never seen is what a parser has to bring.
    Raises ValueError where inputs and outputs do not pair.
    """

    def __init__(self, inputs: Iterable[str], outputs: Iterable[str]) -> None:
        texts, self._outputs = paired(inputs, outputs)
        # Words of one letter count too: "I" and "a" are left out otherwise.
        vectorizer = needed("sklearn.feature_extraction.text", "scikit-learn").TfidfVectorizer
        self._vectorizer = vectorizer(token_pattern=r"\b\w+\b")
        self._vectors = self._vectorizer.fit_transform(texts)

    def nearest(self, inputs: Iterable[str], batch_size: int = 256) -> list[int]:
        """The index of each input's nearest training input; of several, the first."""
        asked = list(inputs)
        found: list[int] = []
        for begin in range(0, len(asked), batch_size):
            vectors = self._vectorizer.transform(asked[begin : begin + batch_size])
            # Vectors have length 1, so their products are cosines.
            found += np.asarray((vectors @ self._vectors.T).argmax(axis=1)).ravel().tolist()
        return found

    def predict(self, inputs: Iterable[str]) -> list[str]:
        """The output of each input's nearest training input."""
        return [self._outputs[i] for i in self.nearest(inputs)]
