"""From prompt ids to more ids: the loop at the heart of every GPT."""

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Unpack

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gptlib.sampling.context import Context, Model
from gptlib.sampling.draws import Draws
from gptlib.sampling.filters import Filters, chain
from gptlib.sampling.processors import Processor


def generate(
    model: Model,
    idx: Int[Tensor, "B T"],
    *,
    max_new_tokens: int,
    greedy: bool = False,
    stop_tokens: Collection[int] = (),
    attention_mask: Int[Tensor, "B T"] | Bool[Tensor, "B T"] | None = None,
    seed: int | None = None,
    cache: bool = True,
    window: int | None = None,
    **filters: Unpack[Filters],
) -> Int[Tensor, "B S"]:
    """The prompts and up to `max_new_tokens` more tokens, drawn from the model's probabilities.

    Args:
        greedy: take the likeliest token instead of drawing one.
        stop_tokens: each row ends with the first of these it says, and repeats it while others
            go on; when all rows have ended, generation stops.
        attention_mask: 0 for padding, which stands on the left, and 1 for tokens.
        seed: makes the draws repeatable; torch's global random numbers are then not touched.
        cache: keep keys and values of tokens already read; the result is the same without.
        window: let the model read only the last `window` tokens. Without one, a sequence longer
            than the model's `n_positions` is an error.
        filters: temperature, top_k, top_p, min_p, repetition_penalty, banned, forced and
            processors, as `Filters` lists them.

    Raises `ValueError` in one line, before the first token, for settings that make no sense.
    """
    steps = stream(
        model, idx, max_new_tokens=max_new_tokens, greedy=greedy, stop_tokens=stop_tokens,
        attention_mask=attention_mask, seed=seed, cache=cache, window=window, **filters,
    )  # fmt: skip
    return torch.cat([idx, *(new[:, None] for new in steps)], dim=1)


def stream(
    model: Model,
    idx: Int[Tensor, "B T"],
    *,
    max_new_tokens: int,
    greedy: bool = False,
    stop_tokens: Collection[int] = (),
    attention_mask: Int[Tensor, "B T"] | Bool[Tensor, "B T"] | None = None,
    seed: int | None = None,
    cache: bool = True,
    window: int | None = None,
    **filters: Unpack[Filters],
) -> Iterator[Tensor]:
    """As `generate`, but yields each step's new tokens, (B,), as soon as they are chosen."""
    context = Context(model, idx, max_new_tokens, attention_mask, cache, window)
    processors = chain(idx.shape[1], **filters)
    draws = None if greedy else Draws(len(idx), seed)
    stops = torch.tensor(sorted(stop_tokens), dtype=idx.dtype, device=idx.device)
    return _steps(context, max_new_tokens, processors, draws, stops)


@torch.no_grad()
def _steps(
    context: Context,
    n: int,
    processors: Sequence[Processor],
    draws: Draws | None,
    stops: Tensor,
) -> Iterator[Tensor]:
    ended = None
    for _ in range(n):
        logits = context.logits()
        for process in processors:
            logits = process(logits, context.idx)
        check(logits)
        new = logits.argmax(dim=-1) if draws is None else draws(logits.softmax(dim=-1))
        if ended is not None:  # a row that has ended repeats its stop token
            new = torch.where(ended, context.idx[:, -1], new)
        context.append(new)
        yield new
        if len(stops):
            ended = torch.isin(new, stops)
            if ended.all():
                return


def check(logits: Float[Tensor, "B V"]) -> None:
    """Raise `ValueError` when some row leaves nothing to choose."""
    best = logits.amax(dim=-1)
    if math.isfinite(best.sum(dtype=torch.float64)):  # one number to look at, whatever B
        return
    row = int(best.isfinite().logical_not().nonzero()[0])
    if best[row] == -torch.inf:
        raise ValueError(f"row {row}: no token is left to choose from, all have logit -inf")
    raise ValueError(
        f"row {row}: the largest logit is {best[row].item()}: the model's weights, or a "
        "processor, make numbers that are no numbers"
    )
