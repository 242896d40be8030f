"""Training: from a model and batches to a trained model and its history.

>>> config = TrainingConfig(steps=1000, lr=1e-3)
>>> history = train(model, batches, config, out="runs/first", callbacks=[Progress()])
>>> train(model, batches, config, out="runs/first", resume=True)  # after a power cut
"""

from gptlib.pretrained import CheckpointError
from gptlib.training.callbacks import Callback, EarlyStop, KeepBest, Progress, Sample
from gptlib.training.config import TrainingConfig
from gptlib.training.history import History
from gptlib.training.logs import CSVLog, TensorBoardLog
from gptlib.training.loop import Diverged, next_token, train
from gptlib.training.muon import Muon
from gptlib.training.optimizer import AdamW
from gptlib.training.plot import LossPlot, loss_figure
from gptlib.training.run import Run
from gptlib.training.schedule import learning_rate

__all__ = [
    "AdamW",
    "CSVLog",
    "Callback",
    "CheckpointError",
    "Diverged",
    "EarlyStop",
    "History",
    "KeepBest",
    "LossPlot",
    "Muon",
    "Progress",
    "Run",
    "Sample",
    "TensorBoardLog",
    "TrainingConfig",
    "learning_rate",
    "loss_figure",
    "next_token",
    "train",
]
