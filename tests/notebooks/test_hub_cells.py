"""Chapter 07's cells on the real GPT-2: they run on a hub's cache, and skip in a line without one.

The cache is made here, in the layout of `huggingface_hub`, with a small random GPT-2 in it that is
called "gpt2" and stored the way the real one is.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from gptlib.tokenizer import Tokenizer
from tools.sources import read_source

from .samples import ROOT

CELLS = ("imports", "translated", "hub", "hub-snippet", "hub-own")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROMPT = "Once upon a time"
NOBODY = "http://127.0.0.1:9"  # a hub that no one answers for


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """The chapter's cells that stand for themselves, as one program."""
    source = read_source(ROOT / "sources" / "chapters" / "07_transformers.py", ROOT)
    named = {cell.name: cell.text for cell in source.cells if cell.name}
    path = tmp_path_factory.mktemp("cells") / "cells.py"
    path.write_text("\n\n".join(named[name] for name in CELLS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def model():
    """A GPT-2 with noise in every weight: fresh biases are 0, and would hide a mistake."""
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=300, n_positions=64, n_embd=16, n_layer=2, n_head=2,
        bos_token_id=299, eos_token_id=299,
    )  # fmt: skip
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return model


@pytest.fixture
def hub(model, tmp_path):
    """An HF_HOME whose cache holds the model as "gpt2"."""
    repository = tmp_path / "hub" / "models--gpt2"
    folder = repository / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    model.config.save_pretrained(folder)
    # OpenAI's checkpoint has no prefix, no copy of wte, and a causal mask in each block.
    weights = {
        name.removeprefix("transformer."): weight.clone()
        for name, weight in model.state_dict().items()
        if name != "lm_head.weight"
    }
    weights |= {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).tril() for layer in range(2)}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    Tokenizer.train("Once upon a time there was a time to be upon. " * 9, 300).save(folder)
    return tmp_path


def run(script: Path, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, str(script)],
        env={**clean, "PYTHONUTF8": "1", "HF_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def skipped(ran: subprocess.CompletedProcess[str]) -> bool:
    """Whether both cells said in a line of their own that they do nothing, and did nothing."""
    lines = ran.stdout.splitlines()
    return (
        ran.returncode == 0
        and len(lines) == 2
        and all(line.startswith("skipped: gpt2 is not in the cache") for line in lines)
    )


def test_with_the_model_in_the_cache_the_cells_run_and_need_no_network(script, hub, model):
    ran = run(script, hub, HF_ENDPOINT=NOBODY)
    assert ran.returncode == 0, ran.stderr
    assert "skipped" not in ran.stdout
    assert ran.stdout.startswith(PROMPT)
    tokenizer = Tokenizer.load(next(hub.rglob("vocab.json")).parent)
    n_logits = len(tokenizer.encode(PROMPT)) * model.config.vocab_size
    assert ran.stdout.splitlines()[-1] == (
        f"{model.num_parameters():,} parameters: ids and {n_logits:,} logits agree"
    )


def test_a_matrix_that_is_not_transposed_is_noticed(script, hub):
    """The comparison in the last cell can fail; and HF_HUB_OFFLINE=1 does not hide the cache."""
    text = script.read_text(encoding="utf-8")
    wrong = script.with_name("wrong.py")
    wrong.write_text(text.replace('"attn.c_proj.weight", ', "", 1), encoding="utf-8")
    assert wrong.read_text(encoding="utf-8") != text
    ran = run(wrong, hub, HF_HUB_OFFLINE="1")
    assert ran.returncode != 0
    assert "Tensor-likes are not close" in ran.stderr


def test_offline_each_cell_says_in_a_line_that_half_a_download_is_no_model(script, hub):
    next(hub.rglob("model.safetensors")).unlink()
    assert skipped(run(script, hub, HF_HUB_OFFLINE="1"))


def test_without_a_network_each_cell_says_so_in_a_line(script, tmp_path):
    assert skipped(run(script, tmp_path, HF_ENDPOINT=NOBODY))
