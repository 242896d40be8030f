"""LoRA: beside peft on the same weights, numbers, gradients and counts are the same."""

import copy
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import gptlib
from gptlib import GPT, GPTConfig
from gptlib.finetuning import (
    SequenceClassifier,
    add_lora,
    lora_layers,
    merge_lora,
    n_trainable,
    without_lora,
)
from gptlib.pretrained import CheckpointError
from gptlib.sampling.decoder import Decoder
from tests.finetuning.twins import gpt, ids, twin

NAMES = ["attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj"]


def fill(model: torch.nn.Module) -> None:
    """Adapters as they could be after training: B is no longer zero."""
    torch.manual_seed(3)
    with torch.no_grad():
        for layer in lora_layers(model).values():
            layer.lora_B.normal_(std=0.2)


def as_peft(model: torch.nn.Module, hf: torch.nn.Module, **options: object) -> torch.nn.Module:
    """peft's model around transformers', with the adapters that `model` has."""
    peft = pytest.importorskip("peft", reason="needs peft, the oracle for LoRA")
    config = peft.LoraConfig(fan_in_fan_out=True, task_type="CAUSAL_LM", **options)
    theirs = peft.get_peft_model(hf, config).eval()
    with torch.no_grad():
        for name, layer in lora_layers(model).items():
            place = theirs.get_submodule(f"base_model.model.{name}")
            place.lora_A["default"].weight.copy_(layer.lora_A)
            place.lora_B["default"].weight.copy_(layer.lora_B)
    return theirs


@pytest.mark.parametrize("targets", [["c_attn"], NAMES, ["mlp.c_fc", "attn.c_proj"]])
def test_it_equals_peft(tmp_path: Path, targets: list[str]) -> None:
    model = gpt()
    hf = twin(model, tmp_path)
    trainable = add_lora(model, rank=3, alpha=12, targets=targets)
    fill(model)
    theirs = as_peft(model, hf, r=3, lora_alpha=12, target_modules=targets)
    assert trainable == n_trainable(model) == theirs.get_nb_trainable_parameters()[0]

    idx = ids()
    logits = model(idx)
    assert_close(logits, theirs(idx).logits, atol=2e-5, rtol=1e-4)
    assert (logits - gpt()(idx)).abs().max() > 0.1, "the adapters changed nothing"
    for each in (model, theirs):
        out = each(idx) if each is model else each(idx).logits
        out.square().mean().backward()
    compared = 0
    for name, layer in lora_layers(model).items():
        place = theirs.get_submodule(f"base_model.model.{name}")
        for mine, other in ((layer.lora_A, place.lora_A), (layer.lora_B, place.lora_B)):
            assert mine.grad is not None
            assert mine.grad.abs().max() > 0
            assert_close(mine.grad, other["default"].weight.grad, atol=1e-5, rtol=1e-3)
            compared += 1
    assert compared == 2 * 3 * len(targets)
    assert all(p.grad is None for n, p in model.named_parameters() if "lora_" not in n)

    merge_lora(model)
    merged = theirs.merge_and_unload()
    for name in NAMES:
        mine = model.get_submodule(f"transformer.h.1.{name}").weight
        assert_close(mine, merged.get_submodule(f"transformer.h.1.{name}").weight.t())
    assert_close(model(idx), logits, atol=2e-5, rtol=1e-4)


def test_transformers_own_layers_can_have_adapters_too(tmp_path: Path) -> None:
    model = gpt()
    hf = twin(model, tmp_path)
    assert add_lora(model, rank=2) == add_lora(hf, rank=2)
    for each in (model, hf):
        fill(each)
    theirs = dict(hf.named_parameters())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                theirs[name].copy_(parameter)
    before = model(ids())
    assert_close(hf(ids()).logits, before, atol=2e-5, rtol=1e-4)
    merge_lora(hf)
    assert_close(hf(ids()).logits, before, atol=2e-5, rtol=1e-4)
    assert not lora_layers(hf)


def test_new_adapters_change_nothing_and_come_off_without_a_trace() -> None:
    model = gpt()
    idx = ids()
    before = model(idx)
    names = list(model.state_dict())
    add_lora(model)
    assert torch.equal(model(idx), before)
    fill(model)
    with without_lora(model):
        assert torch.equal(model(idx), before)
    changed = model(idx)
    assert not torch.equal(changed, before)
    merge_lora(model)
    assert list(model.state_dict()) == names
    assert all(p.requires_grad for p in model.parameters())


def test_a_merge_in_float64_is_exact_to_its_last_bits() -> None:
    model = gpt().double()
    add_lora(model, rank=2)
    fill(model)
    idx = ids()
    before = model(idx)
    merge_lora(model)
    assert_close(model(idx), before, atol=1e-12, rtol=1e-12)


def test_a_decoder_reads_the_adapters() -> None:
    model = gpt()
    add_lora(model)
    fill(model)
    merged = copy.deepcopy(model)
    merge_lora(merged)
    logits = [Decoder(each)(ids(1, 5), cache=each.new_cache()) for each in (model, merged)]
    assert torch.equal(*logits)


def test_dropout_falls_on_the_adapters_alone() -> None:
    model = gpt()
    add_lora(model, dropout=0.5)
    assert not any(m.training for m in model.modules()), "the model was in evaluation mode"
    idx = ids()
    before = model(idx)
    assert torch.equal(model.train()(idx), before), "B is zero, so nothing can fall out"
    fill(model)
    torch.manual_seed(0)
    assert not torch.equal(model(idx), model(idx))
    assert torch.equal(model.eval()(idx), model(idx))


def test_a_head_trains_beside_the_adapters() -> None:
    classifier = SequenceClassifier(gpt(), 3)
    total = add_lora(classifier, rank=2, targets=["c_attn"])
    assert total == 3 * 2 * (16 + 48) + 3 * 16
    trained = {name for name, p in classifier.named_parameters() if p.requires_grad}
    assert {name.rpartition(".")[2] for name in trained} == {"lora_A", "lora_B", "weight"}
    assert "score.weight" in trained
    with pytest.raises(ValueError, match="no linear layer matches the target 'score'"):
        add_lora(SequenceClassifier(gpt(), 3), targets=["score"])


def test_patterns_choose_layers() -> None:
    model = gpt()
    add_lora(model, targets=["h.[12].attn.*", "h.0.mlp.c_fc"])
    assert list(lora_layers(model)) == [
        "transformer.h.0.mlp.c_fc",
        *(f"transformer.h.{n}.attn.{kind}" for n in (1, 2) for kind in ("c_attn", "c_proj")),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"targets": ["c_atn"]},
            "no linear layer matches the target 'c_atn'; this model has: attn",
        ),
        ({"targets": ["c_attn", "x"]}, "no linear layer matches the target 'x'"),
        ({"targets": "c_attn"}, "targets='c_attn': give a list of names"),
        ({"targets": []}, "give a list of names"),
        ({"rank": 0}, "rank=0, alpha=16, dropout=0.0: rank must be at least 1"),
        ({"alpha": 0}, "alpha above 0"),
        ({"dropout": 1.0}, "dropout at least 0 and below 1"),
    ],
)
def test_bad_arguments_change_nothing(arguments: dict[str, object], message: str) -> None:
    model = gpt()
    with pytest.raises(ValueError, match=message) as error:
        add_lora(model, **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(error.value)
    assert not lora_layers(model)
    assert all(p.requires_grad for p in model.parameters())


def test_adapters_are_added_and_merged_once() -> None:
    model = gpt()
    add_lora(model)
    with pytest.raises(ValueError, match="has adapters already: merge_lora"):
        add_lora(model)
    merge_lora(model)
    with pytest.raises(ValueError, match="no adapters to merge"):
        merge_lora(model)


def test_a_model_with_adapters_is_not_saved_as_a_plain_one(tmp_path):
    """Nobody could open it; merged, or without a head, it can be saved."""
    torch.manual_seed(0)
    config = GPTConfig(vocab_size=11, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    model = GPT(config)
    for other in (model, SequenceClassifier(GPT(config), 2)):
        if other is model:
            add_lora(model, rank=2)
        with pytest.raises(CheckpointError, match=r"no plain GPT .*merge_lora"):
            gptlib.save(other, tmp_path)
        assert not list(tmp_path.iterdir())
    merge_lora(model)
    gptlib.save(model, tmp_path)
    assert gptlib.load(tmp_path).config == config
