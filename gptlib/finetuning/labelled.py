"""Batches of labelled texts: tokens, a mask of what is no padding, and labels."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from gptlib.data.by_length import ByLength
from gptlib.finetuning.heads import IGNORED
from gptlib.tokenizer import Tokenizer

LabelledBatch = tuple[Int[Tensor, "B T"], Int[Tensor, "B T"], Int[Tensor, "B"] | Int[Tensor, "B T"]]


class LabelledBatches:
    """An endless iterator of batches `(idx, attention_mask, targets)` for `label_loss`.

    Rows are padded on the right. T is the longest row's length, made a multiple of 8; rows of
    like length come together (`gptlib.data.by_length`), in another order each epoch.

    Args:
        rows: each text's tokens.
        labels: a number for each text (targets are (B,)), or a number for each of its tokens
            (targets are (B, T)); -100 does not count, and padding has it.
        longest: T at most; a longer text is cut there, and `n_cut` says how many were.
        pad: the id that fills rows up; the mask hides it.

    Raises ValueError for an empty text, labels that don't fit the texts, or fewer than B texts.

    >>> rows = [tokenizer.encode(text) for text in texts]
    >>> idx, mask, targets = next(LabelledBatches(rows, labels, batch_size=8))
    """

    def __init__(
        self,
        rows: Sequence[Sequence[int]],
        labels: Sequence[int] | Sequence[Sequence[int]],
        *,
        batch_size: int,
        seed: int = 0,
        longest: int | None = None,
        pad: int = 0,
    ) -> None:
        if len(rows) != len(labels):
            raise ValueError(f"{len(rows)} texts have {len(labels)} labels")
        if longest is not None and longest < 1:
            raise ValueError(f"longest={longest}: must be at least 1")
        self.rows = [np.asarray(row, dtype=np.int64) for row in rows]
        self.labels = [np.asarray(label, dtype=np.int64) for label in labels]
        for number, (row, label) in enumerate(zip(self.rows, self.labels, strict=True)):
            if not len(row):
                raise ValueError(f"text {number} has no tokens")
            if label.ndim != self.labels[0].ndim or (label.ndim and len(label) != len(row)):
                raise ValueError(f"text {number} has {len(row)} tokens and the labels {label}")
        self.batch_size = batch_size
        self.seed = seed
        self.longest = longest
        self.pad = pad
        self.number = 0  # of the next batch
        lengths = np.array([len(row) for row in self.rows], dtype=np.int64)
        self.n_cut = 0 if longest is None else int((lengths > longest).sum())
        self._order = ByLength(lengths, batch_size, seed)

    def __len__(self) -> int:
        """How many texts there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[LabelledBatch]:
        return self

    def __next__(self) -> LabelledBatch:
        batch = self.batch(self.number)
        self.number += 1
        return batch

    def batch(self, number: int) -> LabelledBatch:
        """Batch `number`, whatever was drawn before; the position does not move."""
        return self._batch(self._order.rows(number))

    def in_order(self) -> Iterator[LabelledBatch]:
        """Yield every text once, in order: for an evaluation. The last batch may hold fewer."""
        for first in range(0, len(self), self.batch_size):
            yield self._batch(np.arange(first, min(first + self.batch_size, len(self))))

    def state_dict(self) -> dict[str, Any]:
        """The position in the data, and what must be the same for it to mean anything."""
        return {
            "number": self.number,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "longest": self.longest,
            "n_texts": len(self),
            "n_tokens": sum(map(len, self.rows)),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position.

        Raises ValueError where the sizes, the seed or the texts differ: the batches would not be
        those of the run that was saved.
        """
        for name, mine in self.state_dict().items():
            if name != "number" and state.get(name) != mine:
                raise ValueError(f"cannot go on: {name} was {state.get(name)!r}, now {mine!r}")
        self.number = int(state["number"])

    def _batch(self, chosen: NDArray[np.int64]) -> LabelledBatch:
        rows = [self.rows[n][: self.longest] for n in chosen]
        width = -(-max(map(len, rows)) // 8) * 8
        if self.longest is not None:
            width = min(width, self.longest)
        idx = np.full((len(rows), width), self.pad, dtype=np.int64)
        mask = np.zeros((len(rows), width), dtype=np.int64)
        per_token = self.labels[0].ndim == 1
        targets = np.full((len(rows), width) if per_token else len(rows), IGNORED, dtype=np.int64)
        for n, (place, row) in enumerate(zip(chosen, rows, strict=True)):
            idx[n, : len(row)] = row
            mask[n, : len(row)] = 1
            if per_token:
                targets[n, : len(row)] = self.labels[place][: len(row)]
            else:
                targets[n] = self.labels[place]
        return torch.from_numpy(idx), torch.from_numpy(mask), torch.from_numpy(targets)


def encode_words(
    tokenizer: Tokenizer, text: str, words: Sequence[str], labels: Sequence[int]
) -> tuple[list[int], list[int]]:
    """A text's tokens, and for each the label of the word that ends with it, -100 elsewhere.

    A GPT reads from the left, so a word's last token is the first to have seen all of it. The
    text is encoded word by word, with what stands before each: no token reaches over two words.
    Raises ValueError where the words do not stand in the text in this order.

    >>> ids, targets = encode_words(tokenizer, "He ran.", ["He", "ran", "."], [0, 1, 2])
    """
    if len(words) != len(labels):
        raise ValueError(f"{len(words)} words have {len(labels)} labels")
    ids: list[int] = []
    targets: list[int] = []
    place = 0
    for word, label in zip(words, labels, strict=True):
        found = text.find(word, place)
        if found < 0 or not word:
            raise ValueError(f"{word!r} does not stand where it should in {text!r}")
        end = found + len(word)
        ids += tokenizer.encode(text[place:end])
        targets += [IGNORED] * (len(ids) - len(targets) - 1) + [label]
        place = end
    ids += tokenizer.encode(text[place:])
    targets += [IGNORED] * (len(ids) - len(targets))
    return ids, targets
