"""Which sentences a split may show: their combinations of words are held out, too.

Stories of two splits share short sentences, though their keys differ. So a sentence task takes a
sentence only if the set of lexicon words in it (`ball, lily, red`) belongs to the split, by the
rule that splits keys. That set is a function of the text: equal sentences are in one split. Sets
of fewer than two words combine nothing; they train.
"""

from __future__ import annotations

import re
from functools import cache

from gptlib import storyworld
from gptlib.storyworld.splits import split_of

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


@cache
def _lexicon() -> frozenset[str]:
    """Every word that names somebody, something or a quality, at any level."""
    entries = storyworld.world().grammar.lexicon.entries.values()
    return frozenset(w for group in entries for e in group.values() for w in _words(e.id))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def combination(text: str) -> tuple[str, ...]:
    """The lexicon words of a sentence, in alphabetical order."""
    return tuple(sorted(_lexicon().intersection(_words(text))))


def inside(text: str, split: str) -> bool:
    """Whether a split of the sentence tasks may show a sentence."""
    words = combination(text)
    return (split_of(" ".join(words)) if len(words) > 1 else "train") == split
