"""The loop: it learns, it equals a loop of torch's own parts, and it stops when it should."""

import inspect
import math
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import torch

import gptlib
from gptlib.data import Batches, in_order
from gptlib.model import next_token_loss
from gptlib.training import Callback, Diverged, TrainingConfig, learning_rate, train
from gptlib.training import loop as loop_module

from .children import At, call, small_batches, small_config, small_model, small_run, tokens

PLAIN = {"accumulate": 1, "ema": None, "device": "cpu"}


def weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def test_it_equals_a_loop_made_of_torchs_parts():
    config = small_config(**PLAIN, steps=20, weight_decay=0.2, clip=0.5, dtype="float32")
    # In float64, because AdamW makes large steps of the rounding errors in gradients that are 0.
    mine, theirs = small_model(dropout=0.0).double(), small_model(dropout=0.0).double()
    history = train(mine, small_batches(), config)

    groups = [
        {"params": [p for p in theirs.parameters() if p.ndim >= 2], "weight_decay": 0.2},
        {"params": [p for p in theirs.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for step, (idx, targets) in zip(range(1, 21), small_batches(), strict=False):
        loss = next_token_loss(theirs(idx), targets)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.5).item())
        for group in adam.param_groups:
            group["lr"] = learning_rate(config, step)
        adam.step()
        adam.zero_grad()
        losses.append(loss.item())

    assert history.step == list(range(1, 21))
    assert history.loss == pytest.approx(losses, rel=1e-9)
    assert history.grad_norm == pytest.approx(norms, rel=1e-9)
    assert history.lr == [learning_rate(config, step) for step in range(1, 21)]
    assert history.tokens == [32 * step for step in range(1, 21)]
    assert history.seconds == sorted(history.seconds)
    assert history.stopped == "finished"
    for name, p in theirs.named_parameters():
        torch.testing.assert_close(weights(mine)[name], p.detach(), rtol=1e-7, atol=1e-9)


def test_it_reaches_the_floor_of_a_text_with_known_entropy():
    # Each token is the one before plus 1, or plus 2, with equal chances: ln 2 nats a token.
    generator = torch.Generator().manual_seed(0)
    text = torch.randint(1, 3, (20_000,), generator=generator).cumsum(0) % 17
    config = TrainingConfig(steps=150, lr=2e-2, device="cpu", dtype="float32")
    held_out = list(in_order(text[18_000:], batch_size=64, length=8))
    history = train(
        small_model(dropout=0.0, n_embd=16),
        Batches(text[:18_000], batch_size=64, length=8),
        config,
        validation=held_out,
    )
    assert history.loss[0] == pytest.approx(math.log(17), abs=0.1)
    assert history.validation_loss[-1] == pytest.approx(math.log(2), abs=0.02)


def test_several_batches_act_as_one_large_batch():
    # Unequal numbers of targets that count: a mean of means would be wrong.
    large = [tuple(torch.cat(parts) for parts in zip(*pair, strict=True)) for pair in masked(6)]
    small = [batch for pair in masked(6) for batch in pair]
    results = []
    for batches, accumulate in ((large, 1), (small, 2)):
        model = small_model(dropout=0.0)
        config = small_config(**{**PLAIN, "accumulate": accumulate}, steps=6)
        history = train(model, batches, config)
        results.append((history, weights(model)))
    (one, expected), (two, found) = results
    assert two.loss == pytest.approx(one.loss, rel=1e-5)
    assert two.tokens == one.tokens
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-4, atol=1e-5)


def masked(n):
    """Pairs of batches of which one has far fewer targets that count."""
    stream = small_batches()
    for _ in range(n):
        full, sparse = next(stream), next(stream)
        sparse[1][:, 2:] = -100
        yield full, sparse


def test_a_batch_that_asks_for_nothing_is_refused():
    idx, targets = next(small_batches())
    nothing = (idx, torch.full_like(targets, -100))
    with pytest.raises(ValueError, match="a batch of step 2 has no target that counts"):
        train(small_model(), [(idx, targets), nothing], small_config(**PLAIN))


def test_the_seed_decides_everything():
    losses = []
    for seed in (1, 1, 2):
        torch.rand(seed)  # what was drawn before does not matter
        history = train(small_model(), small_batches(), small_config(steps=5, seed=seed))
        losses.append(history.loss)
    assert losses[0] == losses[1] != losses[2]


def test_bfloat16_computes_products_in_bfloat16_and_keeps_float32_weights():
    seen = set()
    model = small_model(dropout=0.0)
    model.transformer.h[0].mlp.c_fc.register_forward_hook(lambda m, x, y: seen.add(y.dtype))
    half = train(model, small_batches(), small_config(**PLAIN, dtype="bfloat16"))
    assert seen == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    full = train(small_model(dropout=0.0), small_batches(), small_config(**PLAIN, dtype="float32"))
    assert half.loss != full.loss
    assert half.loss == pytest.approx(full.loss, abs=0.05)


def test_another_loss_trains_another_thing():
    def towards_three(model, idx, targets):
        return (model(idx).logsumexp(-1) - 3).square().mean()

    history = train(
        small_model(), small_batches(), small_config(steps=40, lr=3e-2), loss=towards_three
    )
    assert history.loss[-1] < history.loss[0] / 10


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_at_once(bad):
    calls = []

    def fails_at_four(model, idx, targets):
        calls.append(1)
        return next_token_loss(model(idx), targets) * (bad if len(calls) == 4 else 1.0)

    model, kept = small_model(), {}
    keep = At(3, lambda run: kept.update(weights(run.model)))
    config = small_config(**PLAIN, lr=0.01, warmup=0, schedule="constant")
    with pytest.raises(Diverged, match=r"^step 4: loss .*norm .*rate 0.01: ") as e:
        train(model, small_batches(), config, callbacks=[keep], loss=fails_at_four)
    assert "\n" not in str(e.value)
    assert e.value.history.step == [1, 2, 3]
    assert len(calls) == 4
    assert all(torch.equal(kept[n], w) for n, w in weights(model).items())  # still usable
    assert not model.training


def test_a_validation_loss_that_is_no_number_stops_too():
    def fails_at_rest(model, idx, targets):
        return next_token_loss(model(idx), targets) * (1.0 if model.training else math.nan)

    with pytest.raises(Diverged, match=r"^step 5: validation loss nan, gradient norm \d"):
        train(
            small_model(),
            small_batches(),
            small_config(),
            validation=[next(small_batches())],
            loss=fails_at_rest,
        )


def test_a_learning_rate_far_too_high_is_noticed():
    config = small_config(**PLAIN, lr=1e30, min_lr=0.0, warmup=0, clip=None)
    with pytest.raises(Diverged, match=r"learning rate"):
        train(small_model(), small_batches(), config)


def test_ctrl_c_ends_the_step_and_keeps_everything(tmp_path):
    usual = signal.getsignal(signal.SIGINT)
    model = small_model()
    interrupt = At(5, lambda run: signal.raise_signal(signal.SIGINT))
    history = train(
        model, small_batches(), small_config(ema=None), callbacks=[interrupt], out=tmp_path
    )
    assert history.stopped == "interrupted"
    assert history.step == [1, 2, 3, 4, 5]
    assert signal.getsignal(signal.SIGINT) is usual
    assert not model.training
    saved = weights(gptlib.load(tmp_path))
    assert all(torch.equal(saved[name], weight) for name, weight in weights(model).items())
    assert model(next(small_batches())[0]).isfinite().all()


def test_a_second_ctrl_c_does_not_wait():
    def twice(run):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(small_model(), small_batches(), small_config(), callbacks=[At(5, twice)])


def test_outside_of_the_main_thread_it_trains_without_signals():
    with ThreadPoolExecutor(1) as pool:
        history = pool.submit(train, small_model(), small_batches(), small_config()).result()
    assert history.stopped == "finished"


def train_and_terminate(out):
    small_run(out, At(5, lambda run: signal.raise_signal(signal.SIGTERM)))


@pytest.mark.skipif(os.name != "posix", reason="elsewhere SIGTERM ends a process at once")
def test_a_request_to_terminate_is_met_with_a_checkpoint(tmp_path):
    assert call(train_and_terminate, tmp_path) == -signal.SIGTERM
    assert gptlib.load(tmp_path)
    history = small_run(tmp_path, steps=5, resume=True)
    assert history.step == [1, 2, 3, 4, 5]


def test_the_average_is_what_validation_and_the_result_use():
    model, seen = small_model(dropout=0.0), []

    class Watch(Callback):
        def on_step(self, run):
            seen.append(weights(run.model))
            losses.append(run.history.validation_loss[-1])
            with run.evaluating() as averaged:
                losses_again.append(next_token_loss(averaged(held[0]), held[1]).item())

    held, losses, losses_again = next(small_batches()), [], []
    start = weights(model)
    config = small_config(steps=12, ema=0.6, validate_every=1)
    train(model, small_batches(), config, validation=[held], callbacks=[Watch()])
    average = {n: w.double() for n, w in start.items()}
    for step, current in enumerate(seen, start=1):
        decay = min(0.6, (1 + step) / (10 + step))
        average = {n: decay * a + (1 - decay) * current[n] for n, a in average.items()}
    for name, expected in average.items():
        torch.testing.assert_close(weights(model)[name].double(), expected, rtol=1e-5, atol=1e-7)
    assert losses == pytest.approx(losses_again)
    assert losses[-1] == pytest.approx(next_token_loss(model(held[0]), held[1]).item())


def test_validation_weighs_every_target_alike_and_changes_nothing():
    uneven = list(in_order(tokens()[:100], batch_size=4, length=8))
    assert len({batch[0].shape for batch in uneven}) > 1
    model = small_model()
    with_validation = train(
        model, small_batches(), small_config(ema=None, validate_every=3), validation=uneven
    )
    total = sum(next_token_loss(model(idx), t).item() * t.numel() for idx, t in uneven)
    n_targets = sum(targets.numel() for _, targets in uneven)
    assert with_validation.validation_loss[-1] == pytest.approx(total / n_targets)
    assert with_validation.validation_step == [3, 6, 9, 12, 15, 18, 21, 24]
    without = train(small_model(), small_batches(), small_config(ema=None))
    assert without.loss == with_validation.loss  # dropout's masks included


def test_validation_may_be_a_function_and_may_not_be_used_up():
    def held_out():
        return in_order(tokens()[:60], batch_size=4, length=8)

    history = train(
        small_model(), small_batches(), small_config(validate_every=8), validation=held_out
    )
    assert len(history.validation_loss) == 3
    with pytest.raises(ValueError, match="validation would be used up"):
        train(small_model(), small_batches(), small_config(), validation=held_out())
    with pytest.raises(ValueError, match="hold no target that counts"):
        train(small_model(), small_batches(), small_config(), validation=[])


def test_batches_that_end_too_early_say_so():
    with pytest.raises(ValueError, match="the batches ended in step 3 of 24"):
        train(small_model(), [next(small_batches())] * 2, small_config(**PLAIN))


def test_gradients_are_freed_at_the_end():
    model = small_model()
    train(model, small_batches(), small_config(steps=2))
    assert all(p.grad is None for p in model.parameters())


@pytest.mark.slow
def test_compiled_equals_plain():
    assert call(compiled_equals_plain) == 0  # a process where no hook checks shapes


def compiled_equals_plain():
    # The compiler's front alone: it traces and guards, and needs no C++ compiler.
    torch.compile = partial(torch.compile, backend="eager")
    losses = []
    for compiled in (False, True):
        config = small_config(**PLAIN, steps=4, compile=compiled)
        losses.append(train(small_model(dropout=0.0), small_batches(), config).loss)
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert "torch._dynamo.convert_frame" in sys.modules


def test_the_step_fits_on_one_screen():
    assert len(inspect.getsource(loop_module.train_step).splitlines()) <= 35
