"""The loss as a picture: after training, or live while it falls."""

import base64
import time
from typing import TYPE_CHECKING, Any

from gptlib.training.callbacks import Callback, in_notebook
from gptlib.training.history import History
from gptlib.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 1000  # a curve has no more: the picture has no more pixels to show them


def loss_figure(history: History, floor: float | None = None, smooth: int = 20) -> "Figure":
    """The training loss, averaged over the last `smooth` steps, the validation loss, and a floor.

    The floor is the lowest loss that any model can have: the entropy of the text, in nats.
    """
    from gptlib import plots

    fig, ax = plots.figure()
    every = max(1, len(history.step) // POINTS)
    training = {"training": plots.smooth(history.loss, smooth)[::every]}
    plots.curves(ax, training, x=history.step[::every])
    validation = {"validation": history.validation_loss} if history.validation_loss else {}
    plots.curves(
        ax,
        validation,
        x=history.validation_step,
        xlabel="step",
        ylabel="loss (nats per token)",
        floor=floor,
        floor_label="entropy of the text",
    )
    return fig


def describe(history: History, floor: float | None = None) -> str:
    """The picture in words, for its alt text."""
    if not history.step:
        return "No step of training has ended yet."
    text = (
        f"The training loss goes from {history.loss[0]:.2f} at step 1 "
        f"to {history.loss[-1]:.2f} at step {history.step[-1]}"
    )
    if history.validation_loss:
        text += f"; the validation loss ends at {history.validation_loss[-1]:.2f}"
    if floor is not None:
        text += f"; the entropy of the text is {floor:.2f}"
    return text + " (nats per token)."


class LossPlot(Callback):
    """The loss curve, drawn live in a notebook; elsewhere nothing appears.

    The picture is replaced in its place when the new one is ready, so it does not flicker.
    Drawing takes at most a tenth of the time.
    """

    def __init__(self, floor: float | None = None, every_seconds: float = 2.0) -> None:
        self.floor = floor
        self.every_seconds = every_seconds

    def on_start(self, run: Run) -> None:
        self.place: Any = None
        self.next = 0.0
        self.live = in_notebook()

    def on_step(self, run: Run) -> None:
        if self.live and time.perf_counter() >= self.next:
            self._draw(run.history)

    def on_end(self, run: Run) -> None:
        if self.live and run.history.step:
            self._draw(run.history)

    def _draw(self, history: History) -> None:
        from IPython.display import display

        from gptlib import plots

        begun = time.perf_counter()
        alt = describe(history, self.floor)
        picture = base64.b64encode(plots.png(loss_figure(history, self.floor))).decode("ascii")
        bundle = {"image/png": picture, "text/plain": alt}
        metadata = {"image/png": {"alt": alt}}
        if self.place is None:
            self.place = display(bundle, metadata=metadata, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self.place.update(bundle, metadata=metadata, raw=True)
        now = time.perf_counter()
        self.next = now + max(self.every_seconds, 10 * (now - begun))
