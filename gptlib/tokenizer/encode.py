"""Applying merges to one word, and remembering the answer.

Words repeat, so a text is encoded at the speed of a dictionary: only a word never met before is
merged.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import pairwise

from gptlib.tokenizer.train import as_characters, neighbours

# Bounds the memory of the cache, at some 30 MB, on text with endlessly many words.
_MOST_WORDS = 2**17
# Bounds the depth of merges that a quick look goes into; nearly all tokens are shorter.
_LONG = 64  # bytes


class Encoder(dict[str, tuple[int, ...]]):
    """A dictionary from words to token ids that works out, and keeps, the words it lacks.

    Args:
        merges: the pairs in the order they were learned, both parts given by their place in
            bytes + merges (a byte's place is its GPT-2 id, merge number n makes place 256 + n).
        ids: the token id at each place.

    Looking up a word raises UnicodeEncodeError for a lone surrogate.
    """

    def __init__(self, merges: Sequence[tuple[int, int]], ids: Sequence[int]) -> None:
        super().__init__()
        # As in training, a word is a string of `chr(place)`. The smaller character was learned
        # first, so comparing characters compares ranks.
        self._pair_of = {chr(256 + n): chr(a) + chr(b) for n, (a, b) in enumerate(merges)}
        self._token_of = {pair: token for token, pair in self._pair_of.items()}
        self._ids = ids
        spelled = [chr(byte) for byte in range(256)]
        for a, b in merges:
            spelled.append(spelled[a] + spelled[b])
        self._token_spelled = {word: chr(n) for n, word in enumerate(spelled)}
        self._whole: dict[str, bool] = {}

    def __missing__(self, word: str) -> tuple[int, ...]:
        if len(self) >= _MOST_WORDS:
            self.clear()
        merged = self.merge(as_characters(word))
        ids = self[word] = tuple(map(self._ids.__getitem__, map(ord, merged)))
        return ids

    def merge(self, word: str) -> str:
        """Apply to a word, in the order they were learned, all merges that fit it."""
        token = self._token_spelled.get(word) if len(word) <= _LONG else None
        if token and self._is_whole(token):
            return token  # most words are one token, and need no merging one by one
        token_of, pair_of = self._token_of.get, self._pair_of
        # A sorted list is a heap.
        queue = sorted(filter(None, map(token_of, neighbours(word))))
        while queue:
            token = heappop(queue)
            parts = word.split(pair_of[token])
            if len(parts) == 1:
                continue  # an earlier merge took one of the two
            word = token.join(parts)
            for left, right in pairwise(parts):
                if new := token_of(left[-1:] + token):
                    heappush(queue, new)
                if new := token_of(token + (right[:1] or token)):
                    heappush(queue, new)
        return word

    def _is_whole(self, token: str) -> bool:
        """Whether merging a token's bytes is known to make that token.

        It does where the merges were learned from a text, but merges may come from anywhere.
        """
        if token not in self._pair_of:
            return True
        if token not in self._whole:
            left, right = tuple(self._pair_of[token])
            self._whole[token] = (
                self._is_whole(left) and self._is_whole(right) and self._stay_apart(left, right)
            )
        return self._whole[token]

    def _stay_apart(self, left: str, right: str) -> bool:
        """Whether nothing merges across the border of two tokens before both are made."""
        while True:
            # Undo the later one, and see whether its part would have merged across instead.
            if left > right and left in self._pair_of:
                made, left = left, self._pair_of[left][1]
            elif right in self._pair_of:
                made, right = right, self._pair_of[right][0]
            else:
                return True
            across = self._token_of.get(left + right)
            if across and across <= made:
                return False
