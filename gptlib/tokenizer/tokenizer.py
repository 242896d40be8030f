"""The tokenizer: text to ids and back, for GPT-2's vocabulary or one learned from any text."""

import codecs
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from gptlib.tokenizer.bytelevel import BYTE_ORDER
from gptlib.tokenizer.encode import Encoder
from gptlib.tokenizer.files import Contents, read_files, write_files
from gptlib.tokenizer.pretokenize import SpecialTokens, cut_between_words, pretokenize
from gptlib.tokenizer.train import learn_merges

END_OF_TEXT = "<|endoftext|>"


class Array(Protocol):
    """A one-dimensional tensor or array of ids."""

    def tolist(self) -> Any: ...


class Tokenizer:
    """Byte-level byte-pair encoding with GPT-2's words; any string goes there and back.

    Source: Radford et al. 2019, section 2.2.

    Args:
        merges: the pairs of tokens to merge, in the order they were learned.
        special_tokens: tokens that stand for no text, looked for before words are cut. A sequence
            gets the ids after all others; a mapping says which.
        vocab: the id of each token; by default GPT-2's rule: bytes, then merges in order.

    Raises ValueError where merges, vocabulary and special tokens do not fit together.

    Attributes:
        merges: list of (bytes, bytes).
        vocab: the id of each token but the special ones, by its bytes.
        special_tokens: the id of each special token, by its text.

    >>> tokenizer = Tokenizer.train("low lower lowest", vocab_size=260)
    >>> tokenizer.encode("slow<|endoftext|>")
    [82, 257, 259]
    """

    def __init__(
        self,
        merges: Sequence[tuple[bytes, bytes]],
        special_tokens: Sequence[str] | Mapping[str, int] = (END_OF_TEXT,),
        vocab: Mapping[bytes, int] | None = None,
    ) -> None:
        place = {bytes([byte]): n for n, byte in enumerate(BYTE_ORDER)}
        for left, right in merges:
            for part in (left, right):
                if part not in place:
                    raise ValueError(f"{part!r} is merged before it is made")
            if left + right in place:
                raise ValueError(f"{left + right!r} is made twice")
            place[left + right] = len(place)
        if not isinstance(special_tokens, Mapping):
            special_tokens = {text: id for id, text in enumerate(special_tokens, len(place))}
        self.merges = list(merges)
        self.vocab = dict(place if vocab is None else vocab)
        self.special_tokens = dict(special_tokens)
        if unlike := place.keys() ^ self.vocab.keys():
            raise ValueError(f"{min(unlike)!r} is in the vocabulary or in the merges, not in both")

        self._words = Encoder(
            merges=[(place[left], place[right]) for left, right in merges],
            ids=[self.vocab[token] for token in place],
        )
        self._bytes = {id: token for token, id in self.vocab.items()}
        self._bytes |= {id: text.encode() for text, id in self.special_tokens.items()}
        if len(self._bytes) < len(self.vocab) + len(self.special_tokens):
            raise ValueError("two tokens share an id")
        self._special = SpecialTokens(self.special_tokens)

    @classmethod
    def train(
        cls,
        text: str | Iterable[str],
        vocab_size: int,
        special_tokens: Sequence[str] = (END_OF_TEXT,),
    ) -> "Tokenizer":
        """Learn a vocabulary from a text, or from many texts that need not fit in memory at once.

        Special tokens in a text are not learned from. The vocabulary stays smaller than
        `vocab_size` where every word has become a single token.
        Raises ValueError for a lone surrogate, and where `vocab_size` has no room for 256 bytes
        and the special tokens.
        """
        least = 256 + len(special_tokens)
        if vocab_size < least:
            raise ValueError(
                f"vocab_size must be {least} or more, for 256 bytes and {len(special_tokens)} "
                f"special tokens; it is {vocab_size}"
            )
        special = SpecialTokens(special_tokens)
        words: Counter[str] = Counter()
        for one in [text] if isinstance(text, str) else text:
            _check(one)
            for part in special.split(one)[::2]:
                words.update(pretokenize(part))
        return cls(learn_merges(words, vocab_size - least), special_tokens)

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Open a `tokenizer.json`, or a folder with one or with `vocab.json` and `merges.txt`.

        Raises FileNotFoundError where they are missing, and ValueError, naming file and line,
        where they are damaged or not of GPT-2's kind.
        """
        contents = read_files(path)
        return cls(contents.merges, contents.special_tokens, contents.vocab)

    def save(self, folder: str | Path) -> None:
        """Write `vocab.json`, `merges.txt` and `tokenizer.json`, as Hugging Face's GPT-2 has."""
        write_files(Contents(self.merges, self.vocab, self.special_tokens), folder)

    @property
    def vocab_size(self) -> int:
        """The largest id plus one: the number of rows an embedding needs."""
        return max(self._bytes) + 1

    def __repr__(self) -> str:
        return f"Tokenizer(vocab_size={self.vocab_size}, special_tokens={self.special_tokens})"

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        """Turn text into ids; with `special=False` special tokens in it are ordinary text.

        Raises ValueError, with its position, for a lone surrogate.
        """
        _check(text)
        parts = self._special.split(text) if special else [text]
        ids = self._ordinary(parts[0])
        for token, part in zip(parts[1::2], parts[2::2], strict=True):
            ids.append(self.special_tokens[token])
            ids.extend(self._ordinary(part))
        return ids

    def encode_batch(self, texts: Iterable[str], *, special: bool = True) -> list[list[int]]:
        """Encode each of several texts."""
        return [self.encode(text, special=special) for text in texts]

    def encode_stream(self, stream: Iterable[str], *, special: bool = True) -> Iterator[list[int]]:
        """Encode one text that comes in pieces: joined, the lists are the ids of the whole."""
        for piece in cut_between_words(stream):
            yield self.encode(piece, special=special)

    def _ordinary(self, text: str) -> list[int]:
        return list(chain.from_iterable(map(self._words.__getitem__, pretokenize(text))))

    def token_bytes(self, id: int) -> bytes:
        """The bytes of one token, which need not be whole characters.

        Raises ValueError for an id that no token has.
        """
        try:
            return self._bytes[id]
        except KeyError:
            raise ValueError(f"no token has the id {id}; they end at {max(self._bytes)}") from None
        except TypeError:
            found = type(id).__name__
            raise TypeError(f"an id is a number, not a {found}; decode one row at a time") from None

    def decode_bytes(self, ids: Iterable[int] | Array) -> bytes:
        """Join the bytes of some tokens. Raises ValueError for an id that no token has."""
        ids = ids.tolist() if hasattr(ids, "tolist") else ids
        return b"".join(map(self.token_bytes, ids))

    def decode(self, ids: Iterable[int] | Array, errors: str = "replace") -> str:
        """Turn ids into text; bytes that are no UTF-8 become U+FFFD, or raise if `errors="strict"`.

        Raises ValueError for an id that no token has.
        """
        return self.decode_bytes(ids).decode("utf-8", errors)

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """Decode ids as they come: one string per token, "" while a character is incomplete.

        Joined, the strings are the decoded whole.
        """
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for id in ids:
            yield decoder.decode(self.token_bytes(id))
        if rest := decoder.decode(b"", final=True):
            yield rest


def _check(text: str) -> None:
    """Refuse what UTF-8 can't write, before any work is done."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"character {error.start} of the text, {text[error.start]!r}, is a lone surrogate: "
            "half a character, often left by reading a file with the wrong encoding"
        ) from None
