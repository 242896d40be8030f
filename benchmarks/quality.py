"""What speed costs in quality: losses of the fast mode beside float32's, and beside nanoGPT's.

    python -m benchmarks.quality --text FILE                       # bfloat16 beside float32
    python -m benchmarks.quality --text FILE --nanogpt FOLDER      # nanoGPT's recipe for a CPU

FILE is read character by character, its last tenth is held out; with tiny Shakespeare the second is
the recipe of nanoGPT's README for a laptop, whose loss there is 1.88. FOLDER holds nanoGPT's
model.py (https://github.com/karpathy/nanoGPT). --save keeps the figures for the README's table.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.record import save
from benchmarks.training import SHAPES, theirs
from gptlib import GPT, GPTConfig
from gptlib.data import Batches, in_order, split
from gptlib.training import TrainingConfig
from gptlib.training.loop import next_token, train_step
from gptlib.training.schedule import learning_rate
from gptlib.training.start import start

SHAPE = SHAPES["a"]  # 4 layers, 128 wide, 64 characters, batches of 12
NAMES = ("n_layer", "n_head", "n_embd")
STEPS, SEEDS = 1_000, (0, 1, 2)
APART = 0.01  # nats: how far the fast mode may be from float32
RECIPE_STEPS, RECIPE_LOSS = 2_000, 1.88
OURS = {
    "gptlib fp32": ("float32", "adamw"),
    "gptlib bf16": ("bfloat16", "adamw"),
    "gptlib bf16, Muon": ("bfloat16", "muon"),
}
TURN = 100  # steps of one before it is the other's turn
Turn = Callable[[int], object]  # takes so many steps


def characters(file: Path) -> tuple[Tensor, Tensor, int]:
    """The numbers of the text's characters, to train on and held out, and how many differ."""
    text = file.read_text(encoding="utf-8")
    known = sorted(set(text))
    number = {character: place for place, character in enumerate(known)}
    kept, held_out = split(torch.tensor([number[character] for character in text]))
    return kept, held_out, len(known)


def config(steps: int, dtype: str, optimizer: str = "adamw") -> TrainingConfig:
    """nanoGPT's recipe: AdamW, cosine from 1e-3 to 1e-4 after 100 steps; or Muon in its place."""
    lr = 2e-3 if optimizer == "muon" else 1e-3
    return TrainingConfig(
        steps=steps, lr=lr, min_lr=lr / 10, warmup=100, beta2=0.99, weight_decay=0.1,
        dtype=dtype, optimizer=optimizer,  # type: ignore[arg-type]
    )  # fmt: skip


def batches(tokens: Tensor, seed: int) -> Batches:
    return Batches(tokens, batch_size=SHAPE["batch"], length=SHAPE["length"], seed=seed)


def gptlib(
    tokens: Tensor, n_characters: int, recipe: TrainingConfig, seed: int
) -> tuple[GPT, Turn]:
    """A model, and what trains it by so many steps."""
    torch.manual_seed(seed)
    sizes: dict[str, Any] = {name: SHAPE[name] for name in NAMES}
    model = GPT(GPTConfig(vocab_size=n_characters, n_positions=SHAPE["length"], **sizes))
    stream: Iterator[Any] = batches(tokens, seed)
    run, to_train = start(model, stream, recipe, None, None, False)

    def turn(number: int) -> None:
        to_train.train()
        for _ in range(number):
            run.step += 1
            train_step(run, to_train, stream, next_token)

    return model, turn


def nanogpt(tokens: Tensor, n_characters: int, steps: int, seed: int) -> tuple[nn.Module, Turn]:
    """The same for nanoGPT, trained as its train.py trains on a CPU, in float32."""
    from model import GPT as NanoGPT  # type: ignore[import-not-found]
    from model import GPTConfig as NanoConfig

    torch.manual_seed(seed)
    sizes = {name: SHAPE[name] for name in NAMES}
    model = NanoGPT(NanoConfig(
        block_size=SHAPE["length"], vocab_size=n_characters, dropout=0.0, bias=False, **sizes
    ))  # fmt: skip
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.99), "cpu")
    recipe, stream, done = config(steps, "float32"), batches(tokens, seed), 0

    def turn(number: int) -> None:
        nonlocal done
        for _ in range(number):
            done += 1
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, done)
            batch = next(stream)
            loss_of = lambda: model(*batch)[1]  # noqa: B023, E731 - called before the next batch
            theirs(model, optimizer, loss_of, torch.float32, torch.device("cpu"))()

    return model, turn


@torch.no_grad()
def held_out_loss(model: nn.Module, tokens: Tensor) -> float:
    """Mean loss in nats a character, in float32, over all windows of the held-out text."""
    model.eval()
    losses = []
    for idx, targets in in_order(tokens, batch_size=100, length=SHAPE["length"]):
        ours = isinstance(model, GPT)
        loss = next_token(model, idx, targets) if ours else model(idx, targets)[1]
        losses.append((float(loss), idx.numel()))
    return sum(loss * n for loss, n in losses) / sum(n for _, n in losses)


def fast_mode(file: Path) -> dict[str, float]:
    """Train in both formats from the same weights on the same batches; print how far apart."""
    tokens, held_out, n_characters = characters(file)
    print(f"held-out loss after {STEPS:,} steps (nats a character)")
    apart = {}
    for seed in SEEDS:
        loss = {}
        for dtype in ("float32", "bfloat16"):
            model, turn = gptlib(tokens, n_characters, config(STEPS, dtype), seed)
            turn(STEPS)
            loss[dtype] = held_out_loss(model, held_out)
        apart[f"seed {seed}"] = loss["bfloat16"] - loss["float32"]
        print(
            f"  seed {seed}: float32 {loss['float32']:.4f}, bfloat16 {loss['bfloat16']:.4f}, "
            f"difference {apart[f'seed {seed}']:+.4f}"
        )
    apart["mean"] = statistics.fmean(apart.values())
    print(f"  mean difference {apart['mean']:+.4f} (bar: {APART} either way)")
    return apart


def beside_nanogpt(file: Path) -> dict[str, float]:
    """Train each by nanoGPT's recipe, in turns, so that a busy machine slows both alike."""
    tokens, held_out, n_characters = characters(file)
    contestants: dict[str, tuple[nn.Module, Turn]] = {
        name: gptlib(tokens, n_characters, config(RECIPE_STEPS, dtype, optimizer), 0)
        for name, (dtype, optimizer) in OURS.items()
    }
    contestants |= {
        "nanoGPT fp32": nanogpt(tokens, n_characters, RECIPE_STEPS, 0),
    }
    seconds = dict.fromkeys(contestants, 0.0)
    for _ in range(RECIPE_STEPS // TURN):
        for name, (_, turn) in contestants.items():
            begin = time.perf_counter()
            turn(TURN)
            seconds[name] += time.perf_counter() - begin
    print(f"nanoGPT's recipe, {RECIPE_STEPS:,} steps (bar: {RECIPE_LOSS} in less time)")
    found = {}
    for name, (model, _) in contestants.items():
        loss = held_out_loss(model, held_out)
        print(f"  {name:<18} held-out loss {loss:.4f}  {seconds[name]:6.1f} s")
        found |= {f"{name} loss": loss, f"{name} seconds": seconds[name]}
    return found


def main() -> None:
    plain = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--text", type=Path, required=True, help="such as tiny Shakespeare")
    parser.add_argument("--nanogpt", type=Path, help="folder of its model.py")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--save", action="store_true", help="keep them in benchmarks/results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.nanogpt:
        sys.path.insert(0, str(options.nanogpt))
        figures = {"recipe": beside_nanogpt(options.text)}
    else:
        figures = {"apart": fast_mode(options.text)}
    if options.save:
        save("quality", figures)


if __name__ == "__main__":
    main()
