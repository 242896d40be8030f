"""Peak memory of training, each library in a process of its own.

    python -m benchmarks.memory --nanogpt FOLDER [--shape b] [--json FILE] [--save]

FOLDER holds nanoGPT's model.py. The peak is the process's largest resident size after three steps
(benchmarks/training.py's), less its size before the model was built. --save keeps the figures for
the README's table.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks.record import save

ROOT = Path(__file__).resolve().parent.parent
RUN = """
import resource, sys
sys.path[:0] = [{nanogpt!r}, {root!r}]
import torch
from benchmarks import training
torch.set_num_threads(1)
shape = training.SHAPES[{shape!r}]
size = (shape["batch"], shape["length"])
batch = tuple(torch.randint(shape["vocab_size"], size) for _ in range(2))
import transformers.models.gpt2.modeling_gpt2, torch._dynamo
training.gptlib(training.SHAPES["a"], tuple(t[:12, :64] % 65 for t in batch), "float32")()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
step = {step}
for _ in range(3):
    step()
print("KiB", before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
CONTESTANTS = {
    "gptlib fp32": "training.gptlib(shape, batch, 'float32')",
    "gptlib bf16": "training.gptlib(shape, batch, 'bfloat16')",
    "nanoGPT fp32": "training.nanogpt(shape, batch, 'float32', False)",
    "nanoGPT bf16": "training.nanogpt(shape, batch, 'bfloat16', False)",
    "transformers fp32": "training.transformers(shape, batch, 'float32')",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nanogpt", type=Path, required=True, help="folder of its model.py")
    parser.add_argument("--shape", default="b")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    parser.add_argument("--save", action="store_true", help="keep them in benchmarks/results")
    options = parser.parse_args()
    print(f"shape {options.shape}: MiB that training adds to a process")
    found = {}
    for name, step in CONTESTANTS.items():
        program = RUN.format(
            root=str(ROOT), nanogpt=str(options.nanogpt), shape=options.shape, step=step
        )
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
        line = next(line for line in done.stdout.splitlines() if line.startswith("KiB"))
        before, peak = map(int, line.split()[1:])
        found[name] = (peak - before) / 1024
        print(f"  {name:<18} {found[name]:8.0f}")
    if options.json:
        options.json.write_text(json.dumps({options.shape: found}, indent=2) + "\n", "utf-8")
    if options.save:
        save("memory", {options.shape: found})


if __name__ == "__main__":
    main()
