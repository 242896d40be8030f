"""A ladder of sizes: the larger the model, the nearer its loss to the known floor.

`python -m gptlib.recipes.sizes` trains each size on the story world's nursery level, in equally
many steps, and writes `ladder.json` beside this file, which chapter 05 draws.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from gptlib import storyworld
from gptlib.config import GPTConfig
from gptlib.data import Documents
from gptlib.device import seed_everything
from gptlib.model import GPT
from gptlib.recipes.measure import held_out
from gptlib.tokenizer import END_OF_TEXT, Tokenizer
from gptlib.training import TrainingConfig, train

FILE = Path(__file__).parent / "ladder.json"
LEVEL, SPLIT = "nursery", "train"
SIZES = ((1, 8), (1, 16), (1, 32), (2, 32), (2, 64), (3, 96), (4, 128))  # layers, width
SEEDS = (0, 1, 2)
TRAINING = {"steps": 800, "lr": 4e-3, "warmup": 50, "min_lr": 0.0, "beta2": 0.98}


def climb(n_layer: int, n_embd: int, seed: int) -> dict[str, float]:
    """Train one size and measure it on stories that it never read."""
    texts = [storyworld.story(n, LEVEL, SPLIT).text for n in range(10_000, 16_000)]
    tokenizer = Tokenizer.train(texts, 512)
    end = tokenizer.special_tokens[END_OF_TEXT]
    tokens = np.concatenate([[*tokenizer.encode(text), end] for text in texts])
    longest = max(len(tokenizer.encode(text)) for text in texts) + 8
    seed_everything(seed)
    model = GPT(GPTConfig(
        vocab_size=len(tokenizer.vocab) + 1, n_positions=longest + 8, n_layer=n_layer,
        n_embd=n_embd, n_head=max(1, n_embd // 32),
    ))  # fmt: skip
    nn.init.normal_(model.transformer.wte.weight, std=n_embd**-0.5)
    batches = Documents(tokens, end, batch_size=16, seed=seed)
    begun = time.process_time()
    train(model, batches, TrainingConfig(seed=seed, **TRAINING))  # type: ignore[arg-type]
    found = held_out(model, tokenizer, LEVEL, SPLIT, range(500))
    return {
        "n_layer": n_layer,
        "n_embd": n_embd,
        "parameters": model.config.num_parameters,
        "seed": seed,
        "nats_per_story": round(found["nats_per_story"], 3),
        "floor": round(found["floor"], 3),
        "gap": round(found["gap"], 3),
        "cpu_seconds": round(time.process_time() - begun),
    }


def main() -> None:
    """Measure every size and write the file."""
    parser = argparse.ArgumentParser(prog="python -m gptlib.recipes.sizes", description=__doc__)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    torch.set_num_threads(parser.parse_args().threads)
    rows = []
    for n_layer, n_embd in SIZES:
        for seed in SEEDS:
            rows.append(climb(n_layer, n_embd, seed))
            print(rows[-1], flush=True)
            FILE.write_text(
                "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n]\n",
                encoding="utf-8",
            )


if __name__ == "__main__":
    main()
