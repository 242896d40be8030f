"""The sandbox as a runner: starts the child, watches it, and keeps what comes back in time."""

import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from gptlib.grading.asking import Answer, Case, as_plain
from gptlib.grading.run import Run, checked
from gptlib.grading.sandbox import frames, isolation
from gptlib.grading.sandbox.child import pack_job
from gptlib.grading.sandbox.frames import Frame
from gptlib.grading.sandbox.limits import Limits, kill, usage

STEP = 0.25  # seconds between two looks at what is used
START_SECONDS = 600.0  # by the clock, for imports: no work of a student's


class Refused(RuntimeError):
    """Nothing can be isolated here, and nobody said to go on without."""


@dataclass(frozen=True)
class Sandbox:
    """Runs a prepared notebook in a process of its own; see `gptlib.grading.run.Runner`.

    `trusted` runs it with all your rights, where it can't be isolated: for your own work alone.
    Raises `Refused` where it can't be isolated and is not trusted.
    """

    limits: Limits = field(default_factory=Limits)
    trusted: bool = False
    method: str = ""  # bwrap or unshare; the first of them that is there

    def __call__(self, notebook: NotebookNode, cases: Mapping[str, list[Case]]) -> Run:
        refused = isolation.refusal()
        if refused and not self.trusted:
            raise Refused(refused)
        cells = [
            (n, cell.source, checked(cell))
            for n, cell in enumerate(notebook.cells)
            if cell.cell_type == "code"
        ]
        answers: dict[str, list[Answer]] = {}
        errors: dict[int, str] = {}
        left_out: dict[int, str] = {}
        for _ in range(self.limits.attempts):
            asked = [cell for cell in cells if cell[0] not in left_out]
            job = pack_job(asked, {k: as_plain(v) for k, v in cases.items()}, self.limits)
            tried = _Attempt(self.limits, {n for n, _, _ in asked})
            with tempfile.TemporaryDirectory() as name:
                command = [sys.executable, "-m", "gptlib.grading.sandbox.child"]
                if not refused:
                    command = isolation.wrapped(command, Path(name), self.limits, self.method)
                tried.run(command, name, job)
            answers = tried.answers | answers
            errors = tried.errors | errors
            if tried.cell is None:
                break
            left_out[tried.cell] = tried.ended
        notes = {}
        for n, _, task in cells:
            if task and task not in answers:
                notes[task] = f"Nothing to judge: {_reason(n, errors, left_out)}."
        return Run(answers, notes, errors)


def _reason(n: int, errors: Mapping[int, str], left_out: Mapping[int, str]) -> str:
    """Why the check in cell `n` has no answer."""
    if n in left_out:
        return f"it {left_out[n]}"
    above = [cell for cell in left_out if cell < n]
    if above:
        return f"a cell above {left_out[max(above)]}"
    return errors.get(n, "its check did not run")


class _Attempt:
    """One process. `cell` is the cell that ended it before its time, and `ended` says how."""

    def __init__(self, limits: Limits, known: set[int]) -> None:
        self.limits, self.known = limits, known
        self.answers: dict[str, list[Answer]] = {}
        self.errors: dict[int, str] = {}
        self.cell: int | None = None
        self.ended = ""
        self.ready = False

    def run(self, command: list[str], folder: str, job: bytes) -> None:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=isolation.environment(),
            start_new_session=True,
        )
        frames_in: queue.Queue[Frame | str] = queue.Queue()
        complaints: list[bytes] = []
        threads = [
            threading.Thread(target=_write, args=(process, job), daemon=True),
            threading.Thread(target=_read, args=(process, self.limits, frames_in), daemon=True),
            threading.Thread(target=_complaints, args=(process, complaints), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._watch(process, frames_in)
        finally:
            kill(process)
            for thread in threads:
                thread.join(STEP)
        if not self.ready:
            said = b"".join(complaints).decode("utf-8", "replace").strip().splitlines()
            raise RuntimeError(f"the sandbox did not start: {said[-1] if said else self.ended}")

    def _watch(
        self, process: "subprocess.Popen[bytes]", frames_in: "queue.Queue[Frame | str]"
    ) -> None:
        limits = self.limits
        started = cell_started = time.monotonic()
        cell_cpu = 0.0
        while True:
            try:
                frame = frames_in.get(timeout=STEP)
            except queue.Empty:
                frame = None
            if isinstance(frame, str):
                self.ended = frame
                return
            if frame is not None:
                self._take(frame)
                if frame.kind == frames.DONE:
                    self.cell, self.ended = None, ""
                    return
                if frame.kind in (frames.CELL, frames.READY):
                    cell_started, cell_cpu = time.monotonic(), usage(process.pid).cpu
                continue
            used, now = usage(process.pid), time.monotonic()
            if not self.ready:
                if now - started > START_SECONDS:
                    self.ended = f"took more than {START_SECONDS:.0f} seconds to start"
                    return
                continue
            if used.cpu - cell_cpu > limits.cell_cpu:
                self.ended = f"computed for more than {limits.cell_cpu:.0f} seconds"
            elif now - cell_started > limits.cell_wall:
                self.ended = f"took more than {limits.cell_wall:.0f} seconds"
            elif used.cpu > limits.cpu or now - started > limits.wall:
                self.ended = "and others took more time than a notebook has"
            elif used.memory > limits.memory:
                self.ended = f"took more than {limits.memory / 2**30:.1f} GB of memory"
            elif used.processes > 2 * limits.processes:
                self.ended = f"started more than {limits.processes} processes"
            else:
                continue
            return

    def _take(self, frame: Frame) -> None:
        """Keep what a frame says, where it says something."""
        number = int(frame.name) if frame.name.isascii() and frame.name.isdigit() else None
        if frame.kind == frames.READY:
            self.ready = True
        elif frame.kind == frames.CELL and number in self.known:
            self.cell = number
        elif frame.kind == frames.ERROR and number in self.known:
            self.errors[number] = frames.unpack_error(frame.content)
        elif frame.kind == frames.ANSWERS:
            found = frames.unpack_answers(frame.content)
            if found is not None:
                self.answers[frame.name] = found


def _write(process: "subprocess.Popen[bytes]", job: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(job)
        process.stdin.close()
    except OSError:  # it ended before it had read all
        pass


def _read(
    process: "subprocess.Popen[bytes]", limits: Limits, into: "queue.Queue[Frame | str]"
) -> None:
    assert process.stdout is not None
    try:
        for frame in frames.receive(process.stdout, limits.answers):
            into.put(frame)
    except frames.Overflow:
        into.put(f"gave back more than {limits.answers / 2**20:.0f} MB")
    except (OSError, ValueError):
        pass
    into.put("ended the process")


def _complaints(process: "subprocess.Popen[bytes]", into: list[bytes]) -> None:
    """The first of what is said on standard error, as by a sandbox that can't start."""
    assert process.stderr is not None
    into.append(process.stderr.read(10_000))
    while process.stderr.read(10_000):
        pass
