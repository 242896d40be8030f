"""Summaries without a model: some of a text's own sentences."""

import re
from collections.abc import Iterable
from random import Random

# A full stop and what closes after it; in Latin script a space or the end must follow.
_SENTENCE = re.compile(r"\S.*?(?:[.!?]+[\"'”’)]*(?=\s|$)|[。！？]+[”’）]*|$)", re.DOTALL)


def sentences(text: str) -> list[str]:
    """The sentences of a text, by their punctuation; `Mr. Brown` ends one, wrongly.

    >>> sentences('"Come in!" said Ben. It rained.')
    ['"Come in!"', 'said Ben.', 'It rained.']
    """
    return [found.strip() for found in _SENTENCE.findall(text)]


def lead(texts: Iterable[str], n: int = 3) -> list[str]:
    """The first `n` sentences of each text (Lead-3).

    News puts what matters first, and there it is hard to beat (See et al. 2017, section 5).
    """
    return [" ".join(sentences(text)[:n]) for text in texts]


def drawn(texts: Iterable[str], n: int = 3, seed: int = 0) -> list[str]:
    """`n` sentences of each text, drawn at random, in its order (Random-3).

    The draw depends on seed and text alone, and is the same on every machine.
    """
    found = []
    for text in texts:
        own = sentences(text)
        chosen = Random(f"{seed} {text}").sample(range(len(own)), min(n, len(own)))
        found.append(" ".join(own[i] for i in sorted(chosen)))
    return found
