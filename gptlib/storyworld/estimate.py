"""The entropy of the story world: the loss that no model can beat, in nats."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sized
from dataclasses import dataclass

Encode = Callable[[str], Sized]
"""A tokenizer's `encode`: text -> token ids."""


@dataclass(frozen=True, slots=True)
class Entropy:
    """An estimate from a sample, with its standard error."""

    nats_per_story: float
    stories: int
    standard_error: float
    tokens_per_story: float = math.nan
    """Mean length in tokens, the end-of-story token counted."""
    nats_per_token: float = math.nan
    token_standard_error: float = math.nan


def estimate(stories: Iterable[tuple[str, float]], encode: Encode | None = None) -> Entropy:
    """Entropy from (text, log-probability) pairs; two or more are needed.

    Nats per token is a ratio of means, `E[-log p] / E[tokens + 1]`, because that is what the
    mean loss over a long stream of stories tends to; its standard error is by the delta method.
    """
    nats, lengths = [], []
    for text, log_prob in stories:
        nats.append(-log_prob)
        lengths.append(len(encode(text)) + 1 if encode else 1)
    count = len(nats)
    if count < 2:
        raise ValueError(f"{count} stories: an entropy with its standard error needs 2 or more")
    mean = math.fsum(nats) / count
    result = Entropy(mean, count, _error(nats, mean))
    if encode is None:
        return result
    length = math.fsum(lengths) / count
    ratio = mean / length
    left = [a - ratio * b for a, b in zip(nats, lengths, strict=True)]
    return Entropy(mean, count, result.standard_error, length, ratio, _error(left, 0.0) / length)


def _error(values: list[float], mean: float) -> float:
    spread = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return math.sqrt(spread / len(values))
