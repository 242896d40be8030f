"""Adapters in a folder: peft opens ours, we open peft's, and what does not belong is refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.testing import assert_close

from gptlib import GPTConfig
from gptlib.finetuning import (
    SequenceClassifier,
    TokenClassifier,
    add_lora,
    load_adapters,
    lora_layers,
    merge_lora,
    save_adapters,
)
from gptlib.finetuning.adapters import CONFIG, WEIGHTS
from gptlib.pretrained import CheckpointError
from tests.finetuning.test_lora import NAMES, fill
from tests.finetuning.twins import TINY, gpt, ids, twin


def adapted(**options: Any) -> torch.nn.Module:
    model = gpt()
    add_lora(model, **({"rank": 3, "alpha": 12} | options))
    fill(model)
    return model


def test_they_come_back_onto_the_base_bit_for_bit(tmp_path: Path) -> None:
    model = adapted(targets=["c_attn", "mlp.c_proj"], dropout=0.25)
    save_adapters(model, tmp_path)
    assert sorted(os.listdir(tmp_path)) == [CONFIG, WEIGHTS]
    other = gpt()
    n = load_adapters(other, tmp_path)
    assert torch.equal(other(ids()), model(ids()))
    assert list(lora_layers(other)) == list(lora_layers(model))
    assert {layer.dropout.p for layer in lora_layers(other).values()} == {0.25}
    assert n == sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert not any(m.training for m in other.modules())


def test_the_file_holds_the_adapters_alone(tmp_path: Path) -> None:
    model = adapted(rank=2)
    save_adapters(model, tmp_path)
    saved = sum(tensor.numel() for tensor in load_file(tmp_path / WEIGHTS).values())
    assert saved == sum(2 * (i + o) for i, o in [(16, 48), (16, 16), (16, 64), (64, 16)]) * 3


@pytest.mark.parametrize("targets", [["c_attn"], NAMES])
@pytest.mark.filterwarnings("error:fan_in_fan_out")  # peft would correct a wrong setting
def test_peft_opens_them(tmp_path: Path, targets: list[str]) -> None:
    peft = pytest.importorskip("peft", reason="needs peft, whose file format it is")
    model = adapted(targets=targets)
    save_adapters(model, tmp_path / "adapters", base="tiny")
    hf = twin(gpt(), tmp_path / "base")
    theirs = peft.PeftModel.from_pretrained(hf, tmp_path / "adapters").eval()
    assert_close(model(ids()), theirs(ids()).logits, atol=2e-5, rtol=1e-4)
    assert theirs.peft_config["default"].base_model_name_or_path == "tiny"


def test_ours_opens_pefts(tmp_path: Path) -> None:
    peft = pytest.importorskip("peft", reason="needs peft, whose file format it is")
    hf = twin(gpt(), tmp_path / "base")
    config = peft.LoraConfig(
        r=4, lora_alpha=6, target_modules=["c_attn", "c_fc"], init_lora_weights=False
    )
    theirs = peft.get_peft_model(hf, config).eval()  # B is drawn as well, not zero
    theirs.save_pretrained(tmp_path / "adapters")
    model = gpt()
    assert load_adapters(model, tmp_path / "adapters") == theirs.get_nb_trainable_parameters()[0]
    assert_close(model(ids()), theirs(ids()).logits, atol=2e-5, rtol=1e-4)
    assert not torch.allclose(model(ids()), gpt()(ids()), atol=0.01)


@pytest.mark.parametrize(
    ("kind", "hf_kind"),
    [
        (SequenceClassifier, "GPT2ForSequenceClassification"),
        (TokenClassifier, "GPT2ForTokenClassification"),
    ],
)
def test_a_head_goes_with_them_to_peft_and_back(kind: type, hf_kind: str, tmp_path: Path) -> None:
    model = kind(gpt(), 3).eval()
    add_lora(model, rank=2)
    fill(model)
    save_adapters(model, tmp_path / "adapters")
    other = kind(gpt(), 3).eval()
    load_adapters(other, tmp_path / "adapters")
    assert torch.equal(other(ids()), model(ids()))
    trained = [{n for n, p in m.named_parameters() if p.requires_grad} for m in (model, other)]
    assert trained[0] == trained[1]

    peft = pytest.importorskip("peft", reason="needs peft, whose file format it is")
    hf = twin(gpt(), tmp_path / "base", hf_kind, num_labels=3, pad_token_id=39)
    theirs = peft.PeftModel.from_pretrained(hf, tmp_path / "adapters").eval()
    assert_close(model(ids() % 39), theirs(ids() % 39).logits, atol=2e-5, rtol=1e-4)


def test_what_trained_beside_them_goes_with_them(tmp_path: Path) -> None:
    model = adapted()
    with torch.no_grad():
        model.get_parameter("transformer.ln_f.bias").requires_grad_().add_(1)
    save_adapters(model, tmp_path / "adapters")
    other = gpt()
    load_adapters(other, tmp_path / "adapters")
    assert torch.equal(other(ids()), model(ids()))

    peft = pytest.importorskip("peft", reason="needs peft, whose file format it is")
    hf = twin(gpt(), tmp_path / "base")
    theirs = peft.PeftModel.from_pretrained(hf, tmp_path / "adapters").eval()
    assert_close(model(ids()), theirs(ids()).logits, atol=2e-5, rtol=1e-4)
    with theirs.disable_adapter():  # peft knows what is not the base's, and takes it out
        assert_close(theirs(ids()).logits, gpt()(ids()), atol=2e-5, rtol=1e-4)


def test_a_base_in_fewer_bits_is_the_same_base(tmp_path: Path) -> None:
    save_adapters(adapted(), tmp_path)
    load_adapters(gpt().bfloat16(), tmp_path)


def changed_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8")) | changes
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")


def changed_tensors(folder: Path, change: Any) -> None:
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS)


KEY = "base_model.model.transformer.h.0.attn.c_attn.lora_B.weight"


def of(**changes: Any) -> GPTConfig:
    sizes = {"n_layer": 3, "n_head": 2, "n_embd": 16, "vocab_size": 40, "n_positions": 24}
    return GPTConfig(**(sizes | changes))


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (of(n_layer=2), "adapts transformer.h.2.attn.c_attn, which is no linear layer here"),
        (of(n_embd=32), "for a layer of 16 inputs and 48 outputs, this one has 32 and 96"),
        (of(vocab_size=41), "the base's weights are others"),
    ],
)
def test_another_base_is_refused_and_stays_as_it_was(
    base: GPTConfig, message: str, tmp_path: Path
) -> None:
    save_adapters(adapted(), tmp_path)
    check_refused(tmp_path, message, base)


def test_a_base_of_the_same_shape_is_told_apart(tmp_path: Path) -> None:
    save_adapters(adapted(), tmp_path)
    other = gpt()
    with torch.no_grad():
        other.transformer.ln_f.bias[3] += 0.1
    with pytest.raises(CheckpointError, match="the base's weights are others"):
        load_adapters(other, tmp_path)
    assert not lora_layers(other)


def check_refused(folder: Path, message: str, base: GPTConfig = TINY) -> None:
    model = gpt(base)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError, match=message) as error:
        load_adapters(model, folder)
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"peft_type": "IA3"}, "does not describe LoRA adapters"),
        ({"use_rslora": True}, "use_rslora is set: gptlib knows plain LoRA alone"),
        ({"lora_alpha": "many"}, "can't be read as adapters' settings"),
        ({"lora_alpha": 13}, "has lora_alpha 13, and .* was saved with 12: .* not of one save"),
    ],
)
def test_settings_that_do_not_fit(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    save_adapters(adapted(), tmp_path)
    changed_config(tmp_path, **change)
    check_refused(tmp_path, message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(KEY), "adapts transformer.h.0.attn.c_attn"),
        (lambda t: t.update({KEY: t[KEY][:-1].clone()}), "16 inputs and 47 outputs"),
        (lambda t: t.update({"lm_head.weight": torch.ones(2)}), "holds lm_head.weight, which is"),
        (lambda t: t.update({"transformer.ln_f.bias": torch.ones(2)}), r"shape \(2,\), here"),
    ],
)
def test_tensors_that_do_not_fit(change: Any, message: str, tmp_path: Path) -> None:
    save_adapters(adapted(), tmp_path)
    changed_tensors(tmp_path, change)
    check_refused(tmp_path, message)


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    check_refused(tmp_path, "can't be read as adapters' settings")
    save_adapters(adapted(), tmp_path)
    data = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(data[:-10])
    check_refused(tmp_path, "is missing or damaged")
    (tmp_path / WEIGHTS).unlink()
    check_refused(tmp_path, "is missing or damaged")


def test_a_save_that_fails_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_adapters(adapted(), tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("gptlib.finetuning.adapters.save_file", fail)
    with pytest.raises(CheckpointError, match="can't save here: No space left on device"):
        save_adapters(adapted(rank=5), tmp_path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_a_model_without_adapters_has_none_to_save_and_one_with_takes_no_more(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="no adapters to save"):
        save_adapters(gpt(), tmp_path)
    model = adapted()
    save_adapters(model, tmp_path)
    with pytest.raises(ValueError, match="has adapters already"):
        load_adapters(model, tmp_path)
    merge_lora(model)
    with pytest.raises(CheckpointError, match="the base's weights are others"):
        load_adapters(model, tmp_path)  # they are in it already
