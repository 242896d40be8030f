"""Save a trained classifier whole, and open it again: transformers' own format.

`GPT2ForSequenceClassification` and `GPT2ForTokenClassification` open the folder, and gptlib opens
theirs. The names of the labels are kept in `config.json`, where transformers looks for them.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from gptlib.config import GPTConfig
from gptlib.finetuning.heads import SequenceClassifier, TokenClassifier
from gptlib.model import GPT
from gptlib.pretrained import (
    CheckpointError,
    config_to_json,
    find,
    read_config,
    read_weights,
    write,
)
from gptlib.tokenizer import Tokenizer

Classifier = SequenceClassifier | TokenClassifier
KINDS = {SequenceClassifier: "ForSequenceClassification", TokenClassifier: "ForTokenClassification"}


def save_classifier(
    model: Classifier,
    folder: str | os.PathLike[str],
    labels: Sequence[str],
    tokenizer: Tokenizer | None = None,
) -> None:
    """Write a classifier's weights and the names of its labels, in the order of its scores.

    Raises `ValueError` where there are more or fewer names than scores, or a name comes twice,
    `CheckpointError` where the folder can't be written and for a model with adapters.
    """
    weights = {name: weight.detach() for name, weight in model.state_dict().items()}
    head = model.score if isinstance(model, SequenceClassifier) else model.classifier
    n_labels = head.out_features
    if len(labels) != n_labels or len(set(labels)) != n_labels:
        raise ValueError(f"the model has {n_labels} scores, and needs as many labels: {labels}")
    plain = _empty(type(model), model.config, n_labels).state_dict()
    if other := sorted(weights.keys() ^ plain.keys()):
        raise CheckpointError(
            f"the model is no plain classifier ({other[0]}): merge its adapters first "
            "(gptlib.finetuning.merge_lora), or save them alone (save_adapters)"
        )
    about = config_to_json(model.config)
    about["architectures"] = [about["model_type"].upper() + KINDS[type(model)]]
    about["id2label"] = {str(number): label for number, label in enumerate(labels)}
    about["label2id"] = {label: number for number, label in enumerate(labels)}
    if isinstance(model, TokenClassifier):
        about["classifier_dropout"] = model.dropout.p
    write(weights, about, Path(folder), tokenizer=tokenizer)


def load_classifier(path_or_name: str | os.PathLike[str]) -> tuple[Classifier, list[str]]:
    """A classifier in evaluation mode, and the names of its labels in the order of its scores.

    Raises `CheckpointError` where the folder holds no classifier, or nothing that fits.
    """
    folder = find(path_or_name)
    config = read_config(folder / "config.json")
    values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    names = " ".join(values.get("architectures") or ())
    kinds = [kind for kind, ending in KINDS.items() if names.endswith(ending)]
    if not kinds:
        raise CheckpointError(f"{folder}: holds {names or 'a model without a name'}, no classifier")
    try:  # transformers writes no names for two labels that were never named
        named = values.get("id2label", {"0": "LABEL_0", "1": "LABEL_1"})
        labels = [str(named[str(number)]) for number in range(len(named))]
        dropout = float(values.get("classifier_dropout") or 0.0)
    except (KeyError, TypeError, ValueError) as error:
        reason = "its labels are not numbered from 0"
        raise CheckpointError(f"{folder / 'config.json'}: {reason}: {error!r}") from error
    model = _empty(kinds[0], config, len(labels))
    if isinstance(model, TokenClassifier):
        model.dropout.p = dropout
    weights = read_weights(folder, model, config)
    model.load_state_dict({name: w.float() for name, w in weights.items()}, assign=True)
    return model.eval(), labels


def _empty(kind: type[Classifier], config: GPTConfig, n_labels: int) -> Classifier:
    with torch.device("meta"):  # no memory, no random numbers for weights about to be replaced
        return kind(GPT(config), n_labels)
