"""The options of `gptlib train`: name, default, kind, one sentence.

Training's own carry the names and defaults of `gptlib.training.TrainingConfig`, and a test holds
them to it: reading them from there would import torch before `--help` can be shown.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, get_args

from gptlib.cli.parsing import number, or_none, whole
from gptlib.config import PRESETS, Positions


class Option(NamedTuple):
    """One option; `kind` reads a word, or is a tuple of choices, or `bool` for a switch."""

    name: str
    default: Any
    kind: Callable[[str], Any] | tuple[str, ...]
    help: str
    metavar: str = "N"
    said: str | None = None  # the default in words

    @property
    def shown(self) -> str:
        """The default as `--help` tells it."""
        if self.said is not None:
            return self.said
        return "off" if self.default is False else f"{self.default}"


_count, _rate = whole(1), number(above=0)

DATA = (
    Option("data", None, str, "what to learn from: story:LEVEL (nursery, meadow, full), "
           "python-docs, python-source, a text file, a folder of them, an http(s) address",
           "SOURCE", "none: it must be given"),
    Option("stories", 10_000, whole(20), "how many stories to tell, for story:LEVEL"),
    Option("validation", 0.1, number(above=0, most=0.9),
           "share of the data that is held out to measure the loss on", "SHARE"),
    Option("validation_batches", 20, _count, "how many batches of it a validation reads at most"),
    Option("tokenizer", None, str, "a folder with a tokenizer, a model whose tokenizer to take, or "
           "bytes for none but the 256 bytes", "WHICH", "one is learned from the data"),
    Option("vocab_size", 1024, whole(257), "how many tokens a learned tokenizer has"),
)  # fmt: skip

MODEL = (
    Option("preset", "tiny", tuple(PRESETS), "the shape of the model"),
    Option("n_layer", None, _count, "number of blocks", said="the preset's"),
    Option("n_head", None, _count, "attention heads in each block", said="the preset's"),
    Option("n_embd", None, _count, "width of the residual stream", said="the preset's"),
    Option("n_positions", None, _count, "longest sequence, and the length of a training window",
           said="the preset's, or more if a story needs it"),
    Option("positions", "learned", get_args(Positions),
           "how positions are told; transformers opens learned ones only"),
    Option("dropout", 0.0, number(least=0, most=0.99),
           "share of activations that is zeroed in training", "SHARE"),
)  # fmt: skip

TRAINING = (
    Option("steps", 1000, _count, "how many times the weights are changed"),
    Option("batch_size", 16, _count, "stories, or windows of other text, in a batch, over all "
           "processes together"),
    Option("accumulate", 1, _count, "batches whose gradients are added up before a step"),
    Option("optimizer", "adamw", ("adamw", "muon"), "how gradients become steps; muon gives the "
           "matrices inside blocks another step than AdamW's, often a faster one"),
    Option("lr", 1e-3, _rate, "highest learning rate, reached when the warm-up ends", "RATE"),
    Option("schedule", "cosine", ("cosine", "linear", "constant", "warmup-stable-decay"),
           "how the learning rate falls after the warm-up"),
    Option("warmup", None, whole(0), "steps in which the learning rate grows",
           said="a twentieth of --steps"),
    Option("decay", None, whole(0), "steps of decay at the end of warmup-stable-decay",
           said="a fifth of --steps"),
    Option("min_lr", None, number(least=0), "learning rate of the last step", "RATE",
           "a tenth of --lr"),
    Option("weight_decay", 0.1, number(least=0), "pull of AdamW's weight decay, on matrices only",
           "X"),
    Option("beta1", 0.9, number(least=0, most=0.9999999), "AdamW's memory of gradients", "X"),
    Option("beta2", 0.95, number(least=0, most=0.9999999), "AdamW's memory of their squares", "X"),
    Option("epsilon", 1e-8, _rate, "what AdamW adds to a denominator", "X"),
    Option("clip", 1.0, or_none(_rate), "longest gradient allowed, or none", "NORM"),
    Option("ema", None, number(least=0, most=0.9999999),
           "share of the old average kept each step, to end with averaged weights", "X",
           "no average"),
    Option("seed", 0, whole(0), "seed of the first weights, the batches and dropout"),
)  # fmt: skip

MACHINE = (
    Option("device", None, str, "cpu, cuda, cuda:1, mps or xpu", "NAME", "the best one here"),
    Option("dtype", None, ("float32", "bfloat16"), "number format of matrix products",
           said="the device's"),
    Option("compile", False, bool, "use torch.compile: minutes at first, then faster steps"),
    Option("validate_every", 100, _count, "steps between two validations"),
    Option("checkpoint_every", 500, _count, "steps between two checkpoints"),
    Option("sample_every", 500, whole(0), "steps between two samples of what the model writes; "
           "0: none"),
    Option("sample_prompt", None, str, "how those samples begin", "TEXT",
           "\"Once upon a time\" for stories, else a new line"),
)  # fmt: skip

GROUPS = {"data": DATA, "model": MODEL, "training": TRAINING, "machine and reports": MACHINE}
OPTIONS = {option.name: option for group in GROUPS.values() for option in group}
# What may change when a run goes on; the rest would make it another run.
FREE = {"steps", *(option.name for option in MACHINE)}
# What belongs to the machine of the moment and is not taken over from the run's beginning.
LOCAL = {"device", "dtype", "compile"}
