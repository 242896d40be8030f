"""Each processor against transformers' own, on logits of every kind."""

import math

import pytest
import torch
from transformers.generation import logits_process as hf

from gptlib.sampling import ban, force, min_p, repetition_penalty, temperature, top_k, top_p

V = 50
# Ours beside theirs. Theirs takes (idx, scores) in the other order.
PAIRS = {
    "temperature": [
        (temperature(t), hf.TemperatureLogitsWarper(t)) for t in (0.01, 0.7, 1.0, 3.0)
    ],
    "top_k": [(top_k(k), hf.TopKLogitsWarper(k)) for k in (1, 2, 7, V - 1, V, 9 * V)],
    "top_p": [
        (top_p(p), hf.TopPLogitsWarper(p)) for p in (1e-6, 0.1, 0.5, 0.9, 0.95, 0.999, 1.0)
    ],
    "min_p": [(min_p(p), hf.MinPLogitsWarper(p)) for p in (0.0, 0.01, 0.1, 0.5, 1.0)],
    "repetition_penalty": [
        (repetition_penalty(penalty), hf.RepetitionPenaltyLogitsProcessor(penalty))
        for penalty in (0.5, 1.0, 1.2, 5.0)
    ],
    "ban": [
        (ban(tokens), hf.SuppressTokensLogitsProcessor(tokens)) for tokens in ([0], [3, 49, 7])
    ],
}  # fmt: skip


def flat(generator, size):
    return torch.zeros(size)


def normal(generator, size):
    return torch.randn(size, generator=generator)


def ties(generator, size):
    return torch.randint(-2, 3, size, generator=generator).float()


def wide(generator, size):
    return 1e4 * torch.randn(size, generator=generator)


def one_certain(generator, size):
    return normal(generator, size).index_fill(1, torch.tensor([4]), 1e30)


def some_impossible(generator, size):
    return normal(generator, size).index_fill(1, torch.arange(5, 40), -math.inf)


KINDS = [flat, normal, ties, wide, one_certain, some_impossible]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PAIRS)
def test_equals_transformers(name, kind):
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        logits = kind(generator, (4, V))
        idx = torch.randint(V, (4, 6), generator=generator)
        for ours, theirs in PAIRS[name]:
            before = logits.clone()
            found = ours(logits, idx)
            assert torch.equal(logits, before), "a processor changed its input"
            assert torch.equal(found, theirs(idx, logits.clone()))


def test_force_equals_transformers_at_the_first_and_the_last_token():
    logits = torch.randn(2, V)
    ours = force({1: 7, 9: 3})
    for T, theirs in [
        (1, hf.ForcedBOSTokenLogitsProcessor(7)),
        (9, hf.ForcedEOSTokenLogitsProcessor(10, 3)),
        (4, hf.ForcedEOSTokenLogitsProcessor(10, 3)),
    ]:
        idx = torch.zeros(2, T, dtype=torch.long)
        assert torch.equal(ours(logits, idx), theirs(idx, logits.clone()))


def test_top_p_keeps_the_smallest_set_that_is_enough():
    for seed in range(20):
        logits = 3 * torch.randn(4, V, generator=torch.Generator().manual_seed(seed))
        probs = logits.double().softmax(dim=-1)
        kept = top_p(0.8)(logits, torch.zeros(4, 1, dtype=torch.long)).isfinite()
        for row, keep in zip(probs, kept, strict=True):
            assert row[keep].sum() >= 0.8
            assert row[keep].sum() - row[keep].min() < 0.8
            assert row[keep].min() > row[~keep].max()


@pytest.mark.parametrize(
    ("make", "value", "says"),
    [
        (temperature, 0.0, "temperature=0.0: must be above 0"),
        (temperature, -1.0, "temperature=-1.0"),
        (temperature, math.nan, "temperature=nan"),
        (temperature, math.inf, "temperature=inf"),
        (top_k, 0, "top_k=0: must be a whole number of at least 1"),
        (top_p, 0.0, "top_p=0.0: must be above 0 and at most 1"),
        (top_p, 90.0, "top_p=90.0"),
        (min_p, -0.1, "min_p=-0.1: must lie between 0 and 1"),
        (min_p, 1.1, "min_p=1.1"),
        (repetition_penalty, 0.0, "repetition_penalty=0.0: must be above 0"),
    ],
)
def test_a_setting_without_meaning_is_refused_at_once(make, value, says):
    with pytest.raises(ValueError, match=f"^{says}.*$") as error:
        make(value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("make", [lambda: ban([3, 99]), lambda: force({1: 99})])
def test_a_token_outside_of_the_vocabulary_is_named(make):
    with pytest.raises(ValueError, match="token 99 is not in the vocabulary of 50 tokens"):
        make()(torch.zeros(1, V), torch.zeros(1, 1, dtype=torch.long))
