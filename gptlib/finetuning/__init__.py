"""Fine-tuning: a trained GPT learns a task, in all its weights, in some, or in a few new ones.

>>> model = gptlib.load("story-gpt")
>>> add_lora(model, rank=8)
>>> train(model, batches, config)
>>> save_adapters(model, "adapters")
"""

from gptlib.finetuning.adapters import load_adapters, save_adapters
from gptlib.finetuning.classifiers import load_classifier, save_classifier
from gptlib.finetuning.dpo import answer_log_probs, dpo_loss
from gptlib.finetuning.heads import SequenceClassifier, TokenClassifier, label_loss
from gptlib.finetuning.instructions import Conversations, InstructionBatches, Turn
from gptlib.finetuning.labelled import LabelledBatches, encode_words
from gptlib.finetuning.layers_to_train import n_trainable, train_only
from gptlib.finetuning.lora import (
    LoRALinear,
    add_lora,
    lora_layers,
    merge_lora,
    without_lora,
)
from gptlib.finetuning.readers import BadRows, read_examples

__all__ = [
    "BadRows",
    "Conversations",
    "InstructionBatches",
    "LabelledBatches",
    "LoRALinear",
    "SequenceClassifier",
    "TokenClassifier",
    "Turn",
    "add_lora",
    "answer_log_probs",
    "dpo_loss",
    "encode_words",
    "label_loss",
    "load_adapters",
    "load_classifier",
    "lora_layers",
    "merge_lora",
    "n_trainable",
    "read_examples",
    "save_adapters",
    "save_classifier",
    "train_only",
    "without_lora",
]
