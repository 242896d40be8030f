"""Small models that every widget's tests read with."""

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.tokenizer import Tokenizer

TEXT = "the cat sat on the mat. the dog was happy and the cat was sad. "


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXT * 3, vocab_size=290)


@pytest.fixture
def make_model(tokenizer):
    """A model of unequal dimensions, with weights large enough that heads differ."""

    def make(**changes) -> GPT:
        torch.manual_seed(1)
        fields = {"n_layer": 3, "n_head": 2, "n_embd": 20, "n_positions": 48, **changes}
        model = GPT(GPTConfig(vocab_size=tokenizer.vocab_size, **fields)).eval()
        with torch.no_grad():
            for name, weights in model.named_parameters():
                if "c_attn.weight" in name or "c_proj.weight" in name:
                    weights.mul_(12)
        return model

    return make
