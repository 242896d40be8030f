"""What happens beside training: progress, samples, early stopping.

The trainer itself neither prints nor plots. A callback is told when training starts, when a step
has ended (with its validation, if one was due) and when training ends, for whatever reason.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gptlib import pretrained
from gptlib.training.run import Run


class Callback:
    """Does nothing; override what you need. Only rank 0 runs callbacks."""

    def on_start(self, run: Run) -> None:
        """Before the first step; `run.step` is above 0 when a run goes on."""

    def on_step(self, run: Run) -> None:
        """After each step; `run.validated` says whether it ended with a validation."""

    def on_end(self, run: Run) -> None:
        """After the last step, or when an error ends training."""


class Progress(Callback):
    """A bar in a notebook, a line in a terminal, nothing where output goes to a file."""

    def on_start(self, run: Run) -> None:
        from tqdm.auto import tqdm  # type: ignore[import-untyped]

        # None means: only in a terminal. A notebook is none, and shows the bar all the same.
        disable = False if in_notebook() else None
        total = run.config.steps
        self.bar: Any = tqdm(total=total, initial=run.step, unit="step", disable=disable)

    def on_step(self, run: Run) -> None:
        history = run.history
        text = f"loss {history.loss[-1]:.3f}"
        if history.validation_loss:
            text += f", validation {history.validation_loss[-1]:.3f}"
        self.bar.set_postfix_str(text, refresh=False)
        self.bar.update()

    def on_end(self, run: Run) -> None:
        self.bar.close()


class Sample(Callback):
    """Let the model speak every so many steps: `sample(model)` returns a text.

    Texts are kept in `texts` with their steps, and handed to `show` (default: printed, clear of
    the progress bar). What `sample` draws does not change how training goes on.
    """

    def __init__(
        self,
        sample: Callable[[Any], str],
        every: int = 100,
        show: Callable[[str], object] | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every={every}: sample every 1 step or more")
        self.sample = sample
        self.every = every
        self.show = show
        self.texts: list[tuple[int, str]] = []

    def on_step(self, run: Run) -> None:
        if not run.due(self.every):
            return
        with run.evaluating() as model:
            text = self.sample(model)
        self.texts.append((run.step, text))
        if self.show is None:
            from tqdm import tqdm  # type: ignore[import-untyped]

            tqdm.write(f"step {run.step}: {text}")
        else:
            self.show(text)


def in_notebook() -> bool:
    """Whether a Jupyter kernel runs this, which can show and replace pictures."""
    ipython = sys.modules.get("IPython")  # a kernel has imported it
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class EarlyStop(Callback):
    """Stop when the last `patience` validations brought no loss lower by more than `min_delta`."""

    def __init__(self, patience: int = 5, min_delta: float = 0.0) -> None:
        if patience < 1 or min_delta < 0:
            raise ValueError(
                f"patience={patience}, min_delta={min_delta}: must be at least 1 and 0"
            )
        self.patience = patience
        self.min_delta = min_delta

    def on_start(self, run: Run) -> None:
        self.on_step(run)  # a run that stopped early stays stopped when it is resumed

    def on_step(self, run: Run) -> None:
        if not run.validated:
            return
        best, waited = float("inf"), 0
        for loss in run.history.validation_loss:
            better = loss < best - self.min_delta
            best, waited = (loss, 0) if better else (best, waited + 1)
        if waited >= self.patience:
            run.stop(f"no better validation loss than {best:.4f} in {waited} validations")


class KeepBest(Callback):
    """Save the model with the lowest validation loss, for `gptlib.load` (default: `out/best`)."""

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = None if folder is None else Path(folder)

    def on_start(self, run: Run) -> None:
        if self.folder is None and run.out is None:
            raise ValueError("KeepBest needs a folder when train has no out")

    def on_step(self, run: Run) -> None:
        losses = run.history.validation_loss
        if not run.validated or losses[-1] > min(losses):
            return
        folder = self.folder or Path(run.out or "") / "best"
        with run.evaluating() as model:
            pretrained.save(model, folder)  # type: ignore[arg-type]
