"""Which parameters train, by name and by number."""

from pathlib import Path

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.finetuning import (
    SequenceClassifier,
    TokenClassifier,
    add_lora,
    n_trainable,
    train_only,
)
from tests.finetuning.twins import TINY, gpt, twin

UNTIED = GPTConfig(
    n_layer=3, n_head=2, n_embd=16, vocab_size=40, n_positions=24, tie_word_embeddings=False
)
BLOCK = 12 * 16**2 + 13 * 16  # Vaswani's 12 C² and the 13 C of biases and norms
NORM = 2 * 16


def trained(model: torch.nn.Module) -> set[str]:
    """The names, with the block's number, of what wants a gradient."""
    names = {name for name, p in model.named_parameters() if p.requires_grad}
    return {".".join(name.split(".")[:3]) if ".h." in name else name for name in names}


def test_the_last_blocks_train_with_the_norm_and_the_head() -> None:
    model = SequenceClassifier(gpt(), 5)
    assert train_only(model, "last-2") == 2 * BLOCK + NORM + 5 * 16
    assert trained(model) == {
        "transformer.h.1",
        "transformer.h.2",
        "transformer.ln_f.weight",
        "transformer.ln_f.bias",
        "score.weight",
    }


def test_the_last_of_twelve_blocks_is_the_twelfth() -> None:
    model = GPT(GPTConfig(n_layer=12, n_head=1, n_embd=4, vocab_size=8, n_positions=4))
    train_only(model, "last-1")
    assert {name for name in trained(model) if ".h." in name} == {"transformer.h.11"}


def test_a_head_trains_alone() -> None:
    assert train_only(SequenceClassifier(gpt(), 5), "head") == 5 * 16
    tags = TokenClassifier(gpt(), 5)
    assert train_only(tags, "head") == 5 * 16 + 5
    assert trained(tags) == {"classifier.weight", "classifier.bias"}
    assert train_only(gpt(UNTIED), "head") == 40 * 16


def test_a_tied_output_matrix_is_no_head() -> None:
    model = gpt()
    with pytest.raises(ValueError, match="tied to the token embedding") as error:
        train_only(model, "head")
    assert "\n" not in str(error.value)
    assert train_only(model, "last-1") == BLOCK + NORM
    assert train_only(gpt(UNTIED), "last-1") == BLOCK + NORM + 40 * 16


def test_all_undoes_the_others() -> None:
    model = gpt()
    train_only(model, "last-1")
    assert train_only(model, "all") == TINY.num_parameters == n_trainable(model)


def test_adapters_train_alone() -> None:
    model = gpt()
    n = add_lora(model, rank=2, targets=["c_attn"])
    train_only(model, "all")
    assert train_only(model, "lora") == n == 3 * 2 * (16 + 48)


def test_transformers_models_have_the_same_parts(tmp_path: Path) -> None:
    model = gpt()
    assert train_only(twin(model, tmp_path), "last-2") == train_only(model, "last-2")


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ("last-4", "'last-4': the model has 3 blocks, so choose 1 to 3"),
        ("last-0", "choose 1 to 3"),
        ("last", '\'last\': choose "all", "last-" with a number, "head" or "lora"'),
        ("lora", "no adapters: call add_lora first"),
    ],
)
def test_bad_words_change_nothing(which: str, message: str) -> None:
    model = gpt()
    with pytest.raises(ValueError, match=message):
        train_only(model, which)
    assert all(p.requires_grad for p in model.parameters())
