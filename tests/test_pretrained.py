"""Checkpoints: both directions with transformers, and every way a checkpoint can be wrong."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

import gptlib
from gptlib import GPT, GPTConfig, pretrained
from gptlib.pretrained import CheckpointError
from gptlib.tokenizer import Tokenizer

SMALL = {"vocab_size": 61, "n_positions": 24, "n_embd": 24, "n_layer": 2, "n_head": 3}


def fresh(**changes):
    torch.manual_seed(0)
    return GPT(GPTConfig(**{**SMALL, **changes})).eval()


def idx():
    return torch.randint(61, (2, 9), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def folder(tmp_path):
    """A good checkpoint, for a test to spoil."""
    gptlib.save(fresh(), tmp_path / "model")
    return tmp_path / "model"


def rewrite(folder, change):
    """Apply `change` to the dictionary of tensors in the checkpoint."""
    tensors = {
        name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()
    }
    change(tensors)
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize("max_shard_size", ["5GB", 10_000])
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": False}, {"n_inner": 17}])
def test_transformers_opens_what_gptlib_saves(tmp_path, changes, max_shard_size):
    model = fresh(**changes)
    gptlib.save(model, tmp_path, max_shard_size=max_shard_size)
    assert (tmp_path / pretrained.INDEX).exists() == (max_shard_size == 10_000)
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(theirs(idx()).logits, model(idx()), atol=1e-5, rtol=0)


@pytest.mark.parametrize("max_shard_size", ["5GB", "10KB"])
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": False}, {"n_inner": 17}])
def test_gptlib_opens_what_transformers_saves(tmp_path, changes, max_shard_size):
    torch.manual_seed(0)
    config = transformers.GPT2Config(**SMALL, **changes, bos_token_id=0, eos_token_id=0)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    theirs.save_pretrained(tmp_path, max_shard_size=max_shard_size)
    assert (tmp_path / pretrained.INDEX).exists() == (max_shard_size == "10KB")
    torch.testing.assert_close(
        gptlib.load(tmp_path)(idx()), theirs(idx()).logits, atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "alibi", "none"])
@pytest.mark.parametrize("max_shard_size", ["5GB", 10_000])
def test_saving_and_loading_changes_no_bit(tmp_path, positions, max_shard_size):
    model = fresh(positions=positions, dropout=0.25)
    gptlib.save(model, tmp_path, max_shard_size=max_shard_size)
    again = gptlib.load(tmp_path)
    assert again.config == model.config
    assert not again.training
    assert again.state_dict().keys() == model.state_dict().keys()
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name
    torch.testing.assert_close(again(idx()), model(idx()), atol=1e-6, rtol=0)


def test_transformers_refuses_positions_it_does_not_know(tmp_path):
    gptlib.save(fresh(positions="rotary"), tmp_path)
    with pytest.raises(ValueError, match="gptlib"):
        transformers.AutoModelForCausalLM.from_pretrained(tmp_path)


def test_a_loaded_model_trains_and_leaves_its_file_alone(folder):
    before = (folder / "model.safetensors").read_bytes()
    model = gptlib.load(folder).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    gptlib.model.next_token_loss(model(idx()[:, :-1]), idx()[:, 1:]).backward()
    optimizer.step()
    assert not torch.equal(model.transformer.wte.weight, gptlib.load(folder).transformer.wte.weight)
    assert (folder / "model.safetensors").read_bytes() == before


def test_saving_over_the_file_that_was_loaded(folder):
    model = gptlib.load(folder)
    expected = model(idx())
    gptlib.save(model, folder)
    torch.testing.assert_close(gptlib.load(folder)(idx()), expected)


def test_saving_whole_over_shards_leaves_no_stale_shard(tmp_path):
    gptlib.save(fresh(), tmp_path, max_shard_size=10_000)
    torch.manual_seed(5)
    other = GPT(GPTConfig(**SMALL)).eval()
    gptlib.save(other, tmp_path)
    assert sorted(os.listdir(tmp_path)) == ["config.json", "model.safetensors"]
    torch.testing.assert_close(gptlib.load(tmp_path)(idx()), other(idx()))


def test_names_without_prefix_and_old_buffers_are_understood(folder):
    """The checkpoint that OpenAI's GPT-2 has on the hub looks like this."""
    expected = gptlib.load(folder)(idx())

    def as_on_the_hub(tensors):
        for name in list(tensors):
            tensors[name.removeprefix("transformer.")] = tensors.pop(name)
        for layer in range(2):
            tensors[f"h.{layer}.attn.bias"] = torch.ones(1, 1, 24, 24).tril()
            tensors[f"h.{layer}.attn.masked_bias"] = torch.tensor(-1e4)

    rewrite(folder, as_on_the_hub)
    torch.testing.assert_close(gptlib.load(folder)(idx()), expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_dtype_is_the_one_asked_for(folder, dtype):
    assert {p.dtype for p in gptlib.load(folder, dtype=dtype).parameters()} == {dtype}


def test_weights_stored_in_half_precision_come_back_in_float32(folder):
    rewrite(folder, lambda tensors: tensors.update({n: t.half() for n, t in tensors.items()}))
    assert {p.dtype for p in gptlib.load(folder).parameters()} == {torch.float32}


def test_half_the_size_on_disk_is_still_computed_in_float32(tmp_path):
    model = fresh()
    gptlib.save(model, tmp_path / "whole")
    gptlib.save(model, tmp_path / "half", dtype=torch.float16)
    sizes = [(tmp_path / name / "model.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[1] < 0.6 * sizes[0]
    theirs = transformers.GPT2LMHeadModel.from_pretrained(tmp_path / "half").eval()
    assert theirs.dtype == torch.float32
    with torch.no_grad():
        mine = gptlib.load(tmp_path / "half")(idx())
        torch.testing.assert_close(mine, theirs(idx()).logits)
        torch.testing.assert_close(mine, model(idx()), atol=0.01, rtol=0)


def test_a_tokenizer_comes_along_and_says_where_texts_end(tmp_path):
    tokenizer = Tokenizer.train("low lower lowest " * 9, 260)
    gptlib.save(fresh(vocab_size=260), tmp_path, tokenizer=tokenizer)
    end = tokenizer.special_tokens["<|endoftext|>"]
    theirs = transformers.GPT2Tokenizer.from_pretrained(tmp_path)
    assert theirs.encode("lowest low") == tokenizer.encode("lowest low")
    assert theirs.eos_token_id == end
    generator = transformers.GPT2LMHeadModel.from_pretrained(tmp_path)
    assert generator.generation_config.eos_token_id == end
    assert Tokenizer.load(tmp_path).merges == tokenizer.merges


def test_a_tied_copy_is_accepted_and_another_matrix_refused(folder):
    rewrite(folder, lambda t: t.update({"lm_head.weight": t["transformer.wte.weight"].clone()}))
    gptlib.load(folder)
    rewrite(folder, lambda t: t["lm_head.weight"].add_(1))
    with pytest.raises(CheckpointError, match=r"lm_head\.weight differs from wte\.weight"):
        gptlib.load(folder)


def refused(folder, match):
    with pytest.raises(CheckpointError, match=match) as error:
        gptlib.load(folder)
    assert "\n" not in str(error.value)


def test_a_missing_tensor_is_named(folder):
    rewrite(folder, lambda tensors: tensors.pop("transformer.h.1.mlp.c_fc.weight"))
    refused(folder, r"lacks transformer\.h\.1\.mlp\.c_fc\.weight$")


def test_many_missing_tensors_are_summed_up(folder):
    rewrite(folder, lambda t: [t.pop(name) for name in list(t) if ".h.1." in name])
    refused(folder, r"lacks transformer\.h\.1\.attn\.c_attn\.bias, .* and 9 more$")


def test_a_surplus_tensor_is_named(folder):
    rewrite(folder, lambda t: t.update({"transformer.h.2.ln_1.weight": torch.ones(24)}))
    refused(folder, r"holds surplus transformer\.h\.2\.ln_1\.weight$")


def test_a_wrong_shape_is_named_as_the_file_stores_it(folder):
    rewrite(folder, lambda t: t.update({"transformer.h.0.attn.c_attn.weight": torch.ones(24, 71)}))
    refused(folder, r"c_attn\.weight has shape \(24, 71\); config\.json asks for \(24, 72\)")


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_file_cut_short_is_refused(folder, keep):
    weights = folder / "model.safetensors"
    data = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(data[:keep])
    refused(folder, r"model\.safetensors: is cut short or no safetensors file")


def test_a_pickle_is_never_opened(folder, tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    (folder / "model.safetensors").unlink()
    torch.save(Trap(), folder / "pytorch_model.bin")
    refused(folder, "is a pickle, and opening one can run any code")
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_under_a_safe_name_is_refused(folder):
    (folder / "model.safetensors").unlink()
    torch.save(fresh().state_dict(), folder / "model.safetensors")
    refused(folder, "no safetensors file")


def test_a_shard_that_is_not_there_is_named(tmp_path):
    gptlib.save(fresh(), tmp_path, max_shard_size=10_000)
    shard = next(tmp_path.glob("model-00002-of-*"))
    shard.unlink()
    refused(tmp_path, f"names '{shard.name}', which is not there")


def test_an_index_can_not_reach_outside_its_folder(folder, tmp_path):
    shutil.copy(folder / "model.safetensors", tmp_path / "outside.safetensors")
    names = load_file(folder / "model.safetensors")
    index = {"weight_map": dict.fromkeys(names, "../outside.safetensors")}
    (folder / pretrained.INDEX).write_text(json.dumps(index))
    refused(folder, "which is not there")


def test_a_broken_index_is_refused(folder):
    (folder / pretrained.INDEX).write_text("[]")
    refused(folder, "is no shard index")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model_type": "llama"}, "model_type is 'llama'"),
        ({"activation_function": "relu"}, "activation_function is 'relu'"),
        ({"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx is True"),
        ({"n_head": 5}, "can't be split into n_head=5"),
        ({"n_layer": -1}, "n_layer=-1"),
    ],
)
def test_a_config_that_asks_for_another_computation_is_refused(folder, change, says):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    refused(folder, says)


def test_config_missing_or_broken(folder):
    (folder / "config.json").write_text("{")
    refused(folder, r"config\.json: can't be read")
    (folder / "config.json").unlink()
    refused(folder, r"has no config\.json")
    shutil.rmtree(folder)
    refused(folder, "there is no such folder")
    folder.write_text("")
    refused(folder, "is a file")


def test_hub_name_without_network_names_what_works_without(monkeypatch, tmp_path):
    refused("gpt2", r"can't be reached .* Models that work without a network: ")
    (tmp_path / "story-gpt").mkdir()
    gptlib.save(fresh(), tmp_path / "story-gpt")
    monkeypatch.setattr(pretrained, "MODELS", tmp_path)
    refused("gpt2", "Models that work without a network: story-gpt$")
    assert gptlib.load("story-gpt").config.n_layer == 2


def test_an_impossible_hub_name_is_refused():
    refused("no spaces allowed", "neither a folder here nor a model on the hub")


def test_a_failed_save_keeps_the_old_checkpoint(folder, monkeypatch):
    expected = gptlib.load(folder)(idx()).detach().clone()
    before = sorted(os.listdir(folder))

    def full_disk(tensors, file, metadata):
        file.write_bytes(b"half")  # as safetensors leaves it
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pretrained, "save_file", full_disk)
    torch.manual_seed(9)
    with pytest.raises(CheckpointError, match=r"can't save here: .*No space left"):
        gptlib.save(GPT(GPTConfig(**SMALL)), folder)
    assert sorted(os.listdir(folder)) == before
    torch.testing.assert_close(gptlib.load(folder)(idx()), expected)


def test_what_a_killed_save_left_is_cleared_away(folder):
    (folder / ".saving-old").mkdir()
    (folder / ".saving-old" / "model.safetensors").write_bytes(b"half")
    gptlib.save(fresh(), folder)
    assert sorted(os.listdir(folder)) == ["config.json", "model.safetensors"]


def test_saving_where_a_file_stands_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CheckpointError, match="taken: can't save here"):
        gptlib.save(fresh(), tmp_path / "taken")


def test_loading_does_not_wake_torchs_compiler(folder):
    """Drawing weights on the "meta" device would import torch._dynamo: 2 s for nothing."""
    script = (
        "import sys, gptlib; gptlib.load(sys.argv[1]); assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script, str(folder)], check=True)
