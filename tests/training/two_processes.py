"""What test_processes.py starts under torchrun: `two_processes.py FOLDER`, once a process.

Every process trains three times and writes down its history and the files it opened for writing.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))
from gptlib.data import in_order
from gptlib.training import CSVLog, train
from training.children import At, small_batches, small_config, small_model, small_run, tokens


def against_one_process(*callbacks):
    """A run without dropout, whose masks depend on which rows a process has."""
    torch.manual_seed(int(os.environ.get("RANK", "0")))  # weights must come from rank 0
    model = small_model(dropout=0.0)
    if os.environ.get("RANK", "0") != "0":
        torch.nn.init.ones_(model.transformer.wte.weight)
    history = train(
        model,
        unequal_batches(),
        small_config(),
        validation=list(in_order(tokens()[360:], batch_size=4, length=8)),
        callbacks=callbacks,
    )
    return history, {name: p.tolist() for name, p in model.named_parameters()}


def unequal_batches():
    """Batches in which the rows of one process hold far fewer targets that count."""
    for idx, targets in small_batches():
        targets[2:, 1:] = -100
        yield idx, targets


def main(folder: Path) -> None:
    rank, written = os.environ["RANK"], set()

    def watch(event, details):
        if event == "open" and str(folder / "run") in str(details[0]):
            reads = details[1] == "r" or (
                details[1] is None and not details[2] & (os.O_WRONLY | os.O_RDWR)
            )
            written.update(set() if reads else {str(details[0])})
        elif event in ("os.rename", "os.mkdir", "os.remove"):
            written.update(str(d) for d in details if str(folder / "run") in str(d))

    sys.addaudithook(watch)
    history, weights = against_one_process()
    straight = small_run(folder / "run" / "straight", CSVLog())
    small_run(folder / "run" / "resumed", CSVLog(), At(9, lambda run: run.stop("enough")))
    resumed = small_run(folder / "run" / "resumed", CSVLog())
    facts = {
        "history": asdict(history),
        "weights": weights,
        "straight": asdict(straight),
        "resumed": asdict(resumed),
        "written": sorted(written),
    }
    (folder / f"rank{rank}.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
