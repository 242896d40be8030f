"""Classifiers: beside transformers' on the same weights, scores and losses are the same."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.testing import assert_close

from gptlib import GPT
from gptlib.finetuning import SequenceClassifier, TokenClassifier, label_loss
from tests.finetuning.twins import gpt, ids, twin

KINDS = {
    SequenceClassifier: "GPT2ForSequenceClassification",
    TokenClassifier: "GPT2ForTokenClassification",
}
PAD = 39
LENGTHS = torch.tensor([9, 4, 1, 7])


def both(kind: type, folder: Path) -> tuple[Any, Any]:
    model = kind(gpt(), 4).eval()
    theirs = twin(gpt(), folder, KINDS[kind], num_labels=4, pad_token_id=PAD)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("transformer."):
                parameter.normal_()
                theirs.get_parameter(name).copy_(parameter)
    return model, theirs


def padded(side: str) -> tuple[torch.Tensor, torch.Tensor]:
    idx = ids(4) % PAD  # no real token is the padding's
    places = torch.arange(9)
    right = (places < LENGTHS[:, None]).long()
    mask = right if side == "right" else right.flip(1)
    return idx.where(mask.bool(), PAD), mask


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_those_of_transformers(kind: type, tmp_path: Path) -> None:
    model, theirs = both(kind, tmp_path)
    assert set(model.state_dict()) == set(theirs.state_dict())


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_text_is_classified_as_by_transformers(side: str, tmp_path: Path) -> None:
    model, theirs = both(SequenceClassifier, tmp_path)
    idx, mask = padded(side)
    labels = torch.tensor([0, 3, 1, 2])
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    expected = theirs(idx, attention_mask=mask, position_ids=positions, labels=labels)
    assert_close(model(idx, mask), expected.logits, atol=2e-5, rtol=1e-4)
    assert_close(label_loss(model, idx, mask, labels), expected.loss, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("side", ["right", "left"])
def test_tokens_are_classified_as_by_transformers(side: str, tmp_path: Path) -> None:
    model, theirs = both(TokenClassifier, tmp_path)
    idx, mask = padded(side)
    labels = (idx % 4).where(mask.bool(), -100)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    expected = theirs(idx, attention_mask=mask, position_ids=positions, labels=labels)
    real = mask.bool()
    assert_close(model(idx, mask)[real], expected.logits[real], atol=2e-5, rtol=1e-4)
    assert_close(label_loss(model, idx, mask, labels), expected.loss, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_changes_no_score(side: str) -> None:
    model = SequenceClassifier(gpt(), 3).eval()
    idx, mask = padded(side)
    together = model(idx, mask)
    for n in range(4):
        alone = model(idx[n][mask[n].bool()][None])
        assert_close(together[n], alone[0], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_the_body_is_the_gpts_own(kind: type) -> None:
    body = gpt()
    model = kind(body, 2)
    label_loss(model, *padded("right"), (torch.ones(4, 9) if kind is TokenClassifier else
                                         torch.ones(4)).long()).backward()  # fmt: skip
    assert body.transformer.h[0].mlp.c_fc.weight.grad is not None


def test_labels_that_do_not_count_leave_loss_and_gradient_alone() -> None:
    model = TokenClassifier(gpt(), 3).eval()
    idx, mask = padded("right")
    targets = (idx % 3).where(mask.bool(), -100)
    targets[0, 2] = -100
    losses = []
    scores = model(idx, mask).log_softmax(-1)
    for row, place in (targets != -100).nonzero().tolist():
        losses.append(-scores[row, place, targets[row, place]])
    assert len(losses) == LENGTHS.sum() - 1
    assert_close(label_loss(model, idx, mask, targets), torch.stack(losses).mean())


@pytest.mark.parametrize("kind", KINDS)
def test_one_label_is_no_choice(kind: type) -> None:
    body: GPT = gpt()
    with pytest.raises(ValueError, match="n_labels=1: one must choose among 2 labels or more"):
        kind(body, 1)
