"""Callbacks: what they show, when they stop, and that they leave training alone."""

import csv
import io
import sys

import pytest
import torch

import gptlib
from gptlib.model import next_token_loss
from gptlib.training import (
    Callback,
    CSVLog,
    EarlyStop,
    History,
    KeepBest,
    LossPlot,
    Progress,
    Sample,
    TensorBoardLog,
    loss_figure,
    plot,
    train,
)

from . import children
from .children import At, say, small_batches, small_config, small_model, small_run


def quick(*callbacks, **options):
    config = small_config(ema=None, **options.pop("config", {}))
    return train(small_model(), small_batches(), config, callbacks=callbacks, **options)


def rising(*losses):
    """Validation batches whose loss is what we say."""
    values = iter(losses)
    return lambda model, idx, targets: (
        next_token_loss(model(idx), targets) if model.training else torch.tensor(next(values))
    )


def test_the_trainer_is_silent(capfd, tmp_path):
    history = quick(validation=[next(small_batches())], out=tmp_path)
    assert history.stopped == "finished"
    assert capfd.readouterr() == ("", "")


def test_callbacks_hear_of_every_step_in_order():
    heard = []

    class Ear(Callback):
        def on_start(self, run):
            heard.append(("start", run.step))

        def on_step(self, run):
            heard.append((run.step, len(run.history.loss), run.validated))

        def on_end(self, run):
            heard.append(("end", run.step))

    quick(Ear(), config={"steps": 3, "validate_every": 2}, validation=[next(small_batches())])
    assert heard == [("start", 0), (1, 1, False), (2, 2, True), (3, 3, True), ("end", 3)]


def test_only_callbacks_that_started_are_ended():
    ended = []

    class Watch(Callback):
        def on_end(self, run):
            ended.append("watch")

    with pytest.raises(ValueError, match="KeepBest needs a folder"):
        quick(Watch(), KeepBest(), Progress())
    assert ended == ["watch"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_a_line_in_a_terminal_and_nothing_in_a_file(monkeypatch):
    for stream in (Terminal(), io.StringIO()):
        monkeypatch.setattr(sys, "stderr", stream)
        history = quick(Progress())
        shown = stream.getvalue()
        if stream.isatty():
            assert "24/24" in shown
            assert f"loss {history.loss[-1]:.3f}" in shown
            assert shown.count("\n") == 1
        else:
            assert shown == ""


def test_samples_are_kept_shown_and_take_nothing_from_training(capsys):
    sample, shown = Sample(say, every=10, show=None), []
    with_samples = quick(sample, Sample(say, every=24, show=shown.append))
    assert [step for step, _ in sample.texts] == [10, 20, 24]
    assert f"step 10: {sample.texts[0][1]}" in capsys.readouterr().out
    assert shown == [sample.texts[-1][1]]  # both drew from the same place
    assert quick().loss == with_samples.loss


def test_a_sample_is_taken_from_the_model_at_rest():
    def speak(model):
        assert not model.training
        assert not torch.is_grad_enabled()
        return ""

    class Check(Callback):
        def on_step(self, run):
            assert run.model.training

    quick(Sample(speak, every=1, show=str), Check())


def test_early_stop_waits_as_long_as_it_was_told():
    losses = (3.0, 2.0, 2.1, 1.95, 2.5, 2.6, 2.7, 0.1)
    stop = EarlyStop(patience=3, min_delta=0.02)
    history = quick(
        stop,
        loss=rising(*losses),
        validation=[next(small_batches())],
        config={"validate_every": 2},
    )
    assert history.validation_loss == pytest.approx(losses[:7])
    assert history.step[-1] == 14
    assert history.stopped == "no better validation loss than 1.9500 in 3 validations"


def test_a_run_that_stopped_early_stays_stopped(tmp_path):
    losses = (1.0, 2.0, 2.0, 0.5)
    first, again = (
        quick(
            EarlyStop(patience=2),
            loss=rising(*losses),
            validation=[next(small_batches())],
            config={"validate_every": 2},
            out=tmp_path,
            resume=True,
        )
        for _ in range(2)
    )
    assert again == first
    assert first.step[-1] == 6


def test_the_best_model_is_kept(tmp_path):
    kept = {}
    at_four = At(
        4, lambda run: kept.update({n: w.clone() for n, w in run.model.state_dict().items()})
    )
    quick(
        KeepBest(),
        at_four,
        loss=rising(3.0, 1.0, 2.0, 2.5),
        validation=[next(small_batches())],
        config={"validate_every": 2, "steps": 8},
        out=tmp_path,
    )
    best = gptlib.load(tmp_path / "best").state_dict()
    assert all(torch.equal(best[name], weight) for name, weight in kept.items())


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_csv_log_holds_the_history(tmp_path):
    history = small_run(tmp_path, CSVLog())
    table = rows(tmp_path / "log.csv")
    for name in ("step", "loss", "lr", "grad_norm", "tokens", "seconds"):
        assert [float(row[name]) for row in table] == getattr(history, name)
    validated = {int(r["step"]): float(r["validation_loss"]) for r in table if r["validation_loss"]}
    assert validated == dict(zip(history.validation_step, history.validation_loss, strict=True))


def fails(run):
    raise RuntimeError("somebody's callback")


def test_the_csv_log_of_a_resumed_run_has_every_step_once(tmp_path):
    log = CSVLog(tmp_path / "elsewhere" / "log.csv")
    with pytest.raises(RuntimeError):
        small_run(tmp_path / "run", log, At(9, fails))  # the checkpoint stands at step 8
    assert [row["step"] for row in rows(log.path)] == [str(n) for n in range(1, 10)]
    history = small_run(tmp_path / "run", log)
    assert [int(row["step"]) for row in rows(log.path)] == list(range(1, 25))
    assert [float(row["loss"]) for row in rows(log.path)] == history.loss


def test_logs_without_a_place_say_so():
    for log in (CSVLog(), TensorBoardLog()):
        with pytest.raises(ValueError, match="Log needs a path when train has no out"):
            quick(log)


def test_tensorboard_reads_its_log(tmp_path):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard"
    )
    with pytest.raises(RuntimeError):
        small_run(tmp_path, TensorBoardLog(), At(9, fails))
    history = small_run(tmp_path, TensorBoardLog())
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    losses = events.Scalars("loss")
    assert [e.step for e in losses] == history.step
    assert [e.value for e in losses] == pytest.approx(history.loss)
    assert [e.step for e in events.Scalars("validation_loss")] == history.validation_step


def test_tensorboard_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ValueError, match="pip install tensorboard"):
        quick(TensorBoardLog(tmp_path))


def test_the_figure_shows_both_losses_and_the_floor():
    history = History(
        step=[1, 2, 3], loss=[3.0, 2.0, 1.0], validation_step=[2], validation_loss=[2.2]
    )
    (axes,) = loss_figure(history, floor=0.7, smooth=2).axes
    lines = {line.get_label(): line for line in axes.lines}
    assert list(lines["training"].get_ydata()) == [3.0, 2.5, 1.5]
    assert list(lines["validation"].get_xdata()) == [2]
    assert set(lines["entropy of the text"].get_ydata()) == {0.7}
    assert plot.describe(history, 0.7) == (
        "The training loss goes from 3.00 at step 1 to 1.00 at step 3; the validation loss ends "
        "at 2.20; the entropy of the text is 0.70 (nats per token)."
    )


def test_a_long_run_is_drawn_with_no_more_points_than_can_be_seen():
    history = History(step=list(range(1, 100_001)), loss=[1.0] * 100_000)
    (axes,) = loss_figure(history).axes
    assert 500 < len(axes.lines[0].get_xdata()) <= 1000


def test_a_live_plot_outside_of_a_notebook_shows_nothing(capfd):
    quick(LossPlot())
    assert capfd.readouterr() == ("", "")


def test_training_needs_neither_the_compiler_nor_matplotlib():
    assert children.call(trains_light) == 0


def trains_light():
    before = set(sys.modules)
    quick(Progress())
    heavy = ("torch._dynamo", "torch._inductor", "matplotlib", "IPython", "tensorboard")
    assert [m for m in set(sys.modules) - before if m.startswith(heavy)] == []
