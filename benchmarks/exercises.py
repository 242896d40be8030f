"""How long `check` takes to answer, for the solution of every exercise.

python benchmarks/exercises.py
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch

from gptlib.grading import check
from tools.exercises import sets

REPEATS = 11


def main() -> None:
    torch.set_num_threads(1)
    medians = []
    print("exercise   first ms   median ms   of which this process ran")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GPTLIB_PROGRESS"] = str(Path(folder) / "progress.json")
        for name in sets.find_sets():
            for task_id, exercise in sets.load_set(name).exercises.items():
                times, own = [], []
                for _ in range(REPEATS):
                    started, ran = time.perf_counter(), time.process_time()
                    assert check(task_id, *exercise.targets).passed
                    times.append(1e3 * (time.perf_counter() - started))
                    own.append(1e3 * (time.process_time() - ran))
                medians.append(statistics.median(times))
                ran = statistics.median(own)
                print(f"{task_id:<9} {times[0]:>9.1f} {medians[-1]:>11.1f} {ran:>11.1f}")
    print(f"{'median':<9} {statistics.median(medians):>21.1f}")


if __name__ == "__main__":
    main()
