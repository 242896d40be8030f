"""GPTConfig: its formula for parameters, its presets, and its one-line errors."""

import dataclasses
import re

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from gptlib import GPT, GPTConfig


def test_gpt2_small_has_124_439_808_parameters():
    assert GPTConfig.preset("gpt2").num_parameters == 124_439_808


@pytest.mark.parametrize("name", ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"])
def test_formula_counts_what_transformers_builds(name):
    config = GPTConfig.preset(name)
    theirs = transformers.GPT2Config(
        n_layer=config.n_layer, n_head=config.n_head, n_embd=config.n_embd
    )
    import torch

    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(theirs)
    assert config.num_parameters == sum(p.numel() for p in model.parameters())


@given(
    n_head=st.integers(1, 3),
    head_dim=st.sampled_from([2, 4, 6]),
    n_layer=st.integers(1, 3),
    n_inner=st.none() | st.integers(1, 40),
    tied=st.booleans(),
    positions=st.sampled_from(["learned", "sinusoidal", "rotary", "alibi", "none"]),
)
def test_formula_counts_what_gptlib_builds(n_head, head_dim, n_layer, n_inner, tied, positions):
    config = GPTConfig(
        vocab_size=11,
        n_positions=7,
        n_embd=n_head * head_dim,
        n_layer=n_layer,
        n_head=n_head,
        n_inner=n_inner,
        tie_word_embeddings=tied,
        positions=positions,
    )
    assert config.num_parameters == sum(p.numel() for p in GPT(config).parameters())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"n_embd": 10, "n_head": 3}, "n_embd=10 can't be split into n_head=3"),
        ({"n_layer": 0}, "n_layer=0"),
        ({"vocab_size": 2.5}, "vocab_size=2.5"),
        ({"n_inner": -1}, "n_inner=-1"),
        ({"positions": "absolute"}, "choose one of learned, sinusoidal, rotary, alibi, none"),
        ({"n_embd": 9, "n_head": 3, "positions": "rotary"}, "even head size"),
        ({"n_embd": 9, "n_head": 3, "positions": "sinusoidal"}, "even n_embd"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"layer_norm_epsilon": 0.0}, "layer_norm_epsilon=0.0"),
    ],
)
def test_impossible_values_are_refused_in_one_line(changes, says):
    with pytest.raises(ValueError, match=re.escape(says)) as error:
        GPTConfig(**changes)
    assert "\n" not in str(error.value)


def test_preset_takes_changes_and_names_what_it_does_not_know():
    assert GPTConfig.preset("tiny", n_layer=2).n_layer == 2
    with pytest.raises(ValueError, match="choose one of tiny, gpt2"):
        GPTConfig.preset("gpt5")
    with pytest.raises(ValueError, match="no field 'layers'"):
        GPTConfig.preset("tiny", layers=2)


def test_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GPTConfig().n_layer = 3
