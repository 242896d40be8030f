"""Tags: the part of speech and the entity of every token.

A token is a word or a punctuation mark, as in Universal Dependencies for English
(https://universaldependencies.org/en/): hyphens and inner apostrophes stay in a word, but the
possessive `'s` and contracted words (`n't`, `'ll`) are tokens of their own. Entities are tagged in
BIO (Ramshaw & Marcus 1995, "Text Chunking using Transformation-Based Learning").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.meaning import Word
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.telling import Telling

UPOS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)
"""The tags of Universal Dependencies."""

_TOKEN = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|[^\sA-Za-z]")
_CLITIC = re.compile(r"(.+?)(n['’]t|['’](?:s|ll|re|ve|m|d))$", re.IGNORECASE)
_HOSTS = {"ca": "AUX", "wo": "AUX", "sha": "AUX", "ai": "AUX", "let": "VERB"}


@dataclass(frozen=True, slots=True)
class Tags(Example):
    """A sentence as tokens, with a part of speech and an entity tag for each."""

    text: str
    tokens: tuple[str, ...]
    pos: tuple[str, ...]
    entities: tuple[str, ...]


def tag(telling: Telling) -> Iterator[Tags]:
    """The tags of each sentence of a story.

    >>> _, tags, *_ = tasks.examples("tags", None, 1, 2, level="nursery")
    >>> tags.tokens
    ('He', 'had', 'a', 'red', 'drum', '.')
    >>> tags.pos
    ('PRON', 'AUX', 'DET', 'ADJ', 'NOUN', 'PUNCT')
    >>> tags.entities
    ('O', 'O', 'O', 'O', 'B-OBJECT', 'O')
    """
    grammar = telling.grammar
    names = _names(grammar)
    for sentence in telling.story.sentences:
        tokens: list[str] = []
        pos: list[str] = []
        words = iter(sentence.words)
        for text in _TOKEN.findall(sentence.text):
            tokens.append(text)
            if text[0].isalpha():
                word = next(words)
                pos.append(word.pos)
                if "'" in text or "’" in text:
                    parts = _split(text, word, grammar)
                    tokens[-1:] = [part for part, _ in parts]
                    pos[-1:] = [tagged for _, tagged in parts]
            else:
                pos.append("PUNCT")
        entities = _entities(tokens, pos, names)
        yield Tags(telling.story.seed, sentence.text, tuple(tokens), tuple(pos), tuple(entities))


def _split(text: str, word: Word, grammar: Grammar) -> tuple[tuple[str, str], ...]:
    """A word with an apostrophe as its tokens: `Lily's` is `Lily` and `'s`."""
    match = _CLITIC.match(text)
    if not match:
        return ((text, word.pos),)
    host, clitic = match[1], match[2]
    known = _HOSTS.get(host.lower()) or grammar.pos.get(host.lower(), "")
    if clitic.lower().startswith("n"):
        return (host, known or "AUX"), (clitic, "PART")
    if word.pos in ("NOUN", "PROPN"):
        return (host, word.pos), (clitic, "PART")
    after = "PRON" if host.lower() == "let" else "AUX"
    return (host, known if known and known != "DET" else "PRON"), (clitic, after)


Names = dict[str, list[tuple[tuple[str, ...], str]]]
"""First word of a name -> names that begin with it, longest first, and their entity labels."""


@lru_cache(maxsize=16)
def _names(grammar: Grammar) -> Names:
    """Every name of the lexicon that an entity can be called by, in lower case."""
    found: dict[tuple[str, ...], str] = {}
    for kind, group in grammar.lexicon.entries.items():
        family = grammar.lexicon.family(kind)
        label = next((grammar.labels[t] for t in family if t in grammar.labels), "")
        for entry in group.values() if label else ():
            for name in (entry.id, entry.noun, entry.plural):
                found.setdefault(tuple(name.lower().split()), label)
    names: Names = {}
    for words, label in sorted(found.items(), key=lambda item: (-len(item[0]), item[0])):
        names.setdefault(words[0], []).append((words, label))
    return names


def _entities(tokens: list[str], pos: list[str], names: Names) -> list[str]:
    """BIO tags: the longest name at each place whose last word is a noun."""
    lower = " ".join(tokens).lower().split(" ")
    tags = ["O"] * len(tokens)
    end = 0
    for at, token in enumerate(lower):
        if at < end or token not in names:
            continue
        for words, label in names[token]:
            end = at + len(words)
            if tuple(lower[at:end]) == words and pos[end - 1] in ("NOUN", "PROPN"):
                tags[at:end] = [f"B-{label}", *[f"I-{label}"] * (len(words) - 1)]
                break
        else:
            end = at + 1
    return tags
