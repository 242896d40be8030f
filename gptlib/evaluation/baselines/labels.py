"""Labels without a model: the commonest one, and the one that words had most often."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from gptlib.evaluation.baselines.words import words
from gptlib.evaluation.pairs import paired


class Majority:
    """Says the commonest label of the training data, whatever the text; of several, the first met.

    Raises ValueError where there are no labels.
    """

    def __init__(self, labels: Iterable[str]) -> None:
        counts = Counter(labels)
        if not counts:
            raise ValueError("there are no labels to learn from")
        self.label = counts.most_common(1)[0][0]

    def predict(self, texts: Iterable[str]) -> list[str]:
        """The same label for each text."""
        return [self.label for _ in texts]


class WordVote:
    """Each word of a text votes with the labels of the training texts that it stood in.

    A word's vote is split as its texts' labels were; words never seen do not vote, and a text of
    none but these gets the commonest label. Raises ValueError where texts and labels do not pair.
    """

    def __init__(self, texts: Iterable[str], labels: Iterable[str]) -> None:
        examples, theirs = paired(texts, labels)
        self._default = Majority(theirs).label
        self._labels = sorted(set(theirs))
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for text, label in zip(examples, theirs, strict=True):
            for word in set(words(text)):
                self._counts[word][label] += 1

    def predict(self, texts: Iterable[str]) -> list[str]:
        """The label with most votes; of several, the first in alphabetical order."""
        return [self._label(text) for text in texts]

    def _label(self, text: str) -> str:
        known = [self._counts[word] for word in words(text) if word in self._counts]
        if not known:
            return self._default
        return max(
            self._labels, key=lambda label: sum(votes[label] / votes.total() for votes in known)
        )


class WordTags:
    """Tags each token as that token was most often tagged; one never seen, as most tokens were.

    Upper and lower case are one. Source: the baseline of Charniak et al. 1993, "Equations for
    Part-of-Speech Tagging", section 2.
    Raises ValueError where tokens and tags do not pair.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], tags: Iterable[Sequence[str]]) -> None:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for tokens, theirs in zip(*paired(sentences, tags), strict=True):
            for token, tag in zip(*paired(tokens, theirs), strict=True):
                counts[token.lower()][tag] += 1
        self._tag = {word: found.most_common(1)[0][0] for word, found in counts.items()}
        total: Counter[str] = sum(counts.values(), Counter())
        self._default = total.most_common(1)[0][0]

    def predict(self, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        """The tags of each sentence's tokens."""
        return [
            [self._tag.get(token.lower(), self._default) for token in tokens]
            for tokens in sentences
        ]
