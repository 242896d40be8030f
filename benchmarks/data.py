"""A corpus of a gigabyte in little memory: tokenizing it, cutting batches, training on them.

    python benchmarks/data.py [--megabytes 1000]

Each measurement runs in a process of its own. Memory is what the process adds, at its peak, to
what was resident after the imports (Linux). The text is Python's own source, repeated.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

MEGABYTE = 10**6

BEFORE = """
import re, sys, time
from itertools import islice
from pathlib import Path
import numpy as np
import torch
from gptlib.config import GPTConfig
from gptlib.data import Batches, TokenFile, pieces, split, write_tokens
from gptlib.model import GPT
from gptlib.tokenizer import Tokenizer
def memory(kind):  # resident now (RSS), or at most so far (HWM)
    return int(re.search(rf"Vm{kind}:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
folder = Path(sys.argv[1])
tokenizer = Tokenizer.load(folder)
before, start = memory("RSS"), time.process_time()
"""
AFTER = """
print(time.process_time() - start, memory("HWM") - before, before)
"""
TOKENIZE = """
ids = tokenizer.encode_stream(pieces(folder / "corpus.txt"))
write_tokens(ids, folder / "tokens.npy", tokenizer.vocab_size)
"""
BATCHES = """
tokens, _ = split({tokens})
for _ in islice(Batches(tokens, batch_size=32, length=256, order={order!r}), 2000):
    pass
"""
TRAIN = """
tokens, _ = split({tokens})
torch.manual_seed(0)
config = GPTConfig(vocab_size=tokenizer.vocab_size, n_positions=128, n_embd=64, n_layer=2, n_head=2)
model = GPT(config)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for idx, targets in islice(Batches(tokens, batch_size=8, length=128), 50):
    loss = torch.nn.functional.cross_entropy(model(idx).flatten(0, 1), targets.flatten())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
FILE = 'TokenFile(folder / "tokens.npy")'
MAPPED = 'np.load(folder / "tokens.npy", mmap_mode="r")'
MEASUREMENTS = {
    "text to token file": TOKENIZE,
    "2,000 random batches (32, 256)": BATCHES.format(tokens=FILE, order="random"),
    "2,000 batches of epochs": BATCHES.format(tokens=FILE, order="epochs"),
    "the same from one memory map": BATCHES.format(tokens=MAPPED, order="random"),
    "50 steps of a GPT (8, 128)": TRAIN.format(tokens=FILE),
    "the same from 10,000 tokens": TRAIN.format(
        tokens=f"torch.tensor(np.asarray({FILE}[:10_000]))"
    ),
}


def write_corpus(path: Path, size: int) -> None:
    from gptlib.data import pieces

    left = size
    with open(path, "wb") as file:
        while left > 0:
            for piece in pieces("python-source"):
                left -= file.write(piece.encode()[:left])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    arguments = parser.parse_args()
    from gptlib.data import corpus
    from gptlib.tokenizer import Tokenizer

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_corpus(folder / "corpus.txt", arguments.megabytes * MEGABYTE)
        Tokenizer.train(corpus("python-docs"), 4096).save(folder)
        print(f"{arguments.megabytes} MB of text, vocabulary 4,096")
        print(f"{'':<32} {'CPU s':>8} {'adds MB':>8} {'imports MB':>11}")
        for title, code in MEASUREMENTS.items():
            command = [sys.executable, "-c", BEFORE + code + AFTER, name]
            out = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            seconds, added, imports = map(float, out.split())
            print(
                f"{title:<32} {seconds:>8.1f} {added / MEGABYTE:>8.0f} {imports / MEGABYTE:>11.0f}"
            )
        size = (folder / "tokens.npy").stat().st_size
        print(f"the token file has {size / MEGABYTE:.0f} MB")


if __name__ == "__main__":
    main()
