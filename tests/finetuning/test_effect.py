"""Fine-tuning through the trainer: what trains learns, what is frozen stays, runs go on exactly."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gptlib import GPT, GPTConfig
from gptlib.data import Batches
from gptlib.finetuning import (
    LabelledBatches,
    SequenceClassifier,
    TokenClassifier,
    add_lora,
    label_loss,
    merge_lora,
    train_only,
)
from gptlib.training import TrainingConfig, next_token, train

SMALL = GPTConfig(n_layer=2, n_head=2, n_embd=16, vocab_size=12, n_positions=16)
WAYS = ["lora", "last-1", "head", "all"]


def choose(model: nn.Module, way: str) -> nn.Module:
    torch.manual_seed(4)
    if way == "lora":
        add_lora(model, rank=4)
    else:
        train_only(model, way)
    return model


def body() -> GPT:
    torch.manual_seed(1)
    return GPT(SMALL)


def texts() -> tuple[list[list[int]], list[int], list[list[int]]]:
    """Rows of tokens; whether a row's last token is odd; of each token, whether it is odd."""
    torch.manual_seed(5)
    rows = [torch.randint(0, 12, (n,)).tolist() for n in torch.randint(1, 13, (200,)).tolist()]
    return rows, [row[-1] % 2 for row in rows], [[t % 2 for t in row] for row in rows]


def make(task: str, way: str) -> tuple[nn.Module, Any, Any]:
    """A model, its endless batches and its loss."""
    rows, labels, tags = texts()
    if task == "texts":
        model = choose(SequenceClassifier(body(), 2), way)
        return model, LabelledBatches(rows, labels, batch_size=16), label_loss
    if task == "tokens":
        model = choose(TokenClassifier(body(), 2, dropout=0.1), way)
        return model, LabelledBatches(rows, tags, batch_size=16), label_loss
    tokens = torch.arange(4000) * 5 % 12  # each token tells the next
    return choose(body(), way), Batches(tokens, batch_size=8, length=12), next_token


def mean_loss(model: nn.Module, task: str) -> float:
    """Over all texts, or 400 tokens, with nothing drawn."""
    _, batches, loss = make(task, "all")
    every = [batches.batch(n) for n in range(4)] if task == "language" else batches.in_order()
    with torch.no_grad():
        losses = [loss(model.eval(), *batch).item() for batch in every]
    return sum(losses) / len(losses)


def run(task: str, way: str, steps: int = 30, **options: Any) -> tuple[nn.Module, Any]:
    model, batches, loss = make(task, way)
    out, resume = options.pop("out", None), options.pop("resume", False)
    settings = {"lr": 1e-2, "schedule": "constant", "warmup": 0, "dtype": "float32"}
    config = TrainingConfig(steps=steps, **(settings | options))
    return model, train(model, batches, config, loss=loss, out=out, resume=resume)


CASES = [
    (task, way)
    for task in ("texts", "tokens", "language")
    for way in WAYS
    if (task, way) != ("language", "head")  # tied: there is none
]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("task", "way"), CASES)
def test_the_loss_falls_and_frozen_weights_stay(task: str, way: str, dtype: str) -> None:
    before, *_ = make(task, way)
    model, history = run(task, way, dtype=dtype)
    assert len(history.loss) == 30
    assert mean_loss(model, task) < mean_loss(before, task) - 0.1
    n_frozen = n_changed = 0
    after = dict(model.named_parameters())
    for name, parameter in before.named_parameters():
        if parameter.requires_grad:
            n_changed += not torch.equal(parameter, after[name])
        else:
            n_frozen += 1
            assert torch.equal(parameter, after[name]), name
        assert after[name].requires_grad == parameter.requires_grad
    assert n_changed >= sum(p.requires_grad for p in before.parameters()) - 1
    assert (n_frozen == 0) == (way == "all")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize(("task", "way"), [("texts", "lora"), ("tokens", "last-1")])
def test_a_stopped_run_goes_on_bit_for_bit(task: str, way: str, dtype: str, tmp_path: Path) -> None:
    options = {"dtype": dtype, "ema": 0.9}
    whole, history = run(task, way, 12, out=tmp_path / "whole", **options)
    run(task, way, 7, out=tmp_path / "parts", **options)
    joined, together = run(task, way, 12, out=tmp_path / "parts", resume=True, **options)
    assert together.loss == history.loss
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, joined.state_dict()[name]), name


def test_a_run_does_not_go_on_with_other_parameters(tmp_path: Path) -> None:
    run("texts", "last-1", 2, out=tmp_path)
    with pytest.raises(ValueError, match=r"belongs to another model: it (lacks|holds surplus)"):
        run("texts", "all", 3, out=tmp_path, resume=True)


def test_accumulated_batches_weigh_every_label_alike() -> None:
    """Two batches of 8 act as one of 16, though they hold different numbers of labels."""
    rows, _, tags = texts()
    losses = []
    for batch_size, accumulate in ((16, 1), (8, 2)):
        model = TokenClassifier(body(), 2)
        torch.manual_seed(0)
        nn.init.normal_(model.classifier.weight)
        batches = LabelledBatches(rows[:16], tags[:16], batch_size=batch_size)
        config = TrainingConfig(steps=1, accumulate=accumulate, dtype="float32")
        losses.append(train(model, batches, config, loss=label_loss))
    assert losses[0].loss == pytest.approx(losses[1].loss, rel=1e-5)
    assert losses[0].grad_norm == pytest.approx(losses[1].grad_norm, rel=1e-4)


def test_a_merged_model_is_what_was_trained() -> None:
    model, _ = run("language", "lora")
    idx = torch.arange(10)[None] * 5 % 12
    before = model(idx)
    merge_lora(model)
    torch.testing.assert_close(model(idx), before, atol=1e-5, rtol=1e-4)
    assert set(model.state_dict()) == set(body().state_dict())
    assert (before - body()(idx)).abs().max() > 0.1, "nothing was trained"
