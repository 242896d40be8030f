"""States of random number generators: what is put back draws the same again."""

import random
from contextlib import suppress

import numpy as np
import pytest
import torch

from gptlib.training.randomness import rng_kept, rng_state, set_rng_state

CPU = torch.device("cpu")


def draw():
    """From each generator, with normal numbers: those come in pairs, and one is kept back."""
    return [
        random.random(),
        random.gauss(),
        np.random.rand(),  # noqa: NPY002
        np.random.randn(),  # noqa: NPY002
        torch.rand(1).item(),
        torch.randn(1).item(),
    ]


@pytest.mark.parametrize("before", [0, 1, 2, 700])
def test_a_restored_state_draws_the_same(before):
    for _ in range(before):
        draw()
    state = {name: tensor.clone() for name, tensor in rng_state(CPU).items()}
    expected = [draw() for _ in range(3)]
    for _ in range(5):
        draw()
    set_rng_state(state, CPU)
    assert [draw() for _ in range(3)] == expected


def test_states_have_the_same_shapes_at_all_times():
    shapes = {name: tensor.shape for name, tensor in rng_state(CPU).items()}
    draw()
    assert {name: tensor.shape for name, tensor in rng_state(CPU).items()} == shapes


def test_what_is_drawn_inside_is_not_missed_outside():
    with rng_kept(CPU):
        expected = draw()
    with suppress(KeyError), rng_kept(CPU):
        draw()
        raise KeyError
    assert draw() == expected
