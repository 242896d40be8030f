"""Run every check of the course, stage by stage; run by `python course.py test`.

All stages run, also after one has failed. At the end stand the time of each and the counts of
all tests, where a program that is no test runner (ruff, mypy) counts as one.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from course import CACHE, ROOT

REPORT = CACHE / "tests.xml"
PATHS = ("gptlib", "tools", "tests", "sources", "course.py", "benchmarks")
MOST_WORKERS = 4  # each may hold a gigabyte: torch, a model, a browser
IMPORT_LINTER = "from importlinter.cli import lint_imports_command as main; main()"


def stages(quick: bool, extra: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The name and the command of each stage."""
    python = [sys.executable, "-m"]
    code = [path for path in PATHS if (ROOT / path).exists()]
    yield "ruff check", [*python, "ruff", "check", *code]
    yield "ruff format", [*python, "ruff", "format", "--check", *code]
    yield "import-linter", [sys.executable, "-c", IMPORT_LINTER]
    yield "mypy", [*python, "mypy"]
    # A file stays on one worker: a notebook's cells follow each other, fixtures are made once.
    parallel = ["-n", str(workers()), "--dist", "loadfile", "--no-loadscope-reorder"]
    pytest = [*python, "pytest", *parallel, f"--junitxml={REPORT}"]
    yield "pytest", [*pytest, *(["-m", "not slow"] if quick else []), *extra]
    # Exercises raise until they are solved; tests/exercises runs their solutions.
    if any((ROOT / "chapters").rglob("*.ipynb")) and not quick:
        yield "notebooks", [*pytest, "--nbval", "chapters"]


def workers() -> int:
    """How many tests run at once: one for each core that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def environment() -> dict[str, str]:
    """No hub, and none of the settings that change what a person's notebooks print.

    One thread for each program: with more, small tensors wait longer for each other than they
    compute, above all on a busy machine.
    """
    own = {"IPYTHONDIR": str(CACHE / "ipython"), "JUPYTER_CONFIG_DIR": str(CACHE / "jupyter")}
    return {"OMP_NUM_THREADS": "1", **os.environ, "HF_HUB_OFFLINE": "1", **own}


def count(report: Path, code: int) -> tuple[int, int, int]:
    """Passed, failed and skipped tests of a stage that ended with this exit code."""
    if not report.exists():
        return (0, 1, 0) if code else (1, 0, 0)
    suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    ran, failures, errors, skipped = (
        sum(int(suite.attrib[key]) for suite in suites)
        for key in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    # Pytest also fails without a failed test: none was found, or it could not start.
    return ran - failed - skipped, failed or int(code != 0), skipped


def run(quick: bool, extra: list[str]) -> int:
    rows, totals = [], [0, 0, 0]
    for name, command in stages(quick, extra):
        print(f"\n=== {name}", flush=True)
        REPORT.unlink(missing_ok=True)
        start = time.perf_counter()
        done = subprocess.run(
            command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, check=False
        )
        counts = count(REPORT, done.returncode)
        rows.append((name, "FAILED" if counts[1] else "passed", time.perf_counter() - start))
        totals = [total + new for total, new in zip(totals, counts, strict=True)]
    print(f"\n{'stage':14} {'result':6} {'seconds':>8}")
    for name, result, seconds in [*rows, ("total", "", sum(row[2] for row in rows))]:
        print(f"{name:14} {result:6} {seconds:8.1f}")
    print("\n{} passed, {} failed, {} skipped".format(*totals), flush=True)
    return 1 if totals[1] else 0


def main(arguments: list[str]) -> int:
    own, extra = arguments, []
    if "--" in arguments:
        cut = arguments.index("--")
        own, extra = arguments[:cut], arguments[cut + 1 :]
    if own not in ([], ["--quick"]):
        print("course.py test: takes --quick and, after --, pytest's arguments", file=sys.stderr)
        return 2
    CACHE.mkdir(exist_ok=True)
    try:
        return run(bool(own), extra)
    except KeyboardInterrupt:
        print("\ncourse.py: stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
