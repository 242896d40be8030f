"""The learning rate against transformers' and torch's own schedulers."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers.optimization import (
    get_constant_schedule_with_warmup,
    get_cosine_with_min_lr_schedule_with_warmup,
    get_linear_schedule_with_warmup,
    get_wsd_schedule,
)

from gptlib.training import TrainingConfig, learning_rate

STEPS, WARMUP, LR = 40, 10, 0.02


def ours(**changes):
    config = TrainingConfig(**{"steps": STEPS, "warmup": WARMUP, "lr": LR, **changes})
    return [learning_rate(config, step) for step in range(1, config.steps + 1)]


def theirs(make, **options):
    """A scheduler's learning rates: after its n-th step stands what our step n uses."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=LR)
    scheduler = make(optimizer, **options)
    rates = []
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
        rates.append(scheduler.get_last_lr()[0])
    return rates


def test_cosine():
    expected = theirs(
        get_cosine_with_min_lr_schedule_with_warmup,
        num_warmup_steps=WARMUP,
        num_training_steps=STEPS,
        min_lr_rate=0.1,
    )
    assert ours(schedule="cosine") == pytest.approx(expected)


def test_linear():
    expected = theirs(
        get_linear_schedule_with_warmup, num_warmup_steps=WARMUP, num_training_steps=STEPS
    )
    assert ours(schedule="linear", min_lr=0.0) == pytest.approx(expected)


def test_constant():
    expected = theirs(get_constant_schedule_with_warmup, num_warmup_steps=WARMUP)
    assert ours(schedule="constant") == pytest.approx(expected)


@pytest.mark.parametrize("low", [0.0, 0.25])
def test_warmup_stable_decay(low):
    expected = theirs(
        get_wsd_schedule,
        num_warmup_steps=WARMUP,
        num_decay_steps=8,
        num_training_steps=STEPS,
        decay_type="linear",
        min_lr_ratio=low,
    )
    rates = ours(schedule="warmup-stable-decay", decay=8, min_lr=LR * low)
    # Theirs begins its warm-up at the lowest rate, ours at 0, like all other schedules.
    compared = slice(WARMUP - 1 if low else 0, None)
    assert rates[compared] == pytest.approx(expected[compared])


@given(
    st.sampled_from(["cosine", "linear", "constant", "warmup-stable-decay"]),
    st.integers(1, 60),
    st.data(),
)
def test_it_grows_then_never_grows_again_and_ends_low(schedule, steps, data):
    warmup = data.draw(st.integers(0, steps))
    decay = data.draw(st.integers(0, steps - warmup))
    rates = ours(schedule=schedule, steps=steps, warmup=warmup, decay=decay, min_lr=LR / 5)
    assert all(a < b for a, b in pairwise(rates[:warmup]))
    assert all(a >= b for a, b in pairwise(rates[max(warmup - 1, 0) :]))
    assert max(rates) <= LR
    falls = {"constant": 0, "warmup-stable-decay": decay}.get(schedule, steps - warmup)
    assert rates[-1] == pytest.approx(LR / 5 if falls else LR)
