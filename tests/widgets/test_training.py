"""The training monitor, as a callback of a training that runs."""

import threading

import numpy as np
import pytest
import torch

from gptlib import GPT, GPTConfig, TrainingConfig, train
from gptlib.training.history import History
from gptlib.widgets import TrainingMonitor
from gptlib.widgets.training.curves import POINTS, curves, speeds


class Same:
    """The same batch without end, with the place that a checkpoint asks for."""

    def __init__(self):
        self.batch = torch.randint(11, (2, 6)), torch.randint(11, (2, 6))

    def __iter__(self):
        return self

    def __next__(self):
        return self.batch

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass


def setting(steps):
    torch.manual_seed(0)
    config = GPTConfig(n_layer=1, n_head=1, n_embd=8, n_positions=8, vocab_size=11)
    batches = Same()
    settings = TrainingConfig(steps=steps, lr=1e-2, validate_every=2)
    return GPT(config), batches, settings, batches.batch


def test_it_shows_what_the_history_says():
    monitor = TrainingMonitor(floor=1.0, sample=lambda model: "once", sample_every=3)
    model, batches, config, batch = setting(7)
    history = train(model, batches, config, validation=[batch], callbacks=[monitor])
    state = monitor.state
    assert not monitor.problem
    assert (state["step"], state["steps"], state["running"]) == (7, 7, False)
    assert state["stopped"] == "finished"
    assert state["gap"] == pytest.approx(history.validation_loss[-1] - 1.0)
    assert state["samples"] == [(3, "once"), (6, "once"), (7, "once")]
    place = state["arrays"]["loss"]
    shown = np.frombuffer(monitor.data, np.float32, 7, place["at"])
    np.testing.assert_allclose(shown, history.loss, rtol=1e-6)
    assert "over 7 steps and the entropy" in monitor.describe()


def test_watching_changes_nothing():
    weights = []
    for callbacks in ([], [TrainingMonitor(every_seconds=0)]):
        model, batches, config, batch = setting(6)
        train(model, batches, config, validation=[batch], callbacks=callbacks)
        weights.append(torch.cat([p.flatten() for p in model.parameters()]))
    assert torch.equal(*weights)


def test_the_button_stops_after_the_step_and_keeps_everything(tmp_path):
    """The message comes from another thread, as a kernel hears it while a cell runs."""
    monitor = TrainingMonitor(every_seconds=0)

    class Press(TrainingMonitor):
        def on_step(self, run):
            if run.step == 4:
                message = {"id": "a.1", "stop": True}
                thread = threading.Thread(target=monitor._receive, args=(monitor, message, []))
                thread.start()
                thread.join()
            super().on_step(run)

    model, batches, config, _ = setting(1000)
    history = train(model, batches, config, callbacks=[Press(), monitor], out=tmp_path)
    assert history.stopped == "stopped by hand"
    assert history.step == [1, 2, 3, 4]
    assert monitor.answered == "a.1"
    assert monitor.state["stopped"] == "stopped by hand"
    assert (tmp_path / "checkpoint.safetensors").exists()
    model, batches, config, _ = setting(6)
    again = train(model, batches, config, callbacks=[monitor], out=tmp_path, resume=True)
    assert again.stopped == "finished"  # an old press does not stop a new training
    assert again.step == [1, 2, 3, 4, 5, 6]


def test_a_long_history_is_thinned_and_its_ends_stay():
    n = 10_000
    history = History(
        step=list(range(1, n + 1)),
        loss=list(np.linspace(5, 2, n)),
        lr=[0.1] * n,
        grad_norm=[1.0] * n,
        tokens=[32 * k for k in range(1, n + 1)],
        seconds=[k / 4 for k in range(1, n + 1)],
    )
    found = curves(history)
    assert len(found["step"]) == POINTS
    assert (found["step"][0], found["step"][-1]) == (1, n)
    assert found["loss"][-1] == pytest.approx(2)
    np.testing.assert_allclose(speeds(history), 32 * 4)


def test_an_empty_history_is_a_sentence():
    monitor = TrainingMonitor()
    assert len(curves(History())["step"]) == 0
    data, _ = monitor._repr_mimebundle_()
    assert data["text/plain"] == "A training monitor: no step has ended yet."
    with pytest.raises(ValueError, match="sample_every=0"):
        TrainingMonitor(sample_every=0)


def test_an_error_in_training_leaves_the_monitor_at_rest():
    def sample(model):
        raise OSError("disk full")

    monitor = TrainingMonitor(sample=sample, sample_every=2)
    model, batches, config, _ = setting(5)
    with pytest.raises(OSError, match="disk full"):
        train(model, batches, config, callbacks=[monitor])
    assert monitor.state["running"] is False
    assert monitor.state["step"] == 2
