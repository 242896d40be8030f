"""Print what a bug report should hold; run by `python course.py doctor`.

It changes nothing, and needs the standard library alone, so that it also works when .venv doesn't.
"""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from course import LOCK, LOG, PYTHON, ROOT, STAMP, wanted_stamp, works

SHOWN = ("torch", "numpy", "transformers", "tokenizers", "matplotlib", "jupyterlab", "ipywidgets")


def machine() -> list[str]:
    """The system, and what it has of everything that runs short."""
    lines = [
        f"Python     {platform.python_version()}, {sys.executable}",
        f"system     {platform.platform()}",
        f"processor  {processor()}, {os.cpu_count()} cores",
        f"disk       {shutil.disk_usage(ROOT).free / 1e9:.1f} GB free in {ROOT}",
    ]
    if hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        lines.insert(3, f"memory     {memory / 1e9:.1f} GB")
    return lines


def processor() -> str:
    """The processor's name where the system tells it, else its kind."""
    cpuinfo = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*: (.+)", cpuinfo.read_text()) if cpuinfo.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def installed() -> dict[str, str]:
    """Version by normalised name of every package that this Python finds."""
    return {
        re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower(): package.version
        for package in importlib.metadata.distributions()
    }


def compare(lock: str, found: dict[str, str]) -> list[str]:
    """One line on how many packages are as locked, then one for each that is not."""
    pins = re.findall(r"(?m)^([\w.-]+)==([^\s;]+)([^\n]*)", lock)
    wrong = []
    for name, version, marker in pins:
        there = found.get(name)
        if there is None and marker:
            continue  # it may be for another system
        # A build such as 2.13.0+cpu is as locked at 2.13.0.
        if there is None or there.split("+")[0] != version:
            wrong.append(f"{name}: locked {version}, installed {there or 'not'}")
    return [f"{len(pins) - len(wrong)} of {len(pins)} packages as locked", *wrong]


def main() -> None:
    print("\n".join(machine()))
    if not works(PYTHON):
        print(
            f".venv      none that works. `python course.py lab` makes it; {LOG} says how it went"
        )
        return
    complete = STAMP.is_file() and STAMP.read_text("utf-8") == wanted_stamp()
    print(f".venv      {'complete' if complete else 'unfinished, or for another lock or Python'}")
    found = installed()
    print("installed  " + ", ".join(f"{name} {found[name]}" for name in SHOWN if name in found))
    print("\n".join(f"           {line}" for line in compare(LOCK.read_text("utf-8"), found)))
    print(flush=True)
    done = subprocess.run([sys.executable, "-m", "gptlib.device"], check=False)
    if done.returncode:
        print(f"devices    not measured: gptlib.device ended with code {done.returncode}")


if __name__ == "__main__":
    main()
