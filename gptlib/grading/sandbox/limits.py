"""What a sandboxed process may use, and how it is watched: all processes in it count together."""

import contextlib
import os
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and counts. Times by the clock are long, because a busy machine is slow."""

    cell_cpu: float = 60.0  # seconds of processor time in one cell
    cell_wall: float = 300.0  # and by the clock, for code that waits
    cpu: float = 300.0  # seconds of processor time for the whole notebook
    wall: float = 1200.0
    memory: int = 4 << 30
    files: int = 256 << 20  # all files together; they live in memory
    processes: int = 64  # threads count, too
    answers: int = 64 << 20  # bytes that come back
    attempts: int = 4  # a cell that ends the process is left out, and the notebook run again


@dataclass(frozen=True)
class Usage:
    """What a process and all below it have used so far."""

    cpu: float = 0.0
    memory: int = 0
    processes: int = 0


def usage(root: int) -> Usage:
    """Read from /proc; nothing where there is none, as on macOS and Windows."""
    stats = _stats()
    family, ticks = _family(root, stats), os.sysconf("SC_CLK_TCK") if stats else 1
    # Fields 14 to 17 of proc_pid_stat(5) are the times of the process and of its dead children,
    # field 20 its threads; counted from field 3, the first after the name.
    cpu = sum(int(n) for pid in family for n in stats[pid][11:15]) / ticks
    threads = sum(int(stats[pid][17]) for pid in family)
    return Usage(cpu, sum(map(_memory, family)), threads)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all below it, whatever signals they ignore.

    In a sandbox the first process takes all others with it: the kernel sees to that. Without one,
    what left the family and the process group is not found.
    """
    family = _family(process.pid, _stats()) if process.poll() is None else []
    for pid in family:
        _end(os.kill, pid)
    if os.name == "posix":
        _end(os.killpg, process.pid)
    process.kill()
    process.wait()


def _end(how: Callable[[int, int], None], pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        how(pid, signal.SIGKILL)


def _stats() -> dict[int, list[str]]:
    """The fields of /proc/PID/stat after the name, which may hold spaces and parentheses."""
    stats = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            stats[int(entry.parent.name)] = entry.read_text("ascii", "replace").rsplit(")", 1)[1]
        except OSError:  # it has ended
            continue
    return {pid: text.split() for pid, text in stats.items()}


def _family(root: int, stats: dict[int, list[str]]) -> list[int]:
    """A process and all below it; the first process of a sandbox adopts its orphans."""
    children = defaultdict(list)
    for pid, fields in stats.items():
        children[int(fields[1])].append(pid)
    family = [root] if root in stats else []
    for pid in family:
        family += children[pid]
    return family


def _memory(pid: int) -> int:
    """Bytes of a process that are its own: without files that are only mapped."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0
    kept = [line.split()[1] for line in lines if line.startswith(("RssAnon:", "RssShmem:"))]
    return 1024 * sum(map(int, kept))


def hold_down(limits: Limits) -> None:
    """Called in the child, before any code of others: what the kernel itself enforces."""
    try:
        import resource
    except ImportError:  # Windows
        return

    def limit(what: str, most: float) -> None:
        number = getattr(resource, f"RLIMIT_{what}", None)
        if number is None:
            return
        _, hard = resource.getrlimit(number)
        most = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some
            resource.setrlimit(number, (most, most))

    limit("CORE", 0)
    limit("CPU", limits.cpu + 10)
    limit("DATA", limits.memory)
    limit("AS", 4 * limits.memory)  # torch reserves far more addresses than memory
    limit("FSIZE", limits.files)
    limit("NOFILE", 512)
    limit("NPROC", limits.processes)
    score = Path("/proc/self/oom_score_adj")
    if score.exists():
        with contextlib.suppress(OSError):
            score.write_text("1000")  # where memory is short after all, this goes first
