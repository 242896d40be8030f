"""Readable against fused attention: time of forward and backward, and peak memory.

    python benchmarks/attention.py

Both paths run in turn, so that a busy machine slows both; medians of --repeat rounds.
"""

import argparse
import statistics
import time

import torch

from gptlib import GPTConfig, device
from gptlib.attention import CausalSelfAttention


def run(attention: CausalSelfAttention, x: torch.Tensor, backward: bool) -> float:
    """Seconds of one pass."""
    device.synchronize(x.device)
    start = time.perf_counter()
    out = attention(x)
    if backward:
        out.sum().backward()
    device.synchronize(x.device)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--device", default=None)
    arguments = parser.parse_args()
    where = device.choose(arguments.device).device
    config = GPTConfig.preset("gpt2")
    attention = CausalSelfAttention(config).to(where)
    print(f"GPT-2's attention (C=768, H=12), batch 2, {where}, {torch.get_num_threads()} threads")
    print(f"{'T':>5} {'pass':<9} {'readable':>10} {'fused':>10} {'ratio':>6}  readable keeps")
    for T in (64, 256, 1024):
        x = torch.randn(2, T, config.n_embd, device=where, requires_grad=True)
        for name, backward in (("forward", False), ("and back", True)):
            seconds: dict[bool, list[float]] = {False: [], True: []}
            for _ in range(arguments.repeat + 1):  # the first round warms up
                for fused in seconds:
                    attention.fused = fused
                    seconds[fused].append(run(attention, x, backward))
            readable, fast = (statistics.median(s[1:]) for s in seconds.values())
            kept = 2 * config.n_head * T * T * 4 / 2**20
            print(
                f"{T:>5} {name:<9} {readable * 1e3:>7.1f} ms {fast * 1e3:>7.1f} ms "
                f"{readable / fast:>6.2f}  {kept:.1f} MiB"
            )


if __name__ == "__main__":
    main()
