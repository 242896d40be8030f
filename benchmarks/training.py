"""A whole training step beside nanoGPT's and transformers'.

    python -m benchmarks.training --nanogpt FOLDER [--threads 1] [--json FILE] [--save]

FOLDER holds nanoGPT's model.py (https://github.com/karpathy/nanoGPT). A step is forward, loss,
backward, clipping, AdamW, and the loss as a number. All run in turn, so that a busy machine slows
all alike; the ratios are medians over --repeat rounds. One thread is timed in CPU seconds of this
process, which a busy neighbour does not disturb, more threads or a GPU in seconds. --save keeps the
ratios for the README's table.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.record import save
from gptlib import GPT, GPTConfig, device
from gptlib.training import TrainingConfig
from gptlib.training.loop import next_token, train_step
from gptlib.training.start import start

SHAPES = {
    "a": {"n_layer": 4, "n_head": 4, "n_embd": 128, "length": 64, "batch": 12, "vocab_size": 65},
    "b": {"n_layer": 6, "n_head": 6, "n_embd": 384, "length": 256, "batch": 8, "vocab_size": 512},
    "c": {"n_layer": 4, "n_head": 8, "n_embd": 256, "length": 256, "batch": 16, "vocab_size": 4096},
    "gpt2": {
        "n_layer": 12, "n_head": 12, "n_embd": 768, "length": 1024, "batch": 12,
        "vocab_size": 50304,
    },
}  # fmt: skip
# How many times faster gptlib has to be: best against fp32, best against bf16, fp32 against fp32.
BARS = {"a": (1.8, 1.5, 1.05), "b": (2.1, 1.2, 1.02), "c": (2.0, 1.3, 1.08)}
CEILING = {"a": 0.50, "b": 0.80, "c": 0.70}  # share of the matrix product's speed, one thread
Step = Callable[[], object]


def gptlib(shape: dict[str, int], batch: tuple[torch.Tensor, ...], dtype: str) -> Step:
    torch.manual_seed(0)
    names = ("n_layer", "n_head", "n_embd", "vocab_size")
    model = GPT(GPTConfig(n_positions=shape["length"], **{n: shape[n] for n in names}))
    batches: Iterator[Any] = repeat(batch)
    config = TrainingConfig(steps=10**6, lr=1e-3, dtype=dtype)  # type: ignore[arg-type]
    run, to_train = start(model, batches, config, None, None, False)
    to_train.train()

    def step() -> None:
        run.step += 1
        train_step(run, to_train, batches, next_token)

    return step


def theirs(
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_of: Callable[[], torch.Tensor],
    dtype: torch.dtype,
    where: torch.device,
) -> Step:
    """A step as nanoGPT's train.py takes it."""

    def step() -> float:
        with torch.autocast(where.type, dtype, enabled=dtype != torch.float32):
            loss = loss_of()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.item()

    return step


def nanogpt(
    shape: dict[str, int], batch: tuple[torch.Tensor, ...], dtype: str, compiled: bool
) -> Step:
    from model import GPT as NanoGPT  # type: ignore[import-not-found]
    from model import GPTConfig as NanoConfig

    torch.manual_seed(0)
    names = ("n_layer", "n_head", "n_embd", "vocab_size")
    where = batch[0].device
    model = NanoGPT(NanoConfig(
        block_size=shape["length"], dropout=0.0, bias=True, **{n: shape[n] for n in names}
    )).to(where)  # fmt: skip
    optimizer = model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), where.type)
    call = torch.compile(model) if compiled else model
    return theirs(model, optimizer, lambda: call(*batch)[1], getattr(torch, dtype), where)


def transformers(shape: dict[str, int], batch: tuple[torch.Tensor, ...], dtype: str) -> Step:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    names = ("n_layer", "n_head", "n_embd", "vocab_size")
    config = GPT2Config(
        n_positions=shape["length"], resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, use_cache=False,
        **{n: shape[n] for n in names},
    )  # fmt: skip
    model = GPT2LMHeadModel(config).to(batch[0].device)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, (0.9, 0.95), weight_decay=0.1)
    idx, targets = batch

    def loss() -> torch.Tensor:
        return F.cross_entropy(model(idx).logits.flatten(0, 1), targets.flatten())

    return theirs(model, optimizer, loss, getattr(torch, dtype), idx.device)


def flops(shape: dict[str, int]) -> float:
    """Floating-point operations of a step's matrix products, all of the attention square counted.

    Source: Chowdhery et al. 2022 (PaLM), appendix B.
    """
    L, C, T, V = (shape[n] for n in ("n_layer", "n_embd", "length", "vocab_size"))
    return shape["batch"] * T * (6 * (12 * L * C * C + V * C) + 12 * L * C * T)


def clock_of(where: torch.device) -> Callable[[], float]:
    alone = where.type == "cpu" and torch.get_num_threads() == 1
    return time.process_time if alone else time.perf_counter


def matrix_product(where: torch.device, dtype: str, n: int = 2048) -> float:
    """FLOP/s of a square matrix product, the best of several."""
    clock = clock_of(where)
    square = torch.ones(n, n, device=where, dtype=getattr(torch, dtype))
    seconds = []
    for _ in range(8):
        device.synchronize(where)
        begin = clock()
        for _ in range(1 if where.type == "cpu" else 100):
            square @ square
        device.synchronize(where)
        seconds.append((clock() - begin) / (1 if where.type == "cpu" else 100))
    return 2 * n**3 / min(seconds)


def in_turn(steps: dict[str, Step], rounds: int, where: torch.device) -> dict[str, list[float]]:
    """Seconds of each, round by round, each round as many steps as take a tenth of a second."""
    clock = clock_of(where)

    def seconds(step: Step, times: int) -> float:
        device.synchronize(where)
        begin = clock()
        for _ in range(times):
            step()
        device.synchronize(where)
        return (clock() - begin) / times

    times = {}
    for name, step in steps.items():
        for _ in range(3):
            step()
        times[name] = max(1, round(0.1 / seconds(step, 1)))
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            found[name].append(seconds(step, times[name]))
    return found


def main() -> None:
    plain = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--nanogpt", type=Path, required=True, help="folder of its model.py")
    parser.add_argument("--shapes", default="abc", help='letters, or "gpt2"')
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--save", action="store_true", help="keep them in benchmarks/results")
    options = parser.parse_args()
    sys.path.insert(0, str(options.nanogpt))
    torch.set_num_threads(options.threads)
    where = device.use(options.device).device
    print(f"torch {torch.__version__}, {where}, {options.threads} threads")
    ceiling = {dtype: matrix_product(where, dtype) for dtype in ("float32", "bfloat16")}
    results = {}
    for name in [options.shapes] if options.shapes in SHAPES else options.shapes:
        shape = SHAPES[name]
        torch.manual_seed(1)
        size = (shape["batch"], shape["length"])
        batch = tuple(torch.randint(shape["vocab_size"], size, device=where) for _ in range(2))
        compiled = where.type != "cpu"
        steps = {
            "gptlib fp32": gptlib(shape, batch, "float32"),
            "gptlib bf16": gptlib(shape, batch, "bfloat16"),
            "nanoGPT fp32": nanogpt(shape, batch, "float32", compiled),
            "nanoGPT bf16": nanogpt(shape, batch, "bfloat16", compiled),
            "transformers fp32": transformers(shape, batch, "float32"),
        }
        found = in_turn(steps, options.repeat, where)
        result = report(name, found, flops(shape), ceiling)
        results[name] = result
    if options.json:
        facts = {"threads": options.threads, "device": str(where), "shapes": results}
        options.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    if options.save and where.type == "cpu":
        save("training", {f"threads {options.threads}": results})
    elif options.save:
        save("training-gpu", results, where.type)


def report(
    name: str, found: dict[str, list[float]], work: float, ceiling: dict[str, float]
) -> dict[str, float]:
    """Print a shape's table; give its ratios."""
    median = {who: statistics.median(times) for who, times in found.items()}
    print(f"\nshape {name}: {work / 1e9:.1f} GFLOP a step")
    for who, seconds in median.items():
        dtype = "bfloat16" if "bf16" in who else "float32"
        share = work / seconds / ceiling[dtype]
        print(f"  {who:<18} {seconds * 1e3:9.1f} ms  {share:6.1%} of {dtype}'s matrix product")
    best = min(("gptlib fp32", "gptlib bf16"), key=lambda who: median[who])

    def ratio(fast: str, slow: str) -> float:
        pairs = zip(found[slow], found[fast], strict=True)
        return statistics.median(theirs / ours for theirs, ours in pairs)

    result = {
        "best / nanoGPT fp32": ratio(best, "nanoGPT fp32"),
        "best / nanoGPT bf16": ratio(best, "nanoGPT bf16"),
        "fp32 / fp32": ratio("gptlib fp32", "nanoGPT fp32"),
        "best / transformers fp32": ratio(best, "transformers fp32"),
    }
    for (what, value), bar in zip(result.items(), (*BARS.get(name, (0, 0, 0)), 0), strict=True):
        print(f"  {what:<26} {value:5.2f}x" + (f"  (bar {bar})" if bar else ""))
    result["share of ceiling fp32"] = work / median["gptlib fp32"] / ceiling["float32"]
    result["share of ceiling bf16"] = work / median["gptlib bf16"] / ceiling["bfloat16"]
    if name in CEILING:
        print(f"  (share of the ceiling, one thread: bar {CEILING[name]:.0%})")
    return result


if __name__ == "__main__":
    main()
