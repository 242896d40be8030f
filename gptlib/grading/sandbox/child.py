"""The sandboxed process: runs the cells of a notebook and sends what their functions answer.

Everything in here may be changed by the code that it runs. So nothing in here knows what is right,
and nothing that it sends is trusted.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from gptlib import grading
from gptlib.grading import values
from gptlib.grading.learner import RECORD, check
from gptlib.grading.sandbox import frames
from gptlib.grading.sandbox.isolation import ANSWERS
from gptlib.grading.sandbox.limits import Limits, hold_down

RunCell = Callable[[str], Any]


def main() -> None:
    """Read a job from standard input, send frames to standard output."""
    job = frames.unpack(sys.stdin.buffer.read())
    channel = _take_standard_output()
    folder = Path(tempfile.mkdtemp(dir=ANSWERS if os.path.isdir(ANSWERS) else None))
    _leave_cases(folder, job["cases"])
    run_cell = _shell(folder).run_cell
    hold_down(Limits(**job["limits"]))
    frames.send(channel, frames.READY)
    again = []
    for n, source, task in job["cells"]:
        if not _run(run_cell, channel, folder, n, source, task):
            again.append((n, source, task))
    # A check that stands above what it checks gets another chance.
    for n, source, task in again:
        _run(run_cell, channel, folder, n, source, task)
    frames.send(channel, frames.DONE)
    os._exit(0)  # whatever threads and handlers are left


def _take_standard_output() -> IO[bytes]:
    """The pipe to the grader; what notebooks print goes nowhere from now on."""
    channel = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    return channel


def _leave_cases(folder: Path, cases: dict[str, Any]) -> None:
    for task, asked in cases.items():
        values.save(folder / f"{task}.cases", asked)
    os.environ[RECORD] = str(folder)


def _shell(folder: Path) -> Any:
    """IPython without a kernel: magics, `display` and `await` work, and no traceback is made."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    os.environ["IPYTHONDIR"] = str(folder)
    config = Config(
        {"HistoryManager": {"enabled": False}, "InteractiveShell": {"colors": "nocolor"}}
    )
    shell: Any = InteractiveShell.instance(config=config)
    shell.system = shell.system_raw  # the other way needs a terminal
    for name in ("showtraceback", "showsyntaxerror", "enable_gui"):
        setattr(shell, name, lambda *_, **__: None)
    return shell


def _run(
    run_cell: RunCell, channel: IO[bytes], folder: Path, n: int, source: str, task: str | None
) -> bool:
    """Run one cell. False where it should have left an answer and did not."""
    frames.send(channel, frames.CELL, str(n))
    if task:
        grading.check = check  # whatever a cell above has put in its place
    try:
        result = run_cell(source)
        error = result.error_before_exec or result.error_in_exec
    except BaseException as raised:
        error = raised
    if error is not None:
        frames.send(channel, frames.ERROR, str(n), _describe(error))
    if not task:
        return True
    left = folder / f"{task}.answers"
    if left.is_file():
        frames.send(channel, frames.ANSWERS, task, left.read_bytes())
    return left.is_file()


def _describe(error: BaseException) -> bytes:
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:  # an error that can't even say what it is
        text = type(error).__name__
    return text.split("\n")[0][:1000].encode("utf-8", "replace")


def pack_job(
    cells: list[tuple[int, str, str | None]], cases: dict[str, Any], limits: Limits
) -> bytes:
    """What `main` reads."""
    return frames.pack(
        {"cells": [list(cell) for cell in cells], "cases": cases, "limits": vars(limits)}
    )


if __name__ == "__main__":
    main()
