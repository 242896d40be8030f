"""Building GPT-2 124M and loading its checkpoint: time, and peak memory against the weights.

    python benchmarks/model.py

Each measurement runs in a process of its own, because a peak never comes down again. The peak
is what the process adds to what was resident after the imports (Linux's VmHWM, which starts
afresh with each program); the peer is transformers.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gptlib

WEIGHTS = 124_439_808 * 4  # bytes

BEFORE = """
import json, re, sys, time
import torch
{imports}
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
start_memory, start = resident(), time.perf_counter()
"""
AFTER = """
seconds = time.perf_counter() - start
peak = int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024
peak -= start_memory
print(json.dumps([seconds, peak]))
"""
CASES = {
    "build, gptlib": ("import gptlib.model", "model = gptlib.GPT(gptlib.GPTConfig())"),
    "build, transformers": (
        "import transformers; transformers.GPT2LMHeadModel",
        "model = transformers.GPT2LMHeadModel(transformers.GPT2Config())",
    ),
    "load, gptlib": ("import gptlib.pretrained", "model = gptlib.load(sys.argv[1])"),
    "load, transformers": (
        "import transformers; transformers.GPT2LMHeadModel",
        "model = transformers.GPT2LMHeadModel.from_pretrained(sys.argv[1])",
    ),
    "load and read every weight, gptlib": (
        "import gptlib.pretrained",
        "model = gptlib.load(sys.argv[1]); total = sum(p.sum() for p in model.parameters())",
    ),
}


def measure(imports: str, work: str, folder: str) -> tuple[float, float]:
    """Seconds, and peak bytes beyond what was resident before."""
    script = BEFORE.format(imports=imports) + work + AFTER
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, folder],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def main() -> None:
    if sys.platform != "linux":
        sys.exit("benchmarks/model.py reads /proc, which only Linux has")
    with tempfile.TemporaryDirectory() as folder:
        gptlib.save(gptlib.GPT(gptlib.GPTConfig()), Path(folder))
        print(f"GPT-2 124M: weights {WEIGHTS / 2**20:.0f} MiB; best of 3 in time, worst in memory")
        print(f"{'':<36} {'seconds':>8} {'peak / weights':>15}")
        for name, (imports, work) in CASES.items():
            runs = [measure(imports, work, folder) for _ in range(3)]
            seconds, peak = min(s for s, _ in runs), max(p for _, p in runs)
            print(f"{name:<36} {seconds:>8.2f} {peak / WEIGHTS:>15.2f}")


if __name__ == "__main__":
    main()
