"""How a tokenizer cuts a text: its tokens, and the merges that made them one by one."""

from dataclasses import dataclass
from itertools import pairwise

from gptlib.tokenizer import Tokenizer, pretokenize
from gptlib.widgets.subject import spelled

LONGEST = 600  # tokens that can be shown


@dataclass(frozen=True)
class Token:
    """A token of the text; `word` says which word it is part of."""

    id: int
    text: str
    n_bytes: int
    word: int


@dataclass(frozen=True)
class Merge:
    """One step of merging a word: which pair, the how-manieth merge learned, what is left."""

    left: str
    right: str
    rank: int
    parts: list[str]
    merged: list[int]  # places in `parts` that this step made


def words(tokenizer: Tokenizer, text: str) -> list[tuple[str, list[int]]]:
    """The text's words with their ids, in order; a special token is a word. Joined: the text."""
    found: list[tuple[str, list[int]]] = []
    for part in _split(tokenizer, text):
        if part in tokenizer.special_tokens:
            found.append((part, [tokenizer.special_tokens[part]]))
        else:
            found += [(word, tokenizer.encode(word, special=False)) for word in pretokenize(part)]
    return found


def _split(tokenizer: Tokenizer, text: str) -> list[str]:
    """The text cut at special tokens, which stay as parts; where two begin, the longer wins."""
    specials = sorted(tokenizer.special_tokens, key=len, reverse=True)
    parts, begun, at = [], 0, 0
    while at < len(text):
        token = next((special for special in specials if text.startswith(special, at)), None)
        if token is None:
            at += 1
            continue
        parts += [text[begun:at], token]
        begun = at = at + len(token)
    return [part for part in (*parts, text[begun:]) if part]


def tokens(tokenizer: Tokenizer, text: str) -> list[Token]:
    """Every token of the text. Raises `ValueError` for none, and for too many to show."""
    if not text:
        raise ValueError("The text is empty: type a few words.")
    found = []
    for number, (_, ids) in enumerate(words(tokenizer, text)):
        for id in ids:
            piece = tokenizer.token_bytes(id)
            found.append(Token(id, spelled(piece), len(piece), number))
    if len(found) > LONGEST:
        raise ValueError(f"The text has {len(found):,} tokens; {LONGEST} can be shown: shorten it.")
    return found


def replay(tokenizer: Tokenizer, word: str) -> tuple[list[str], list[Merge]]:
    """A word's bytes, then each merge in the order it happens.

    As the definition has it: of all neighbours, merge the pair that was learned first, wherever it
    stands; again until no pair was learned. (`Tokenizer.encode` finds the same result faster.)
    """
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    parts = [bytes([byte]) for byte in word.encode()]
    if word in tokenizer.special_tokens:
        return [word], []
    start = [spelled(part) for part in parts]
    steps: list[Merge] = []
    while True:
        pairs = [pair for pair in pairwise(parts) if pair in ranks]
        if not pairs:
            return start, steps
        pair = min(pairs, key=ranks.__getitem__)
        joined: list[bytes] = []
        made: list[int] = []
        at = 0
        while at < len(parts):
            if tuple(parts[at : at + 2]) == pair:
                made.append(len(joined))
                joined.append(pair[0] + pair[1])
                at += 2
            else:
                joined.append(parts[at])
                at += 1
        parts = joined
        left, right = map(spelled, pair)
        steps.append(Merge(left, right, ranks[pair], [spelled(p) for p in parts], made))
