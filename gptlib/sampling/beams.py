"""Beam search: follow the n likeliest beginnings, for a modest token may begin a better whole."""

import math
from collections.abc import Collection
from typing import NamedTuple, Unpack

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from gptlib.sampling.context import Context, Model
from gptlib.sampling.filters import Filters, chain
from gptlib.sampling.generate import check


class Beams(NamedTuple):
    """What a beam search found, for each prompt the best first."""

    ids: Int[Tensor, "B n_best T"]  # the prompt is part of it; short ones repeat their stop token
    scores: Float[Tensor, "B n_best"]  # sum of log-probabilities / n_new ** length_penalty


class _Ended(NamedTuple):
    score: float
    said: Tensor  # (n,) new tokens, the stop token among them


def beam_search(
    model: Model,
    idx: Int[Tensor, "B T"],
    *,
    max_new_tokens: int,
    n_beams: int = 4,
    n_best: int = 1,
    length_penalty: float = 1.0,
    stop_tokens: Collection[int] = (),
    attention_mask: Int[Tensor, "B T"] | Bool[Tensor, "B T"] | None = None,
    cache: bool = True,
    window: int | None = None,
    **filters: Unpack[Filters],
) -> Beams:
    """The `n_best` of the sequences that `n_beams` beams find, as transformers' `generate` does.

    A sequence's log-probability is divided by its number of new tokens to the power
    `length_penalty`: 0 compares sums, which favours short ones; 1 compares means. A prompt's search
    ends when n_beams sequences have ended and no open beam has a better score than the last of
    them. Processors see log-probabilities, and what they return is not normalised again.
    Raises `ValueError` as `generate` does. Source: Wu et al. 2016, section 7, without coverage.
    """
    if not 1 <= n_best <= n_beams:
        raise ValueError(f"n_best={n_best}: must lie between 1 and n_beams={n_beams}")
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens={max_new_tokens}: beams need at least 1")
    stops = set(stop_tokens)
    context = Context(model, idx, max_new_tokens, attention_mask, cache, window)
    processors = chain(idx.shape[1], **filters)
    B = len(idx)
    scores = torch.zeros(B, 1, device=idx.device)  # of the open beams; at first a prompt has one
    ended: list[list[_Ended]] = [[] for _ in range(B)]
    closed = [False] * B
    for length in range(1, max_new_tokens + 1):
        with torch.no_grad():
            log_probs = context.logits().log_softmax(dim=-1)
            for process in processors:
                log_probs = process(log_probs, context.idx)
        check(log_probs)
        V = log_probs.shape[-1]
        total = (scores[:, :, None] + log_probs.view(B, -1, V)).flatten(1)  # (B, beams * V)
        # Enough that n_beams remain when each beam's best candidates are stop tokens.
        n_candidates = max(2, 1 + len(stops)) * n_beams
        best = total.topk(min(n_candidates, total.shape[1]))
        n_open = scores.shape[1]
        open_beams: list[tuple[float, int, int]] = []  # score, row of the context, new token
        for b in range(B):
            going: list[tuple[float, int, int]] = []
            pairs = zip(best.values[b].tolist(), best.indices[b].tolist(), strict=True)
            for rank, (score, place) in enumerate(pairs):
                row, token = b * n_open + place // V, place % V
                if token not in stops and length < max_new_tokens:
                    going.append((score, row, token))
                elif rank < n_beams and not closed[b] and score > -math.inf:
                    ids = torch.cat(
                        [idx[b], context.idx[row, idx.shape[1] :], idx.new_tensor([token])]
                    )
                    ended[b].append(_Ended(score / length**length_penalty, ids))
            ended[b] = sorted(ended[b], key=lambda one: -one.score)[:n_beams]
            # Fewer go on than there are beams only where nearly everything is banned.
            going += [(-math.inf, b * n_open, 0)] * (n_beams - len(going))
            open_beams += going[:n_beams]
            hope = going[0][0] / length**length_penalty
            closed[b] |= len(ended[b]) == n_beams and hope <= ended[b][-1].score
        if all(closed) or length == max_new_tokens:
            break
        kept, rows, tokens = zip(*open_beams, strict=True)
        scores = torch.tensor(kept, device=idx.device).view(B, n_beams)
        context.select(torch.tensor(rows, device=idx.device))
        context.append(idx.new_tensor(tokens))
    return _rectangle(idx, ended, n_best)


def _rectangle(idx: Tensor, ended: list[list[_Ended]], n_best: int) -> Beams:
    """The sequences in one tensor: the shorter repeat their last token."""
    found = [one for row in ended for one in (row + row[:1] * n_best)[:n_best]]
    longest = max(len(one.said) for one in found)
    said = [torch.cat([one.said, one.said[-1:].expand(longest - len(one.said))]) for one in found]
    ids = torch.cat([idx.repeat_interleave(n_best, dim=0), torch.stack(said)], dim=1)
    scores = torch.tensor([one.score for one in found], device=idx.device)
    return Beams(ids.unflatten(0, (-1, n_best)), scores.view(-1, n_best))
