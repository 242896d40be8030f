"""Measure what the chapters' trained figures come out as, over seeds: `sources/expected.json`.

    python -m tools.expected 05_pretraining    # a few minutes; more with --seeds 5

Training differs by seed and by machine. So a chapter states a range for each figure, in a
dictionary EXPECTED, and tests/notebooks/test_expected.py holds the ranges to this file.
"""

import argparse
import json
import math
import os
from typing import Any

from tools.build import ROOT
from tools.sources import BuildError, Source, read_source

FILE = ROOT / "sources" / "expected.json"


def measure(source: Source, cells: list[str], figures: list[str], seed: int) -> dict[str, float]:
    """The figures after the named cells ran, in the source's order, with its SEED set to `seed`.

    Raises `BuildError` for a cell or a figure that the source does not have.
    """
    names = {cell.name for cell in source.cells}
    if missing := [name for name in cells if name not in names]:
        raise BuildError(f"{source.label}: no cell is named {', '.join(missing)}")
    space: dict[str, Any] = {"__name__": "__main__"}
    for cell in source.cells:
        if cell.name in cells:
            exec(compile(cell.text, f"{source.label}:{cell.name}", "exec"), space)
            # A range that is measured anew must not be asserted meanwhile.
            space |= {"SEED": seed, "EXPECTED": dict.fromkeys(figures, (-math.inf, math.inf))}
    if missing := [name for name in figures if name not in space]:
        raise BuildError(f"{source.label}: its cells make no {', '.join(missing)}")
    return {name: float(space[name]) for name in figures}


def main() -> None:
    """Measure one chapter's figures and write them into the file."""
    known = json.loads(FILE.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(prog="python -m tools.expected", description=__doc__)
    parser.add_argument("chapter", choices=sorted(known))
    parser.add_argument("--seeds", type=int, default=3, help="how many (default: 3)")
    arguments = parser.parse_args()
    entry = known[arguments.chapter]
    source = read_source(ROOT / "sources" / "chapters" / f"{arguments.chapter}.py", ROOT)
    os.chdir(ROOT / "chapters")  # where notebooks run
    runs = [
        measure(source, entry["cells"], list(entry["figures"]), seed)
        for seed in range(arguments.seeds)
    ]
    entry["figures"] = {name: [round(run[name], 4) for run in runs] for name in entry["figures"]}
    FILE.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8", newline="\n")
    for name, values in entry["figures"].items():
        print(f"{name}: {min(values)} to {max(values)} over {len(values)} seeds")


if __name__ == "__main__":
    main()
