"""A GPT with weights that are all different from zero, and transformers' model of the same."""

from pathlib import Path
from typing import Any

import torch
import transformers

from gptlib import GPT, GPTConfig, save

TINY = GPTConfig(n_layer=3, n_head=2, n_embd=16, vocab_size=40, n_positions=24)


def gpt(config: GPTConfig = TINY) -> GPT:
    torch.manual_seed(1)
    model = GPT(config)
    for parameter in model.parameters():  # fresh biases are 0 and would hide a swapped one
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def twin(model: GPT, folder: Path, kind: str = "GPT2LMHeadModel", **options: Any) -> Any:
    save(model, folder)
    return getattr(transformers, kind).from_pretrained(folder, **options).eval()


def ids(rows: int = 3, length: int = 9) -> torch.Tensor:
    return torch.randint(0, 40, (rows, length), generator=torch.Generator().manual_seed(7))
