"""Cutting text into words, so that no token spans two of them.

Source: Radford et al. 2019, section 2.2; the pattern is the one of GPT-2's released code.
"""

import re
from collections.abc import Iterable, Iterator

import regex

# Contractions; then a word, a number or other signs, each with the one space before it; then
# blanks, of which the last is left to the word that follows.
PATTERN = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_WORD = regex.compile(PATTERN)
# The same for ASCII, where Python's own `re` needs no \p{...} and half the time.
_ASCII_WORD = re.compile(
    r"'(?:[sdmt]|ll|ve|re)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+", re.ASCII
)
# The last place in a text where a blank follows something that is not blank.
_LAST_CUT = regex.compile(r"(?r)(?<=\S)\s")


def pretokenize(text: str) -> list[str]:
    """Cut a text into GPT-2's words; joined, they are the text again.

    >>> pretokenize("It's a dog.")
    ['It', "'s", ' a', ' dog', '.']
    """
    pattern = _ASCII_WORD if text.isascii() else _WORD
    return pattern.findall(text)


class SpecialTokens:
    """Finds special tokens in a text: of two that begin at one place, the longer.

    Raises ValueError for a token that is empty or holds blanks, where a text may be cut.
    """

    def __init__(self, tokens: Iterable[str]) -> None:
        longest_first = sorted(tokens, key=len, reverse=True)
        for token in longest_first:
            if not token or regex.search(r"\s", token):
                raise ValueError(f"a special token must have characters but no blanks: {token!r}")
        self._any = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        self._none = not longest_first

    def split(self, text: str) -> list[str]:
        """Cut a text: ordinary text at even places, special tokens between them at odd ones."""
        return [text] if self._none else self._any.split(text)


def cut_between_words(stream: Iterable[str]) -> Iterator[str]:
    """Cut a stream of text anew, so that its pieces have the words of the whole text.

    No word goes on with a blank after a character that is not blank, so a cut there changes
    nothing. A piece without such a place waits for the next one.
    """
    waiting: list[str] = []
    for text in stream:
        if cut := _LAST_CUT.search(text):
            yield "".join([*waiting, text[: cut.start()]])
            waiting = [text[cut.start() :]]
        else:
            waiting.append(text)
    if rest := "".join(waiting):
        yield rest
