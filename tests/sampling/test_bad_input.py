"""Settings that make no sense: one line, before the first token is computed."""

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.sampling import generate, stream
from gptlib.sampling.context import Context


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"max_new_tokens": -1}, "max_new_tokens=-1: must be a whole number of at least 0"),
        ({"max_new_tokens": 36}, "n_positions=40: ask for at most 35, or give window=40"),
        ({"window": 0}, "window=0: must be a whole number of at least 1"),
        ({"window": 41}, "window=41 is wider than the model's n_positions=40"),
        ({"temperature": 0.0}, "temperature=0.0: must be above 0; for the likeliest use greedy"),
        ({"top_k": 0}, "top_k=0"),
        ({"top_p": 2.0}, "top_p=2.0"),
        ({"forced": {-1: 3}}, "forced has the step -1"),
        ({"seed": 2**70}, "seed=.*: must be a whole number of 64 bits"),
    ],
)
def test_generate_refuses(model, prompts, options, says):
    with pytest.raises(ValueError, match=says) as error:
        # Not at the first token, but at the call: a stream may be read much later.
        stream(model, prompts[0], **{"max_new_tokens": 4, **options})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("idx", "mask", "says"),
    [
        (torch.zeros(5, dtype=torch.long), None, r"the prompt has shape \(5,\): it must be \(B, T"),
        (torch.zeros(1, 0, dtype=torch.long), None, r"shape \(1, 0\)"),
        (torch.zeros(2, 3, dtype=torch.long), torch.ones(2, 4), r"attention_mask has shape \(2, 4"),
        (
            torch.zeros(2, 3, dtype=torch.long),
            torch.tensor([[1, 1, 1], [1, 1, 0]]),
            "row 1 of attention_mask has padding after a token: .* pad on the left",
        ),
        (
            torch.zeros(2, 3, dtype=torch.long),
            torch.tensor([[1, 0, 1], [0, 1, 1]]),
            "row 0 of attention_mask has padding after a token",
        ),
    ],
)
def test_prompts_of_the_wrong_shape(model, idx, mask, says):
    with pytest.raises(ValueError, match=says):
        Context(model, idx, 4, mask)


def test_dropout_in_training_mode_would_spoil_every_token(prompts):
    config = {"vocab_size": 61, "n_positions": 40, "n_embd": 24, "n_layer": 1, "n_head": 3}
    with pytest.raises(ValueError, match=r"call model.eval\(\) first"):
        generate(GPT(GPTConfig(**config, dropout=0.1)).train(), prompts[0], max_new_tokens=2)
    generate(GPT(GPTConfig(**config)).train(), prompts[0], max_new_tokens=2)


def test_nothing_left_to_choose(model, prompts):
    with pytest.raises(ValueError, match="row 0: no token is left to choose from"):
        generate(model, prompts[0], max_new_tokens=2, banned=range(61))


def test_numbers_that_are_none(model, prompts):
    model.transformer.ln_f.bias.data[3] = torch.nan
    with pytest.raises(ValueError, match="row 0: the largest logit is nan"):
        generate(model, prompts[0], max_new_tokens=2)


def test_ids_of_another_tokenizer(model):
    with pytest.raises(ValueError, match="token ids must lie between 0 and vocab_size - 1 = 60"):
        generate(model, torch.tensor([[3, 61]]), max_new_tokens=2)
