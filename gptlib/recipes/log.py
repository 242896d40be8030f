"""The log of a run, as it is published: read, said in figures, written in short."""

import csv
import statistics
from pathlib import Path
from typing import Any


def read_log(path: Path) -> dict[str, list[float]]:
    """The columns of a run's log; a validation that was not due is NaN."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {name: [float(row[name] or "nan") for row in rows] for name in rows[0]}


def about(log: dict[str, list[float]], device: str) -> dict[str, Any]:
    """The run in figures."""
    return {
        "steps": int(log["step"][-1]),
        "tokens": int(log["tokens"][-1]),
        "minutes": round(log["seconds"][-1] / 60),
        "device": device,
    }


def write_log(log: dict[str, list[float]], path: Path, every: int = 10) -> None:
    """The log in short: the means of every ten steps."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "loss", "lr", "grad_norm", "tokens", "validation_loss"])
        for at in range(0, len(log["step"]) - every + 1, every):
            part = slice(at, at + every)
            last = at + every - 1
            held_out = [value for value in log["validation_loss"][part] if value == value]
            writer.writerow([
                int(log["step"][last]),
                *(f"{statistics.fmean(log[n][part]):.4g}" for n in ("loss", "lr", "grad_norm")),
                int(log["tokens"][last]),
                *(f"{value:.4f}" for value in held_out[-1:]),
            ])  # fmt: skip
