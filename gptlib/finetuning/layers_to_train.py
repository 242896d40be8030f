"""Which parameters train: all of them, the last blocks, the head, or adapters."""

import re

from torch import nn

from gptlib.finetuning.heads import HEADS

_BLOCK = re.compile(r"(?:^|\.)h\.(\d+)\.")
_ADAPTER = re.compile(r"\.lora_[AB]$")


def train_only(model: nn.Module, which: str) -> int:
    """Let some parameters train, freeze the others, and return how many numbers train.

    | `which` | what trains |
    |---|---|
    | "all" | everything |
    | "last-2" (or any number) | the last 2 blocks, the final LayerNorm, the head |
    | "head" | the head: `score`, `classifier`, or the output matrix of a GPT |
    | "lora" | the adapters that `add_lora` put in, and a classifier's head |

    A GPT's tied output matrix is its token embedding as well, the model's first layer. So it
    trains under "all" alone. Raises `ValueError` for another word, more blocks than there are, or
    where there is nothing of the kind.
    """
    names = [name for name, _ in model.named_parameters()]
    chosen = set(_choose(names, which))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in chosen)
    return n_trainable(model)


def n_trainable(model: nn.Module) -> int:
    """How many numbers training adjusts: the sizes of all parameters that want a gradient."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def _choose(names: list[str], which: str) -> list[str]:
    head = [name for name in names if name.split(".")[0] in (*HEADS, "lm_head")]
    if which == "all":
        return names
    if which == "head":
        if not head:
            raise ValueError(
                "the output matrix is tied to the token embedding, so there is no head that could "
                'train alone: use "last-1", or build the model with tie_word_embeddings=False'
            )
        return head
    if which == "lora":
        adapters = [name for name in names if _ADAPTER.search(name)]
        if not adapters:
            raise ValueError("the model has no adapters: call add_lora first")
        return adapters + [name for name in head if name.split(".")[0] in HEADS]
    if match := re.fullmatch(r"last-(\d+)", which):
        blocks = {n: int(found[1]) for n in names if (found := _BLOCK.search(n))}
        n_blocks = max(blocks.values(), default=-1) + 1
        if not 1 <= int(match[1]) <= n_blocks:
            raise ValueError(
                f"{which!r}: the model has {n_blocks} blocks, so choose 1 to {n_blocks}"
            )
        last = [name for name, block in blocks.items() if block >= n_blocks - int(match[1])]
        return last + [name for name in names if "ln_f" in name.split(".")] + head
    raise ValueError(f'{which!r}: choose "all", "last-" with a number, "head" or "lora"')
