"""The model and tokenizer that a widget looks into: what it may ask of them, and how texts read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from gptlib.model import GPT
from gptlib.tokenizer import Tokenizer


class TokenizerLike(Protocol):
    """gptlib's tokenizer, or Hugging Face's, or a learner's own."""

    def encode(self, text: str) -> Any: ...
    def decode(self, ids: Any) -> str: ...


class Subject:
    """A model with its tokenizer, and the longest text that a widget shows of them.

    Raises `ValueError` for what is no `gptlib.GPT`.
    """

    def __init__(self, model: GPT, tokenizer: TokenizerLike, longest: int) -> None:
        # Asked by its parts, so that a learner's own GPT will do.
        if not isinstance(model, nn.Module) or not hasattr(model, "output_weight"):
            raise ValueError(
                f"this widget reads a gptlib.GPT, not a {type(model).__name__}: "
                "gptlib.load(folder or name) makes one of any GPT-2"
            )
        self.model = model
        self.tokenizer = tokenizer
        self.config = model.config
        self.longest = min(longest, model.config.n_positions)

    def ids(self, text: str, more: Sequence[int] = ()) -> list[int]:
        """The text's tokens, then `more`. Raises `ValueError` for none, and for too many."""
        encoded = self.tokenizer.encode(text) if text else []
        ids = list(getattr(encoded, "ids", encoded))  # `tokenizers` wraps them
        if not ids:
            raise ValueError("The text is empty: type a few words.")
        ids += more
        if len(ids) > self.longest:
            raise ValueError(
                f"The text has {len(ids):,} tokens; {self.longest:,} can be shown: shorten it."
            )
        return ids

    def token(self, id: int) -> str:
        """A token's text, with its spaces to be seen."""
        try:
            if isinstance(self.tokenizer, Tokenizer):
                return spelled(self.tokenizer.token_bytes(id))
            return visible(self.tokenizer.decode([id]))
        except ValueError:  # a model may have more rows than its tokenizer has tokens
            return f"#{id}"

    def row(self, ids: Sequence[int]) -> Tensor:
        """Ids as a batch of one, where the model is. (1, T)"""
        return torch.tensor([ids], device=self.model.output_weight.device)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """No gradients, no dropout; afterwards the model is in the mode it was in."""
        training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.model.train(training)


def spelled(token: bytes) -> str:
    """A token to be read: its characters where it has whole ones, else its bytes as <e2>."""
    try:
        return visible(token.decode())
    except UnicodeDecodeError:
        return "".join(f"<{byte:02x}>" for byte in token)


# Unicode has a picture for each control character.
_PICTURES = {chr(n): chr(0x2400 + n) for n in range(32)}
_SEEN = str.maketrans({**_PICTURES, "\x7f": "␡", " ": "·", "\n": "⏎", "\t": "⇥"})


def visible(token: str) -> str:
    """A token with its spaces, line breaks and control characters to be seen."""
    return token.translate(_SEEN) or "∅"
