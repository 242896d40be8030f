"""Train the model of config.toml: `python train.py`, or `python train.py runs/quick 20`."""

import sys
import tomllib
from pathlib import Path

import torch

import gptlib
from gptlib.data import Batches, corpus, in_order, split
from gptlib.tokenizer import Tokenizer
from gptlib.training import CSVLog, History, Progress, TrainingConfig, train


def main(out: str = "runs/first", steps: str = "") -> History:
    """Train in the folder `out`, for `steps` if given; go on if a run is there already."""
    config = tomllib.loads(Path(__file__).with_name("config.toml").read_text(encoding="utf-8"))
    text = corpus(**config["data"])
    tokenizer = Tokenizer.train(text, config["tokenizer"]["vocab_size"])
    tokenizer.save(out)
    to_train, held_out = split(torch.tensor(tokenizer.encode(text)))
    shape = gptlib.GPTConfig(vocab_size=tokenizer.vocab_size, **config["model"])
    training = TrainingConfig(**config["training"] | ({"steps": int(steps)} if steps else {}))
    torch.manual_seed(training.seed)
    return train(
        gptlib.GPT(shape),
        Batches(to_train, batch_size=config["batch_size"], length=shape.n_positions),
        training,
        validation=list(in_order(held_out, batch_size=64, length=shape.n_positions)),
        callbacks=[Progress(), CSVLog()],
        out=out,
        resume=True,
    )


if __name__ == "__main__":
    history = main(*sys.argv[1:])
    print(f"{history.stopped}: validation loss {history.validation_loss[-1]:.3f}")
