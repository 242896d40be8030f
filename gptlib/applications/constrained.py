"""Decoding under a grammar: only tokens with which a valid text can still come about."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gptlib.tokenizer import END_OF_TEXT, Tokenizer

TRIED = 32  # of the likeliest tokens, before all others are


class Constrained:
    """A processor that lets a model write only what a grammar allows, one batch long.

    `begins(text)` says whether something valid begins with the text, `complete(text)` whether it
    is valid as it is, so that it may end. Of the 32 likeliest tokens those that fit are kept; if
    none does, the likeliest of all that does. What is outside the grammar has no chance, and the
    order among the rest is the model's.
    Source: the idea is that of Scholak, Schucher & Bahdanau 2021, "PICARD", section 2.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        begins: Callable[[str], bool],
        complete: Callable[[str], bool],
    ) -> None:
        self.tokenizer = tokenizer
        self.begins = begins
        self.complete = complete
        self.end = tokenizer.special_tokens[END_OF_TEXT]
        self.prompt: int | None = None  # tokens of the prompt, known at the first call

    def __call__(self, logits: Tensor, idx: Tensor) -> Tensor:
        if self.prompt is None:
            self.prompt = idx.shape[1]
        kept = torch.full_like(logits, -math.inf)
        for row, written in enumerate(idx[:, self.prompt :].tolist()):
            allowed = [self.end] if self.end in written else self._allowed(logits[row], written)
            kept[row, allowed] = logits[row, allowed]
        return kept

    def _allowed(self, logits: Tensor, written: list[int]) -> list[int]:
        order = logits.argsort(descending=True).tolist()
        fits = [token for token in order[:TRIED] if self._fits(written, token)]
        if fits:
            return fits
        return [next((token for token in order if self._fits(written, token)), self.end)]

    def _fits(self, written: list[int], token: int) -> bool:
        if token == self.end:
            return self.complete(self.tokenizer.decode(written))
        return self.begins(self.tokenizer.decode([*written, token]))
