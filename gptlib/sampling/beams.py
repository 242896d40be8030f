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
    searches = [_Search(n_beams, length_penalty) for _ in idx]
    scores = torch.zeros(len(idx), 1, device=idx.device)  # of open beams; at first one a prompt
    for length in range(1, max_new_tokens + 1):
        with torch.no_grad():
            log_probs = context.logits().log_softmax(dim=-1)
            for process in processors:
                log_probs = process(log_probs, context.idx)
        check(log_probs)
        n_open, V = scores.shape[1], log_probs.shape[-1]
        total = (scores[:, :, None] + log_probs.view(*scores.shape, V)).flatten(1)
        # Enough that n_beams go on even when each beam's likeliest tokens are all stop tokens.
        n_candidates = max(2, 1 + len(stops)) * n_beams
        best = total.topk(min(n_candidates, n_open * V))  # (B, n_candidates)
        beams: list[_Beam] = []
        for b, search in enumerate(searches):
            pairs = zip(best.values[b].tolist(), best.indices[b].tolist(), strict=True)
            candidates = [_Beam(score, b * n_open + at // V, at % V) for score, at in pairs]
            ends = range(V) if length == max_new_tokens else stops  # at the end every token ends
            beams += search.sort_out(candidates, context.idx[:, idx.shape[1] :], ends)
        if length == max_new_tokens or all(search.closed for search in searches):
            break
        scores = torch.tensor([beam.score for beam in beams], device=idx.device)
        scores = scores.view(len(idx), n_beams)
        context.select(torch.tensor([beam.row for beam in beams], device=idx.device))
        context.append(idx.new_tensor([beam.token for beam in beams]))
    return _rectangle(idx, [search.ended[:n_best] for search in searches], n_best)


class _Beam(NamedTuple):
    score: float  # sum of log-probabilities
    row: int  # of the context that it continues
    token: int


class _Ended(NamedTuple):
    score: float
    said: Tensor  # (n,) new tokens, the stop token among them


class _Search:
    """The search of one prompt: what has ended so far, and whether more can be gained."""

    def __init__(self, n_beams: int, length_penalty: float) -> None:
        self.n_beams, self.length_penalty = n_beams, length_penalty
        self.ended: list[_Ended] = []  # at most n_beams, the best first
        self.closed = False

    def sort_out(
        self, candidates: list[_Beam], said: Int[Tensor, "N n"], stops: Collection[int]
    ) -> list[_Beam]:
        """Keep the candidates that end here, and return the best n_beams of those that go on."""
        share = (said.shape[1] + 1) ** self.length_penalty
        going: list[_Beam] = []
        for rank, beam in enumerate(candidates):
            if beam.token not in stops:
                going.append(beam)
            elif rank < self.n_beams and not self.closed and beam.score > -math.inf:
                whole = torch.cat([said[beam.row], said.new_tensor([beam.token])])
                self.ended.append(_Ended(beam.score / share, whole))
        self.ended = sorted(self.ended, key=lambda one: -one.score)[: self.n_beams]
        # Fewer go on than there are beams only where nearly everything is banned.
        going += [_Beam(-math.inf, candidates[0].row, 0)] * (self.n_beams - len(going))
        full = len(self.ended) == self.n_beams
        self.closed |= full and going[0].score / share <= self.ended[-1].score
        return going[: self.n_beams]


def _rectangle(idx: Tensor, ended: list[list[_Ended]], n_best: int) -> Beams:
    """The sequences in one tensor: the shorter repeat their last token."""
    found = [one for row in ended for one in (row + row[:1] * n_best)[:n_best]]
    longest = max(len(one.said) for one in found)
    said = [torch.cat([one.said, one.said[-1:].expand(longest - len(one.said))]) for one in found]
    ids = torch.cat([idx.repeat_interleave(n_best, dim=0), torch.stack(said)], dim=1)
    scores = torch.tensor([one.score for one in found], device=idx.device)
    return Beams(ids.view(len(idx), n_best, -1), scores.view(len(idx), n_best))
