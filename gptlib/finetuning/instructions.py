"""Instructions: what is asked of a model, and the answer, which alone is learned.

A conversation is some turns one after another, each a prompt with its answer. An answer ends with
the end of text, so that a model learns where to stop. Several questions about one story can share
its tokens: they are turns of one conversation, and the story stands in the first prompt only.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gptlib.data.batches import Batch
from gptlib.data.by_length import ByLength
from gptlib.data.documents import IGNORED
from gptlib.tokenizer import END_OF_TEXT, Tokenizer


@dataclass(frozen=True)
class Turn:
    """A prompt and the answer that should follow it, without the end of text."""

    prompt: str
    answer: str


@dataclass(frozen=True)
class Conversations:
    """Conversations as tokens, one after another.

    `ids` are all tokens, `learned` says of each whether it belongs to an answer, `ends` where each
    conversation ends.
    """

    ids: NDArray[np.integer[Any]]
    learned: NDArray[np.bool_]
    ends: NDArray[np.int64]

    @classmethod
    def encode(
        cls,
        conversations: Iterable[Sequence[Turn]],
        tokenizer: Tokenizer,
        longest: int | None = None,
    ) -> Conversations:
        """Tokens of conversations; turns that would pass `longest` tokens are left out.

        Raises ValueError for an empty prompt or answer, or for a first turn that is longer than
        `longest`, with its number: nothing is dropped in silence that was the whole of it.
        """
        end = tokenizer.special_tokens[END_OF_TEXT]
        ids: list[NDArray[np.int64]] = []
        learned: list[NDArray[np.bool_]] = []
        lengths: list[int] = []
        for number, turns in enumerate(conversations):
            length = 0
            for turn in turns:
                if not turn.prompt or not turn.answer:
                    raise ValueError(f"conversation {number}: an empty prompt or answer: {turn}")
                prompt, answer = tokenizer.encode(turn.prompt), tokenizer.encode(turn.answer)
                tokens = np.array([*prompt, *answer, end])
                if longest is not None and length + len(tokens) > longest:
                    if not length:
                        raise ValueError(
                            f"conversation {number}: its first turn has {len(tokens)} tokens, more "
                            f"than longest={longest}: shorten the prompt"
                        )
                    continue
                ids.append(tokens)
                learned.append(np.arange(len(tokens)) >= len(prompt))
                length += len(tokens)
            if not length:
                raise ValueError(f"conversation {number}: has no turn")
            lengths.append(length)
        if not lengths:
            raise ValueError("there is no conversation")
        return cls(np.concatenate(ids), np.concatenate(learned), np.cumsum(lengths))

    def __len__(self) -> int:
        """How many conversations there are."""
        return len(self.ends)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """The ids of one conversation, and which of them are learned."""
        start = int(self.ends[number - 1]) if number else 0
        part = slice(start, int(self.ends[number]))
        return self.ids[part], self.learned[part]

    def save(self, path: str | Path) -> None:
        """Write to `path` (`.npz`); the file appears under its name only when it is complete."""
        path = Path(path)
        unfinished = path.with_name(f"{path.name}.part")
        with open(unfinished, "wb") as file:
            np.savez_compressed(file, ids=self.ids, learned=self.learned, ends=self.ends)
        os.replace(unfinished, path)

    @classmethod
    def load(cls, path: str | Path) -> Conversations:
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(file["ids"], file["learned"], file["ends"])


class InstructionBatches:
    """An endless iterator of batches `(idx, targets)`, (B, T) int64, that ask for answers only.

    Targets in a prompt, and behind the end, do not count (-100). Conversations of like length
    come together and are filled up to the longest, made a multiple of 8; each epoch shuffles anew.
    Raises ValueError where there are fewer conversations than `batch_size`.

    >>> turns = [[Turn("2 + 2 =", " 4")], [Turn("3 + 4 =", " 7")]]
    >>> batches = InstructionBatches(Conversations.encode(turns, tokenizer), batch_size=2)
    >>> idx, targets = next(batches)
    """

    def __init__(self, conversations: Conversations, *, batch_size: int, seed: int = 0) -> None:
        self.conversations = conversations
        self.batch_size = batch_size
        self.seed = seed
        self.number = 0  # of the next batch
        lengths = np.diff(conversations.ends, prepend=0)
        self._by_length = ByLength(lengths, batch_size, seed)

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        batch = self._rows(self._by_length.rows(self.number))
        self.number += 1
        return batch

    def in_order(self) -> Iterator[Batch]:
        """Yield every conversation once, in order: for an evaluation."""
        for first in range(0, len(self.conversations), self.batch_size):
            last = min(first + self.batch_size, len(self.conversations))
            yield self._rows(np.arange(first, last))

    def state_dict(self) -> dict[str, Any]:
        """The position in the data, and what must be the same for it to mean anything."""
        return {
            "number": self.number,
            "batch_size": self.batch_size,
            "seed": self.seed,
            "n_conversations": len(self.conversations),
            "n_tokens": len(self.conversations.ids),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved position; raises ValueError where the data are others."""
        for name, mine in self.state_dict().items():
            if name != "number" and state.get(name) != mine:
                raise ValueError(f"cannot go on: {name} was {state.get(name)!r}, now {mine!r}")
        self.number = int(state["number"])

    def _rows(self, rows: NDArray[np.int64]) -> Batch:
        found = [self.conversations[int(row)] for row in rows]
        width = -(-(max(len(ids) for ids, _ in found) - 1) // 8) * 8
        # What fills up is never looked back at, so any id will do.
        idx = np.zeros((len(found), width), dtype=np.int64)
        targets = np.full((len(found), width), IGNORED, dtype=np.int64)
        for n, (ids, learned) in enumerate(found):
            idx[n, : len(ids) - 1] = ids[:-1]
            targets[n, : len(ids) - 1] = np.where(learned[1:], ids[1:], IGNORED)
        return torch.from_numpy(idx), torch.from_numpy(targets)
