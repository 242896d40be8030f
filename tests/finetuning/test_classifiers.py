"""Classifiers saved whole: transformers opens the folder, gptlib opens transformers' folder."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from torch.testing import assert_close

from gptlib.finetuning import (
    SequenceClassifier,
    TokenClassifier,
    add_lora,
    load_classifier,
    merge_lora,
    save_classifier,
)
from gptlib.pretrained import CheckpointError, save
from tests.finetuning.twins import gpt, ids

KINDS = {
    SequenceClassifier: transformers.AutoModelForSequenceClassification,
    TokenClassifier: transformers.AutoModelForTokenClassification,
}
LABELS = ["glad", "sad", "neither"]


def classifier(kind: type) -> Any:
    model = kind(gpt(), len(LABELS)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.1)
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_opens_it_and_scores_the_same(kind: type, tmp_path: Path) -> None:
    model = classifier(kind)
    # Training leaves some weights as views the other way round; a file needs them in order.
    weight = model.transformer.h[0].attn.c_attn.weight
    weight.data = weight.data.t().contiguous().t()
    save_classifier(model, tmp_path, LABELS)
    theirs = KINDS[kind].from_pretrained(tmp_path).eval()
    assert [theirs.config.id2label[number] for number in range(3)] == LABELS
    idx = ids(1)
    assert_close(model(idx), theirs(idx).logits, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_theirs_is_opened(kind: type, tmp_path: Path) -> None:
    model = classifier(kind)
    save_classifier(model, tmp_path / "ours", LABELS)
    KINDS[kind].from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    again, labels = load_classifier(tmp_path / "theirs")
    assert type(again) is kind
    assert labels == LABELS
    assert not again.training
    assert_close(again(ids(2)), model(ids(2)), rtol=0, atol=0)


def test_dropout_of_the_head_is_kept(tmp_path: Path) -> None:
    save_classifier(TokenClassifier(gpt(), 3, dropout=0.25), tmp_path, LABELS)
    again, _ = load_classifier(tmp_path)
    assert isinstance(again, TokenClassifier)
    assert again.dropout.p == 0.25


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "b", "c", "d"], ["a", "b", "a"]])
def test_each_score_needs_a_name(labels: list[str], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the model has 3 scores, and needs as many labels"):
        save_classifier(classifier(SequenceClassifier), tmp_path / "new", labels)
    assert not (tmp_path / "new").exists()


def test_adapters_are_merged_first(tmp_path: Path) -> None:
    model = classifier(SequenceClassifier)
    add_lora(model, rank=2)
    with pytest.raises(CheckpointError, match="merge its adapters first"):
        save_classifier(model, tmp_path / "new", LABELS)
    assert not (tmp_path / "new").exists()
    merge_lora(model)
    save_classifier(model, tmp_path / "new", LABELS)


def test_a_model_that_is_none_is_refused(tmp_path: Path) -> None:
    save(gpt(), tmp_path)
    with pytest.raises(CheckpointError, match="holds GPT2LMHeadModel, no classifier"):
        load_classifier(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id2label": {"1": "a", "2": "b"}}, "its labels are not numbered from 0"),
        ({"id2label": {"0": "a", "1": "b"}}, "score.weight has shape"),
        ({"n_layer": 7}, "the checkpoint lacks"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], reason: str, tmp_path: Path) -> None:
    save_classifier(classifier(SequenceClassifier), tmp_path, LABELS)
    file = tmp_path / "config.json"
    values = json.loads(file.read_text(encoding="utf-8")) | change
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(CheckpointError, match=reason):
        load_classifier(tmp_path)
