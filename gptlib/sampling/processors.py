"""Processors change the logits before a token is chosen: (logits (B, V), idx (B, T)) -> logits.

Each function here checks its setting once and returns a processor. A processor is any callable
of that form, so a grammar or a filter of your own stands beside these: it sees all tokens so far
in `idx` and says what may come next. A token whose logit is -inf can't be chosen.
"""

import math
from collections.abc import Callable, Collection, Mapping
from typing import TypeAlias

import torch
from jaxtyping import Float, Int
from torch import Tensor

Processor: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Logits: TypeAlias = Float[Tensor, "B V"]
Ids: TypeAlias = Int[Tensor, "B T"]


def temperature(value: float) -> Processor:
    """Divide logits by `value`: below 1 the likely become likelier, above 1 all become more equal.

    Source: Ackley, Hinton & Sejnowski 1985, the temperature of a Boltzmann machine.
    """
    if not 0 < value < math.inf:
        raise ValueError(f"temperature={value}: must be above 0; for the likeliest use greedy=True")

    def divide(logits: Logits, idx: Ids) -> Logits:
        return logits / value

    return divide


def top_k(k: int) -> Processor:
    """Keep the `k` likeliest tokens, and those as likely as the last of them.

    Source: Fan, Lewis & Dauphin 2018, section 5.
    """
    if not isinstance(k, int) or k < 1:
        raise ValueError(f"top_k={k!r}: must be a whole number of at least 1")

    def keep(logits: Logits, idx: Ids) -> Logits:
        last_kept = logits.topk(min(k, logits.shape[-1])).values[:, -1:]
        return logits.masked_fill(logits < last_kept, -math.inf)

    return keep


def top_p(p: float) -> Processor:
    """Keep the smallest set of likeliest tokens whose probability is at least `p` ("nucleus").

    Source: Holtzman et al. 2020, section 3.1.
    """
    if not 0 < p <= 1:
        raise ValueError(f"top_p={p}: must be above 0 and at most 1")

    def keep(logits: Logits, idx: Ids) -> Logits:
        ascending, order = logits.sort(dim=-1)
        # From the least likely upwards: what sums to no more than 1 - p is not needed.
        drop = ascending.softmax(dim=-1).cumsum(dim=-1) <= 1 - p
        drop[:, -1] = False
        return logits.masked_fill(drop.scatter(-1, order, drop), -math.inf)

    return keep


def min_p(p: float) -> Processor:
    """Keep tokens at least `p` times as likely as the likeliest.

    Source: Nguyen et al. 2024 ("Min-p sampling"), section 3.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"min_p={p}: must lie between 0 and 1")

    def keep(logits: Logits, idx: Ids) -> Logits:
        probs = logits.softmax(dim=-1)
        likeliest = probs.amax(dim=-1, keepdim=True)
        return logits.masked_fill(probs < p * likeliest, -math.inf)

    return keep


def repetition_penalty(penalty: float) -> Processor:
    """Make tokens that occur in `idx` less likely: logits above 0 are divided, others multiplied.

    A penalty below 1 makes them likelier. Source: Keskar et al. 2019 (CTRL), section 4.1, which
    divides always; dividing a logit below 0 would reward it.
    """
    if not 0 < penalty < math.inf:
        raise ValueError(f"repetition_penalty={penalty}: must be above 0; 1 changes nothing")

    def penalise(logits: Logits, idx: Ids) -> Logits:
        seen = logits.gather(-1, idx)
        return logits.scatter(-1, idx, torch.where(seen < 0, seen * penalty, seen / penalty))

    return penalise


def ban(tokens: Collection[int]) -> Processor:
    """Never choose these tokens."""
    banned = torch.tensor(sorted(tokens), dtype=torch.long)

    def forbid(logits: Logits, idx: Ids) -> Logits:
        _check_tokens("banned", banned, logits)
        return logits.index_fill(-1, banned.to(logits.device), -math.inf)

    return forbid


def force(tokens: Mapping[int, int]) -> Processor:
    """Choose `tokens[t]` where `idx` holds t tokens, whatever the model says.

    A forced token becomes place t of the sequence, the prompt's tokens and padding counted.
    """

    def impose(logits: Logits, idx: Ids) -> Logits:
        if idx.shape[1] not in tokens:
            return logits
        forced = torch.tensor([tokens[idx.shape[1]]])
        _check_tokens("forced", forced, logits)
        certain = torch.full_like(logits, -math.inf)
        return certain.index_fill(-1, forced.to(logits.device), 0.0)

    return impose


def _check_tokens(name: str, tokens: Tensor, logits: Tensor) -> None:
    wrong = tokens[(tokens < 0) | (tokens >= logits.shape[-1])].tolist()
    if wrong:
        raise ValueError(
            f"{name} token {wrong[0]} is not in the vocabulary of {logits.shape[-1]} tokens"
        )
