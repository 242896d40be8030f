"""`gptlib info`: the figures are those of the files, counted otherwise here."""

import json
import platform
import re
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

import gptlib
from gptlib.tokenizer import Tokenizer

from .conftest import call


def test_a_model(story_run):
    done = call("info", story_run)
    assert done.code == 0, done.err
    weights = load_file(story_run / "model.safetensors")
    total = sum(w.numel() for w in weights.values())
    assert f"parameters  {total:,}\n" in done.out
    counts = {
        part: int(n.replace(",", "")) for n, part in re.findall(r"([\d,]+)  ([\w ]+) \(", done.out)
    }
    assert sum(counts.values()) == total
    of = {"attention": ".attn.", "MLP": ".mlp.", "LayerNorm": "ln_", "token embedding": "wte"}
    for part, word in of.items():
        assert counts[part] == sum(w.numel() for name, w in weights.items() if word in name), part
    assert "float32" in done.out
    assert f"{(story_run / 'model.safetensors').stat().st_size / 1e3:.1f} kB" in done.out
    assert "300 tokens: 256 bytes, 43 merges, special: <|endoftext|> (299)" in done.out
    result = json.loads((story_run / "run.json").read_text(encoding="utf-8"))["result"]
    assert f"on story:nursery: 12 steps, {result['tokens']:,} tokens" in done.out
    assert f"validation {result['validation_loss']:.4f}" in done.out


def test_a_model_without_tokenizer_in_half_precision_with_its_card(story_run, tmp_path):
    shutil.copy(story_run / "config.json", tmp_path)
    weights = load_file(story_run / "model.safetensors")
    halved = {name: w.to(torch.float16) for name, w in weights.items()}
    save_file(halved, tmp_path / "model.safetensors", {"format": "pt"})
    card = "---\nlicense: mit\n---\n\n# A title\n\nReads stories.\nWrites them.\n\nMore.\n"
    (tmp_path / "README.md").write_text(card, encoding="utf-8")
    done = call("info", tmp_path)
    assert done.code == 0, done.err
    assert re.search(r"^format +float16, ", done.out, re.MULTILINE)
    assert re.search(r"^tokenizer +none in this folder$", done.out, re.MULTILINE)
    assert [line.strip() for line in done.out.splitlines()[-2:]] == [
        "Reads stories.",
        "Writes them.",
    ]
    assert "license" not in done.out


def test_other_positions_and_an_output_layer_of_its_own(tmp_path):
    config = gptlib.GPTConfig(
        n_layer=1, n_head=2, n_embd=8, vocab_size=257, positions="rotary", tie_word_embeddings=False
    )
    gptlib.save(gptlib.GPT(config), tmp_path)
    Tokenizer([]).save(tmp_path)
    done = call("info", tmp_path)
    assert done.code == 0, done.err
    assert "1024 rotary positions" in done.out
    assert re.search(r" 2,056  output layer \(", done.out)
    assert "position embedding" not in done.out
    assert "again" not in done.out


def test_the_machine():
    done = call("info")
    assert done.code == 0, done.err
    assert f"gptlib      {gptlib.__version__}, Python {platform.python_version()}" in done.out
    assert f"torch {torch.__version__}" in done.out
    assert re.search(r"cpu +float32 +[\d.,]+ GFLOP/s", done.out)
    assert "models      " in done.out


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda folder: (folder / "config.json").unlink(), "has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json: can't be read"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no model.safetensors"),
        (
            lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 99),
            "model.safetensors",
        ),
        (lambda folder: (folder / "vocab.json").write_text("{"), None),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), "tokenizer.json, line 1"),
    ],
)
def test_a_damaged_folder_is_one_line(story_run, tmp_path, break_it, says):
    folder = tmp_path / "model"
    shutil.copytree(story_run, folder)
    break_it(folder)
    done = call("info", folder)
    if says is None:  # tokenizer.json says it all
        assert done.code == 0
        return
    assert done.code == 1
    assert says in done.line()


def test_a_damaged_record_is_told_beside_the_rest(story_run, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(story_run, folder)
    (folder / "run.json").write_text('{"arguments": 3}', encoding="utf-8")
    done = call("info", folder)
    assert done.code == 0
    assert "run.json can't be read" in done.out


def test_model_path_gives_a_shipped_models_folder(story_run, tmp_path, monkeypatch):
    assert gptlib.model_path(story_run) == story_run
    shutil.copytree(story_run, tmp_path / "small-gpt")
    monkeypatch.setattr("gptlib.pretrained.MODELS", tmp_path)
    assert gptlib.model_path("small-gpt") == tmp_path / "small-gpt"
    assert "small-gpt" in call("info", "small-gpt").out
    assert "models      small-gpt" in call("info").out
