"""Learning merges: again and again, the most frequent pair of neighbours becomes one token.

Source: Sennrich, Haddow and Birch 2016, section 3.2, on bytes as in Radford et al. 2019.

The text is counted once, as distinct words. A word is kept as a string with one character per
token, `chr(id)`, so that Python's own `split` and `join` do the merging.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from operator import add

from gptlib.tokenizer.bytelevel import BYTE_ORDER, BYTE_TO_ID


def learn_merges(words: Counter[str], n_merges: int) -> list[tuple[bytes, bytes]]:
    """Learn at most `n_merges` merges from the counts of the words of a text.

    Of equally frequent pairs the one with the smaller ids goes first, as in `tokenizers`. Fewer
    merges come back where every word has become a single token.
    """
    pairs = _Pairs(words)
    merges: list[str] = []
    while len(merges) < n_merges and (pair := pairs.most_frequent()):
        pairs.merge(pair, token=chr(256 + len(merges)))
        merges.append(pair)

    token_bytes = [bytes([byte]) for byte in BYTE_ORDER]
    learned = []
    for pair in merges:
        learned.append((token_bytes[ord(pair[0])], token_bytes[ord(pair[1])]))
        token_bytes.append(b"".join(learned[-1]))
    return learned


def as_characters(word: str) -> str:
    """A word as one character per byte: `chr(id)` of the byte's token.

    Raises UnicodeEncodeError for a lone surrogate, which UTF-8 can't write.
    """
    return word.encode().translate(BYTE_TO_ID).decode("latin-1")


def neighbours(word: str) -> Iterable[str]:
    """Each pair of neighbouring tokens, as a string of two characters."""
    return map(add, word, word[1:])


class _Pairs:
    """The pairs of all words: how frequent each is, and in which words it stands.

    Merging a pair visits only the words that hold it, and changes only the counts beside it.
    """

    def __init__(self, words: Counter[str]) -> None:
        self._words = [as_characters(word) for word in words]
        self._repeats = list(words.values())
        self._count: defaultdict[str, int] = defaultdict(int)
        self._where: defaultdict[str, list[int]] = defaultdict(list)
        for i, (word, repeats) in enumerate(zip(self._words, self._repeats, strict=True)):
            for pair in neighbours(word):
                self._count[pair] += repeats
                self._where[pair].append(i)
        self._queue = [(-count, pair) for pair, count in self._count.items()]
        heapify(self._queue)

    def most_frequent(self) -> str | None:
        """The pair to merge next, or None where no pair is left."""
        # The queue is lazy. A pair enters it when it first appears, and from then on its count
        # can only fall; so an entry that proves too high goes back in with what is left.
        while self._queue:
            priority, pair = heappop(self._queue)
            count = self._count[pair]
            if count == -priority:
                return pair
            if count > 0:
                heappush(self._queue, (-count, pair))
        return None

    def merge(self, pair: str, token: str) -> None:
        """Replace a pair by one token in every word, from left to right."""
        first, second = pair[0], pair[1]
        count, appeared = self._count, defaultdict[str, list[int]](list)
        for i in self._where.pop(pair):
            left, *rest = self._words[i].split(pair)
            if not rest:
                continue  # an earlier merge took one of the two, or this word was met before
            self._words[i] = token.join([left, *rest])
            repeats = self._repeats[i]
            for n, right in enumerate(rest):
                # (left, first) and (second, right) become (left, token) and (token, right).
                if left:
                    count[left[-1] + first] -= repeats
                    appeared[left[-1] + token].append(i)
                elif n:
                    count[second + first] -= repeats
                    appeared[token + token].append(i)
                if right:
                    count[second + right[0]] -= repeats
                    appeared[token + right[0]].append(i)
                left = right
        del count[pair]
        for new, where in appeared.items():
            self._where[new] = where
            count[new] = sum(map(self._repeats.__getitem__, where))
            heappush(self._queue, (-count[new], new))
