"""A small, readable GPT: the library that the course's chapters, exercises and projects stand on.

>>> import gptlib
>>> model = gptlib.GPT(gptlib.GPTConfig(n_layer=2, n_head=2, n_embd=32, vocab_size=65))

Names below are imported on first use, so that `import gptlib.storyworld` needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from gptlib.config import GPTConfig as GPTConfig
    from gptlib.model import GPT as GPT
    from gptlib.pretrained import find as _find
    from gptlib.pretrained import load as load
    from gptlib.pretrained import save as save
    from gptlib.training import TrainingConfig as TrainingConfig
    from gptlib.training import train as train

    model_path = _find

# Where each name is defined, and what it is called there.
_HOME = {
    "GPTConfig": ("gptlib.config", "GPTConfig"),
    "GPT": ("gptlib.model", "GPT"),
    "load": ("gptlib.pretrained", "load"),
    "save": ("gptlib.pretrained", "save"),
    "model_path": ("gptlib.pretrained", "find"),
    "TrainingConfig": ("gptlib.training", "TrainingConfig"),
    "train": ("gptlib.training", "train"),
}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        module, there = _HOME[name]
        return getattr(import_module(module), there)
    raise AttributeError(f"module 'gptlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
