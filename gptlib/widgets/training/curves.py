"""Training's history in as many points as a screen can show."""

from typing import Any

import numpy as np

from gptlib import plots
from gptlib.training.history import History

POINTS = 600
RECENT = 20  # steps that a speed or a smoothed loss is averaged over

Curves = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


def curves(history: History) -> Curves:
    """Arrays for the browser: steps with their losses, and everything else by name."""
    n = len(history.step)
    chosen = np.unique(np.linspace(0, n - 1, min(n, POINTS)).round().astype(int))
    smooth = plots.smooth(history.loss, RECENT) if n else np.zeros(0)
    every = {
        "step": history.step,
        "loss": history.loss,
        "smooth": smooth,
        "lr": history.lr,
        "gradient": history.grad_norm,
        "speed": speeds(history),
    }
    arrays = {name: np.asarray(values, dtype=np.float32)[chosen] for name, values in every.items()}
    arrays["validation_step"] = np.asarray(history.validation_step, dtype=np.float32)
    arrays["validation_loss"] = np.asarray(history.validation_loss, dtype=np.float32)
    return arrays


def speeds(history: History) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Tokens a second at each step, over the last few steps."""
    # A callback may look before the step's seconds are known.
    n = min(len(history.tokens), len(history.seconds))
    tokens = np.concatenate([[0.0], history.tokens[:n]])
    seconds = np.concatenate([[0.0], history.seconds[:n]])
    ends = np.arange(1, n + 1)
    starts = np.maximum(ends - RECENT, 0)
    passed = np.maximum(seconds[ends] - seconds[starts], 1e-9)
    found: np.ndarray[Any, np.dtype[np.float64]] = (tokens[ends] - tokens[starts]) / passed
    return np.resize(found, len(history.step)) if n else np.zeros(len(history.step))
