"""Training in bfloat16: float32 weights take the steps, and the loss is float32's."""

from pathlib import Path

import pytest
import torch

from gptlib import GPT, GPTConfig
from gptlib.data import Batches
from gptlib.training import History, TrainingConfig, train

MODEL = GPTConfig(n_layer=2, n_head=2, n_embd=32, vocab_size=16, n_positions=16)


def steps_of_one_or_two() -> torch.Tensor:
    """A text in which each token leaves two for the next: there is ln 16 - ln 2 to learn."""
    torch.manual_seed(5)
    return torch.randint(1, 3, (6400,)).cumsum(0) % 16


def run(seed: int, **options: object) -> tuple[GPT, History]:
    torch.manual_seed(seed)
    model = GPT(MODEL)
    batches = Batches(steps_of_one_or_two(), batch_size=8, length=16, seed=seed)
    config = TrainingConfig(**({"steps": 60, "lr": 3e-3, "dtype": "bfloat16"} | options))  # type: ignore[arg-type]
    return model, train(model, batches, config)


@pytest.mark.parametrize("seed", range(3))
def test_the_loss_is_that_of_float32(seed: int) -> None:
    exact, half = run(seed, dtype="float32")[1], run(seed)[1]
    assert half.loss[0] == pytest.approx(exact.loss[0], abs=0.005)
    last = [sum(history.loss[-20:]) / 20 for history in (exact, half)]
    assert last[1] == pytest.approx(last[0], abs=0.02)
    assert last[0] < exact.loss[0] - 0.2, "nothing was learned, so nothing was compared"


def test_weights_stay_float32_and_take_steps_that_bfloat16_would_lose() -> None:
    model, _ = run(0, steps=3, lr=1e-6, schedule="constant", warmup=0)
    torch.manual_seed(0)
    before = dict(GPT(MODEL).named_parameters())
    for name, after in model.named_parameters():
        assert after.dtype == torch.float32
        assert not torch.equal(after, before[name]), name
        if after.ndim == 2:
            unchanged = after.bfloat16() == before[name].bfloat16()
            assert unchanged.float().mean() > 0.75, name


def test_accumulation_equals_a_large_batch() -> None:
    tokens = steps_of_one_or_two()
    losses = []
    for batch_size, accumulate in ((8, 1), (2, 4)):
        torch.manual_seed(0)
        model = GPT(MODEL)
        batches = Batches(tokens, batch_size=batch_size, length=16, order="epochs")
        config = TrainingConfig(steps=20, lr=3e-3, dtype="bfloat16", accumulate=accumulate)
        losses.append(train(model, batches, config).loss)
    assert losses[0] == pytest.approx(losses[1], abs=0.01)


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    def part(out: Path, steps: int, resume: bool) -> dict[str, torch.Tensor]:
        torch.manual_seed(0)
        model = GPT(MODEL)
        batches = Batches(steps_of_one_or_two(), batch_size=8, length=16)
        config = TrainingConfig(
            steps=steps, lr=3e-3, schedule="constant", warmup=0, dtype="bfloat16", ema=0.9
        )
        train(model, batches, config, out=out, resume=resume)
        return dict(model.state_dict())

    whole = part(tmp_path / "whole", 12, resume=False)
    part(tmp_path / "parts", 7, resume=False)
    joined = part(tmp_path / "parts", 12, resume=True)
    assert all(torch.equal(whole[name], joined[name]) for name in whole)
