"""Text in, text out: prompts are encoded, tokens decoded, and stop strings watched for."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import Literal, Unpack, overload

import torch
from torch import Tensor

from gptlib.sampling.context import Model
from gptlib.sampling.filters import Filters
from gptlib.sampling.generate import stream
from gptlib.sampling.stops import StopStrings
from gptlib.tokenizer import Tokenizer
from gptlib.tokenizer.tokenizer import END_OF_TEXT


class Line:
    """One row's text, as its tokens come: ends before a stop token or a stop string."""

    def __init__(self, tokenizer: Tokenizer, stop: Sequence[str], stop_tokens: set[int]) -> None:
        self.ended = False
        self._stop = StopStrings(stop)
        self._stop_tokens = stop_tokens
        self._waiting: deque[int] = deque()
        self._pieces = tokenizer.decode_stream(self._take())

    def _take(self) -> Iterator[int]:
        while self._waiting:
            yield self._waiting.popleft()

    def feed(self, token: int) -> str:
        """The whole characters that this token makes certain; "" once the text has ended."""
        if self.ended:
            return ""
        if token in self._stop_tokens:
            self.ended = True
            return ""
        self._waiting.append(token)
        piece = self._stop.feed(next(self._pieces))
        self.ended = self._stop.found
        return piece

    def end(self) -> str:
        """What is left when no more tokens come; half a character becomes U+FFFD."""
        return self._stop.feed("".join(self._pieces)) + self._stop.end()


@overload
def complete(
    model: Model, tokenizer: Tokenizer, prompts: str, *, max_new_tokens: int,
    stop: Sequence[str] = (), stop_tokens: Collection[int] | None = None, n: Literal[1] = 1,
    greedy: bool = False, seed: int | None = None, cache: bool = True, window: int | None = None,
    **filters: Unpack[Filters],
) -> str: ...  # fmt: skip
@overload
def complete(
    model: Model, tokenizer: Tokenizer, prompts: str | Sequence[str], *, max_new_tokens: int,
    stop: Sequence[str] = (), stop_tokens: Collection[int] | None = None, n: int = 1,
    greedy: bool = False, seed: int | None = None, cache: bool = True, window: int | None = None,
    **filters: Unpack[Filters],
) -> str | list[str]: ...  # fmt: skip
def complete(
    model: Model,
    tokenizer: Tokenizer,
    prompts: str | Sequence[str],
    *,
    max_new_tokens: int,
    stop: Sequence[str] = (),
    stop_tokens: Collection[int] | None = None,
    n: int = 1,
    greedy: bool = False,
    seed: int | None = None,
    cache: bool = True,
    window: int | None = None,
    **filters: Unpack[Filters],
) -> str | list[str]:
    """How the model goes on after each prompt, `n` times; the prompt itself is not repeated.

    A text ends before the first of the strings in `stop`, and before a stop token: by default the
    tokenizer's end of text. An empty prompt begins after an end of text.
    One prompt and n=1 give a string, anything else a list: all of the first prompt's, then all of
    the second's. Other arguments and errors are those of `generate`.
    """
    if n < 1:
        raise ValueError(f"n={n}: must be at least 1")
    texts = [prompts] if isinstance(prompts, str) else list(prompts)
    if not texts:
        return []
    idx, attention_mask = pad_left(
        [prompt_ids(tokenizer, text) for text in texts for _ in range(n)]
    )
    stops = _stop_tokens(tokenizer, stop_tokens)
    steps = stream(
        model, idx.to(_device(model)), max_new_tokens=max_new_tokens, greedy=greedy,
        stop_tokens=stops, attention_mask=attention_mask.to(_device(model)), seed=seed,
        cache=cache, window=window, **filters,
    )  # fmt: skip
    lines = [Line(tokenizer, stop, stops) for _ in idx]
    said = [""] * len(lines)
    for new in steps:
        for row, token in enumerate(new.tolist()):
            said[row] += lines[row].feed(token)
        if all(line.ended for line in lines):
            break
    said = [text + line.end() for text, line in zip(said, lines, strict=True)]
    return said[0] if isinstance(prompts, str) and n == 1 else said


def stream_text(
    model: Model,
    tokenizer: Tokenizer,
    prompt: str,
    *,
    max_new_tokens: int,
    stop: Sequence[str] = (),
    stop_tokens: Collection[int] | None = None,
    greedy: bool = False,
    seed: int | None = None,
    cache: bool = True,
    window: int | None = None,
    **filters: Unpack[Filters],
) -> Iterator[str]:
    """The text of `complete` in pieces of whole characters, each as soon as it is certain."""
    stops = _stop_tokens(tokenizer, stop_tokens)
    line = Line(tokenizer, stop, stops)
    steps = stream(
        model, torch.tensor([prompt_ids(tokenizer, prompt)], device=_device(model)),
        max_new_tokens=max_new_tokens, greedy=greedy, stop_tokens=stops, seed=seed, cache=cache,
        window=window, **filters,
    )  # fmt: skip
    return _pieces(steps, line)


def _pieces(steps: Iterator[Tensor], line: Line) -> Iterator[str]:
    for new in steps:
        if piece := line.feed(int(new)):
            yield piece
        if line.ended:
            break
    if rest := line.end():
        yield rest


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> list[int]:
    """The ids of a prompt; of an empty one the end of text, after which a text begins."""
    if prompt:
        return tokenizer.encode(prompt)
    if END_OF_TEXT not in tokenizer.special_tokens:
        raise ValueError(f"the prompt is empty, and the tokenizer has no {END_OF_TEXT} to begin at")
    return [tokenizer.special_tokens[END_OF_TEXT]]


def pad_left(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of unequal length as ids (B, T) and attention mask (B, T), padded on the left.

    On the left, because new tokens are written after the last column.
    """
    T = max(len(row) for row in rows)
    idx = torch.tensor([[0] * (T - len(row)) + list(row) for row in rows])
    mask = torch.tensor([[0] * (T - len(row)) + [1] * len(row) for row in rows])
    return idx, mask


def _stop_tokens(tokenizer: Tokenizer, stop_tokens: Collection[int] | None) -> set[int]:
    if stop_tokens is not None:
        return set(stop_tokens)
    return {id for text, id in tokenizer.special_tokens.items() if text == END_OF_TEXT}


def _device(model: Model) -> torch.device:
    """Where the model computes: where its weights are."""
    parameters = getattr(model, "parameters", None)
    first = next(parameters(), None) if parameters is not None else None
    return torch.device("cpu") if first is None else first.device
