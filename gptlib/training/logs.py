"""A run's figures in files: CSV for everyone, TensorBoard where it is installed."""

import csv
import os
from pathlib import Path
from typing import IO, Any

from gptlib.training.callbacks import Callback
from gptlib.training.history import History
from gptlib.training.run import Run

COLUMNS = ("step", "loss", "lr", "grad_norm", "tokens", "seconds")


class CSVLog(Callback):
    """One line a step in a CSV file (default: `log.csv` in the run's folder).

    A resumed run writes the file anew from its history, so no step appears twice, whatever was
    written after the checkpoint that it goes on from.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = path

    def on_start(self, run: Run) -> None:
        path = _place(self, self.path, run, "log.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".part")
        with open(beside, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow([*COLUMNS, "validation_loss"])
            validations = dict(
                zip(run.history.validation_step, run.history.validation_loss, strict=True)
            )
            for index, step in enumerate(run.history.step):
                writer.writerow(_row(run.history, index, validations.get(step)))
        os.replace(beside, path)
        self.file: IO[str] = open(path, "a", newline="", encoding="utf-8")  # noqa: SIM115

    def on_step(self, run: Run) -> None:
        loss = run.history.validation_loss[-1] if run.validated else None
        csv.writer(self.file).writerow(_row(run.history, -1, loss))
        self.file.flush()

    def on_end(self, run: Run) -> None:
        self.file.close()


def _row(history: History, index: int, validation_loss: float | None) -> list[Any]:
    return [*(getattr(history, name)[index] for name in COLUMNS), validation_loss]


class TensorBoardLog(Callback):
    """The same figures for TensorBoard (default: `tensorboard` in the run's folder).

    Raises `ValueError` when the tensorboard package is not installed.
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = folder

    def on_start(self, run: Run) -> None:
        folder = _place(self, self.folder, run, "tensorboard")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ValueError(
                "TensorBoardLog needs the tensorboard package: pip install tensorboard, "
                "or use CSVLog"
            ) from None
        # Points that were written after the checkpoint are struck out.
        self.writer: Any = SummaryWriter(str(folder), purge_step=run.step + 1)

    def on_step(self, run: Run) -> None:
        for name in COLUMNS[1:]:
            self.writer.add_scalar(name, getattr(run.history, name)[-1], run.step)
        if run.validated:
            self.writer.add_scalar("validation_loss", run.history.validation_loss[-1], run.step)

    def on_end(self, run: Run) -> None:
        self.writer.close()


def _place(callback: Callback, given: str | Path | None, run: Run, name: str) -> Path:
    if given is not None:
        return Path(given)
    if run.out is None:
        raise ValueError(f"{type(callback).__name__} needs a path when train has no out")
    return run.out / name
