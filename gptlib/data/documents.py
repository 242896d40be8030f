"""Batches of whole documents: each row is one document from its first token to its end.

A window cut from the middle of a text asks for tokens whose reasons lie before it. A whole
document has nothing before it, so its loss can be compared with what it is known to cost.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from gptlib.data.batches import Batch, Tokens
from gptlib.data.by_length import ByLength

IGNORED = -100  # a target that does not count, as in `gptlib.model.next_token_loss`


class Documents:
    """An endless iterator of batches `(idx, targets)` of whole documents, (B, T) int64.

    A document is a run of tokens that `separator` ends. Its row begins with the separator that
    ends the one before it, so that its first token is a target too, and is filled up behind its
    end with targets that do not count (-100). T is the longest row's length, made a multiple of
    8; documents of like length come together, so little is filled up. Documents are shuffled anew
    each epoch.

    Args:
        tokens: documents one after another, each ended by `separator`.
        separator: the id between documents, such as that of `<|endoftext|>`.
        batch_size: B, documents in a batch.
        seed: of the order.
        bare: the share of rows that begin with the document's own first token, as a prompt
            does. A model that never saw such rows is at a loss before a prompt.
        longest: T at most; a longer document is cut there.

    Raises ValueError where there are fewer than B documents.

    >>> idx, targets = next(Documents(torch.tensor([5, 6, 9, 7, 9]), 9, batch_size=2))
    """

    def __init__(
        self,
        tokens: Tokens,
        separator: int,
        *,
        batch_size: int,
        seed: int = 0,
        bare: float = 0.0,
        longest: int | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if not 0 <= bare <= 1:
            raise ValueError(f"bare must be between 0 and 1, not {bare}")
        self.tokens = np.asarray(tokens)
        self.separator = separator
        self.batch_size = batch_size
        self.seed = seed
        self.bare = bare
        self.longest = longest
        self.number = 0  # of the next batch
        self.ends = np.flatnonzero(self.tokens == separator) + 1
        self.starts = np.concatenate([[0], self.ends[:-1]]) if len(self.ends) else self.ends
        if len(self.ends) < batch_size:
            raise ValueError(
                f"{len(self.ends)} documents are too few for a batch of {batch_size}: a document "
                f"is a run of tokens that token {separator} ends"
            )
        self._order = ByLength(self.ends - self.starts, batch_size, seed)

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self.ends)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        batch = self.batch(self.number)
        self.number += 1
        return batch

    def batch(self, number: int) -> Batch:
        """Batch `number`, whatever was drawn before; the position does not move."""
        rows = self._order.rows(number)
        bare = np.random.default_rng([self.seed, 1, number]).random(len(rows)) < self.bare
        return self._rows(rows, bare)

    def in_order(self) -> Iterator[Batch]:
        """Yield every document once, in order, each from its first token: for an evaluation."""
        for first in range(0, len(self), self.batch_size):
            rows = np.arange(first, min(first + self.batch_size, len(self)))
            yield self._rows(rows, np.zeros(len(rows), dtype=bool))

    def state_dict(self) -> dict[str, Any]:
        """The position in the data, and what must be the same for it to mean anything."""
        return {
            "number": self.number,
            "separator": self.separator,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "bare": self.bare,
            "longest": self.longest,
            "n_tokens": len(self.tokens),
            "n_documents": len(self),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position.

        Raises ValueError where the sizes, the seed or the documents differ: the batches would
        not be those of the run that was saved.
        """
        for name, mine in self.state_dict().items():
            if name != "number" and state.get(name) != mine:
                raise ValueError(f"cannot go on: {name} was {state.get(name)!r}, now {mine!r}")
        self.number = int(state["number"])

    def _rows(self, rows: NDArray[np.int64], bare: NDArray[np.bool_]) -> Batch:
        lengths = self.ends[rows] - self.starts[rows] + 1 - bare  # with a separator before
        width = -(-(int(lengths.max()) - 1) // 8) * 8
        filled = np.full((len(rows), width + 1), self.separator, dtype=np.int64)
        targets = np.full((len(rows), width), IGNORED, dtype=np.int64)
        for n, (row, length) in enumerate(zip(rows, lengths, strict=True)):
            document = self.tokens[self.starts[row] : self.ends[row]]
            filled[n, length - len(document) : length] = document
            targets[n, : length - 1] = filled[n, 1:length]
        idx: Int[Tensor, "B T"] = torch.from_numpy(filled[:, :-1])[:, : self.longest]
        return idx.contiguous(), torch.from_numpy(targets)[:, : self.longest].contiguous()
