"""Generation with a cache beside transformers' `generate`, and the first words of a script.

    python -m benchmarks.generation [--threads 1] [--json FILE] [--save]

Greedy, from a prompt of 4 tokens, random weights: speed does not depend on what they say. All
run in turn, so that a busy machine slows all alike; the figures are medians over --repeat rounds
after one that warms up. One thread is timed in CPU seconds of this process, which a busy
neighbour disturbs least, more threads in seconds. Ratios are to transformers in float32. --save
keeps them for the README's table.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.record import save
from gptlib import GPT, GPTConfig, packed
from gptlib.pretrained import config_to_json
from gptlib.sampling import Decoder, generate

SHAPES: dict[str, dict[str, int]] = {
    "L6 C384": {"n_layer": 6, "n_head": 6, "n_embd": 384, "n_positions": 256, "vocab_size": 512},
    "124M": {},
}
TOKENS = {"L6 C384": 100, "124M": 48}  # in a round
PROMPT = 4  # as many as "Once upon a time"
# How many times faster than transformers in float32, by batch and format.
BARS = {1: {"float32": 2.0, "bfloat16": 2.5, "int8": 4.0}, 8: {"bfloat16": 2.2}}
STREAMING = 0.50  # share of the time that reading the bfloat16 weights once would take
FIRST_WORDS = 0.5  # seconds over importing torch
Run = Callable[[], object]

IMPORT = "import torch"
SCRIPT = """
import gptlib
from gptlib.sampling import complete
from gptlib.tokenizer import Tokenizer
model = gptlib.load("story-gpt")
tokenizer = Tokenizer.load(gptlib.model_path("story-gpt"))
text = complete(model, tokenizer, "Once upon a time", max_new_tokens=50, seed=0, stop_tokens=())
"""


def clock() -> float:
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def theirs(config: GPTConfig, idx: torch.Tensor, n: int, dtype: torch.dtype) -> Run:
    import transformers

    settings = transformers.GPT2Config(
        **config_to_json(config), bos_token_id=None, eos_token_id=None
    )
    model = transformers.GPT2LMHeadModel(settings).to(dtype).eval()
    mask = torch.ones_like(idx)
    return lambda: model.generate(
        idx, attention_mask=mask, do_sample=False, max_new_tokens=n, min_new_tokens=n,
        pad_token_id=0,
    )  # fmt: skip


def ours(model: GPT | Decoder, idx: torch.Tensor, n: int) -> Run:
    return lambda: generate(model, idx, max_new_tokens=n, greedy=True)


def in_turn(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Seconds of each run, round by round, after a round that warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            begin = clock()
            run()
            seconds[name].append(clock() - begin)
    return {name: found[1:] for name, found in seconds.items()}


def bandwidth() -> float:
    """Bytes a second that memory gives: the best of several sums of 256 MiB on huge pages."""
    numbers = packed.on_huge_pages(torch.ones(2**26))
    seconds = []
    for _ in range(8):
        begin = clock()
        numbers.sum()
        seconds.append(clock() - begin)
    return numbers.numel() * 4 / min(seconds)


def measure(shape: str, batch: int, rounds: int) -> dict[str, Any]:
    """The table of one shape and batch, printed, and its figures."""
    config = GPTConfig(**SHAPES[shape])
    n = TOKENS[shape]
    torch.manual_seed(0)
    idx = torch.randint(config.vocab_size, (batch, PROMPT))
    model = GPT(config).eval()
    runs = {
        "transformers float32": theirs(config, idx, n, torch.float32),
        "transformers bfloat16": theirs(config, idx, n, torch.bfloat16),
        "GPT float32": ours(model, idx, n),
    }
    for format in packed.INSTRUCTIONS:
        decoder = Decoder(model, format)
        if decoder.format == format:
            runs[f"Decoder {format}"] = ours(decoder, idx, n)
        else:
            print(f"this CPU has no instructions for {format}")
    seconds = in_turn(runs, rounds)
    ms = {name: statistics.median(found) / n * 1e3 for name, found in seconds.items()}
    base = seconds["transformers float32"]
    result: dict[str, Any] = {"shape": shape, "batch": batch, "ms_per_token": ms, "ratio": {}}
    print(f"\n{shape}, batch {batch}: ms a step, times transformers float32")
    for name, found in seconds.items():
        # Round by round, so that a round slowed by a neighbour does not count twice.
        ratio = statistics.median(b / own for b, own in zip(base, found, strict=True))
        result["ratio"][name] = ratio
        kind, _, format = name.partition(" ")
        bar = BARS.get(batch, {}).get(format) if kind == "Decoder" else None
        print(f"  {name:<22} {ms[name]:>8.2f} {ratio:>6.2f}x" + (f"  bar {bar}x" if bar else ""))
    if shape == "124M" and batch == 1 and "Decoder bfloat16" in ms:
        limit = 2 * config.num_parameters / bandwidth() * 1e3
        result["streaming_share"] = limit / ms["Decoder bfloat16"]
        print(
            f"  reading the bfloat16 weights takes {limit:.2f} ms: decoding reaches "
            f"{result['streaming_share']:.0%} of that limit, bar {STREAMING:.0%}"
        )
    return result


def first_words(rounds: int) -> dict[str, float]:
    """Seconds from start to end: importing torch, and a script that writes 50 tokens."""
    seconds: dict[str, list[float]] = {IMPORT: [], SCRIPT: []}
    for _ in range(rounds + 1):
        for code, found in seconds.items():
            tell = f"{code}\nimport time; print(time.process_time())"
            begin = time.perf_counter()
            command = [sys.executable, "-c", tell]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            wall = time.perf_counter() - begin
            found.append(float(done.stdout) if torch.get_num_threads() == 1 else wall)
    imports, script = (statistics.median(found[1:]) for found in seconds.values())
    kind = "CPU seconds" if torch.get_num_threads() == 1 else "seconds"
    print(
        f"\nfirst 50 tokens of a script, import and load included: {script:.2f} {kind}; "
        f"importing torch: {imports:.2f}; over it: {script - imports:.2f}, bar {FIRST_WORDS}"
    )
    return {"import_torch": imports, "script": script, "over": script - imports}


def main() -> None:
    plain = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--shape", choices=[*SHAPES, "none"], help="only this one")
    parser.add_argument("--batch", type=int, choices=sorted(BARS), help="only this one")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--save", action="store_true", help="keep them in benchmarks/results")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads")
    tables = [
        measure(shape, batch, options.repeat)
        for shape in ([options.shape] if options.shape else SHAPES)
        for batch in ([options.batch] if options.batch else BARS)
        if shape != "none"
    ]
    results = {
        "torch": torch.__version__,
        "threads": options.threads,
        "tables": tables,
        "first_words": first_words(options.repeat),
    }
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if options.save:
        kept: dict[str, Any] = {"first words": results["first_words"]}
        for table in tables:
            more = {key: table[key] for key in ("streaming_share",) if key in table}
            batches = kept.setdefault(table["shape"], {})
            batches[f"batch {table['batch']}"] = table["ratio"] | more
        save("generation", {f"threads {options.threads}": kept})


if __name__ == "__main__":
    main()
