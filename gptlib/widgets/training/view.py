"""The training monitor's view, which is a callback of the trainer too."""

import threading
import time
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure

from gptlib.training.callbacks import Callback, in_notebook
from gptlib.training.history import History
from gptlib.training.plot import loss_figure
from gptlib.training.run import Run
from gptlib.widgets.arrays import pack
from gptlib.widgets.training.curves import curves
from gptlib.widgets.view import View, css, esm

STOPPED = "stopped by hand"
SAMPLES = 8  # the last ones are shown


class TrainingMonitor(View, Callback):
    """Loss, floor, gap, learning rate, gradient, speed and samples while a model trains.

    >>> train(model, batches, config, callbacks=[TrainingMonitor(floor=1.35)])

    `floor` is the entropy of the text in nats per token. `sample(model)` returns a text and is
    called every `sample_every` steps. The stop button ends training after the current step:
    history, checkpoint and model are kept. It sends a message, and in JupyterLab the interrupt
    that kernels hear while a cell runs; elsewhere interrupting the kernel does the same.
    """

    _esm = esm("training/monitor.js")
    _css = css("training/monitor.css")
    hears_during_cells = True

    def __init__(
        self,
        floor: float | None = None,
        sample: Callable[[Any], str] | None = None,
        sample_every: int = 100,
        every_seconds: float = 0.5,
    ) -> None:
        if sample_every < 1:
            raise ValueError(f"sample_every={sample_every}: sample every 1 step or more")
        super().__init__()
        self.floor = floor
        self.sample = sample
        self.sample_every = sample_every
        self.every_seconds = every_seconds
        self.texts: list[tuple[int, str]] = []
        self._stop = threading.Event()
        self._history = History()
        self._place: Any = None
        self._next = 0.0
        self._tell(steps=0, running=False)

    def answer(self, question: dict[str, Any]) -> None:
        """`{"stop": True}` asks for an end after the current step."""
        if question.get("stop"):
            self._stop.set()

    def on_start(self, run: Run) -> None:
        self._stop.clear()
        self._history = run.history
        self._show(run)
        if in_notebook():
            from IPython.display import display

            self._place = display(self, display_id=True)  # type: ignore[no-untyped-call]

    def on_step(self, run: Run) -> None:
        if self.sample is not None and run.due(self.sample_every):
            with run.evaluating() as model:
                self.texts.append((run.step, self.sample(model)))
        if self._stop.is_set() and not run.history.stopped:
            run.stop(STOPPED)
        now = time.perf_counter()
        if now >= self._next or run.history.stopped:
            self._show(run)
            self._next = now + max(self.every_seconds, 10 * (time.perf_counter() - now))

    def on_end(self, run: Run) -> None:
        self._show(run, running=False)
        if self._place is not None:
            self._place.update(self)  # the static picture is now that of the whole training

    def _show(self, run: Run, running: bool = True) -> None:
        self._tell(run.config.steps, running)

    def _tell(self, steps: int, running: bool) -> None:
        history = self._history
        data, places = pack(curves(history))
        last = history.validation_loss[-1:] or history.loss[-1:]
        with self.guarded():
            self.show_state(
                {
                    "arrays": places,
                    "step": history.step[-1] if history.step else 0,
                    "steps": steps,
                    "running": running,
                    "stopped": history.stopped,
                    "floor": self.floor,
                    "gap": None if self.floor is None or not last else last[0] - self.floor,
                    "seconds": history.seconds[-1] if history.seconds else 0.0,
                    "samples": self.texts[-SAMPLES:],
                },
                data,
            )

    def picture(self) -> Figure | None:
        """The loss, as `gptlib.training.loss_figure` draws it."""
        return loss_figure(self._history, self.floor) if self._history.step else None

    def describe(self) -> str:
        if not self._history.step:
            return "A training monitor: no step has ended yet."
        floor = " and the entropy of the text below them" if self.floor is not None else ""
        return f"Training and validation loss over {self._history.step[-1]} steps{floor}."
