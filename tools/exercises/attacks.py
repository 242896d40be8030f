"""Programs that try to cheat or to break out: each is graded in the sandbox, and a page written.

A program is a file in tests/exercises/hostile. It stands in place of exercise 02.1; behind it come
the right answer to 02.2 and nothing else. So it should get no point, unless its first lines say
otherwise, and should cost none of 02.2's.
"""

import re
import secrets
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat

from gptlib.grading import report, tasks
from gptlib.grading.sandbox import Limits, Sandbox
from tools.exercises import notebook, sets
from tools.exercises.expect import expectations

FOLDER = sets.ROOT / "tests" / "exercises" / "hostile"
PAGE = sets.ROOT / "docs" / "attacks.md"
SET = "02_attention"
_one_at_a_time = threading.Lock()
JOBS = 4  # many programs only wait for their end
# Small, so that a program that never ends does so soon. By the clock they are long: honest cells
# must end in time on a busy machine.
LIMITS = Limits(
    cell_cpu=6.0, cell_wall=60.0, cpu=60.0, wall=600.0,
    memory=3 << 29, files=64 << 20, processes=64, answers=8 << 20, attempts=3,
)  # fmt: skip
_HEAD = """\
# Programs that try to cheat or to break out

Each of these stands in place of the answer to 02.1, before a right answer to 02.2, and is graded as
an instructor would: in the sandbox, on secret inputs. None gains a point that it should not have,
none costs one that was earned, none is left running, and nothing outside is changed.

Written by `python -m tools.exercises --attacks`; the tests hold it to date.

| program | what it does | 02.1 | 02.2 |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Program:
    """One program, and what it should get: points by task where they are not as usual."""

    name: str
    does: str
    source: str
    points: dict[str, int]


@dataclass(frozen=True)
class Attack:
    """What came of it."""

    program: Program
    points: dict[str, int]
    notes: dict[str, str]

    def __str__(self) -> str:
        name, does = self.program.name.replace("_", " "), self.program.does
        return f"| {name} | {does} | {self.points['02.1']} of 12 | {self.points['02.2']} of 14 |"


def programs() -> list[Program]:
    """All programs, by name."""
    return [_read(path) for path in sorted(FOLDER.glob("*.py"))]


def _read(path: Path) -> Program:
    source = path.read_text("utf-8")
    says = source.split('"""')[1]
    stated = re.findall(r"^([\d.q]+): (\d+) points$", says, re.MULTILINE)
    words = tasks.find("02.2")[0].tasks
    usual = {task.id: 14 if task.id == "02.2" else 0 for task in words}
    points = usual | {task_id: int(number) for task_id, number in stated}
    return Program(path.stem, says.splitlines()[0], source, points)


def run(program: Program, canary: str = "/tmp/canary", port: int = 9, method: str = "") -> Attack:
    """Grade one program; `canary` and `port` are put where it names them."""
    source = program.source.replace("CANARY", canary).replace("PORT", str(port))
    solution = notebook.notebook(sets.load_set(SET), "solution")
    cells = {cell.id: cell for cell in solution.cells}
    kept = [cell for cell in solution.cells if cell.cell_type == "code"][:1]
    kept += [cells[f"02-1-{each}"] for each in ("solution", "check")]
    kept += [cells[f"02-2-{each}"] for each in ("solution", "check")]
    kept[1].source = source
    submission = nbformat.v4.new_notebook(cells=kept)
    verdicts, ran = report.judged(
        submission, tasks.find("02.1")[0], _secret, Sandbox(LIMITS, method=method)
    )
    return Attack(program, {v.task.id: v.points for v in verdicts}, ran.notes)


def _secret(every: tasks.Set, exercise: tasks.Exercise) -> tasks.Expectations:
    with _one_at_a_time:  # drawing asks the reference, for which standard output is redirected
        return _drawn(every.name, exercise.id)


@cache
def _drawn(name: str, task_id: str) -> tasks.Expectations:
    return expectations(sets.load_set(name).exercises[task_id], secrets.token_hex(8))


def page(attacks: Iterable[Attack]) -> str:
    """docs/attacks.md."""
    rows = [str(attack) for attack in attacks]
    return _HEAD + "\n".join(rows) + f"\n\n{len(rows)} programs.\n"


def write(path: Path = PAGE) -> None:
    """Run every program, a few at a time, and write the page."""
    attacks = []
    with ThreadPoolExecutor(JOBS) as pool:
        for attack in pool.map(run, programs()):
            attacks.append(attack)
            print(attack, flush=True)
    path.write_text(page(attacks), "utf-8", newline="\n")
