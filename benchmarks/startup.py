"""How long imports and the second start of course.py take.

    python benchmarks/startup.py [rounds]

Every round starts each program once, in a new process, so that whatever else the machine does
falls on all alike; the first round only warms the disk's cache. The table shows medians: the time
from start to end, and the processor's time, which a busy machine changes less. The bars: gptlib's
model at most 0.1 s over torch, course.py at most 2 s before JupyterLab.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import course  # noqa: E402

IMPORTS = {
    "python alone": "pass",
    "import torch": "import torch",
    "import gptlib": "import gptlib",
    "import gptlib.model": "import gptlib, gptlib.model",
    "import gptlib.pretrained": "import gptlib, gptlib.pretrained",
    "import gptlib.storyworld": "import gptlib.storyworld",
}
TELL = "\nimport time; print(time.process_time())"
NOT_WANTED = ("transformers", "torch._dynamo", "matplotlib.pyplot")


def complete_course(folder: Path) -> list[str]:
    """A copy of course.py whose set-up is complete, and whose test does nothing."""
    for name in ("course.py", "requirements.lock", "pyproject.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / "tools").mkdir()
    (folder / "tools" / "test.py").write_text(TELL)
    venv = [sys.executable, "-m", "venv", "--without-pip", str(folder / ".venv")]
    subprocess.run(venv, check=True)
    own = [sys.executable, "-c", "import course; print(course.wanted_stamp(), end='')"]
    stamp = subprocess.run(own, cwd=folder, capture_output=True, check=True).stdout
    (folder / ".venv" / course.STAMP.name).write_bytes(stamp)
    return [sys.executable, str(folder / "course.py"), "test"]


def measure(command: list[str]) -> tuple[float, float]:
    """Seconds from start to end, and seconds of processor time as the program tells them."""
    start = time.perf_counter()
    done = subprocess.run(command, check=True, cwd=ROOT, capture_output=True, text=True)
    return time.perf_counter() - start, float(done.stdout)


def unwanted(code: str) -> list[str]:
    """Which of the modules that should stay out are imported by this code."""
    script = f"{code}\nimport sys\nprint(*[name for name in {NOT_WANTED} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def main(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        commands = {name: [sys.executable, "-c", code + TELL] for name, code in IMPORTS.items()}
        commands["course.py, second start"] = complete_course(Path(folder))
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, command in commands.items():
                pair = measure(command)
                if number:
                    measured[name].append(pair)
    print(f"medians of {rounds} rounds, {os.cpu_count()} cores\n")
    print(f"{'':25}{'time':>9}{'processor':>11}{'over torch':>12}  imported needlessly")
    torch = statistics.median(pair[1] for pair in measured["import torch"])
    for name, pairs in measured.items():
        wall, cpu = (statistics.median(column) for column in zip(*pairs, strict=True))
        needless = ", ".join(unwanted(IMPORTS[name])) if name in IMPORTS else ""
        over = f"{cpu - torch:+10.2f} s" if "gptlib" in name else " " * 12
        print(f"{name:25}{wall:7.2f} s{cpu:9.2f} s{over}  {needless}".rstrip())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
