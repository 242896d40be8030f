"""A class of made-up submissions, taken through nbgrader's own commands: what must each get?

    python -m tools.exercises.classroom 30 FOLDER

Every submission has solved some tasks, and some are damaged; so its grade is known beforehand.
"""

import csv
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gptlib.grading import tasks
from tools.exercises import notebook, sets

SET = "02_attention"
CONFIG = sets.ROOT / "exercises" / "nbgrader"
CELL_SECONDS = 10  # of processor time, for cells that never end
TASKS = {task.id: task.points for task in tasks.find("02.1")[0].tasks}


@dataclass(frozen=True)
class Submission:
    """What a student handed in: the tasks that are solved, and what was done to the notebook."""

    student: str
    solved: tuple[str, ...]
    damages: tuple[str, ...] = ()

    @property
    def points(self) -> int:
        """What it is worth: a damage costs only the tasks whose answer it destroys."""
        if "cut off" in self.damages:
            return 0
        lost = {task_id for damage in self.damages for task_id in DAMAGES[damage].costs}
        return sum(TASKS[task_id] for task_id in self.solved if task_id not in lost)

    def text(self) -> str:
        """The file."""
        definitions = sets.load_set(SET)
        book = notebook.notebook(definitions, "learner")
        right = {c.id: c for c in notebook.notebook(definitions, "solution").cells}
        for cell in book.cells:
            task_id = cell.id.rsplit("-", 1)[0].replace("-", ".", 1)
            if task_id in self.solved and cell.id.endswith(("-solution", "-answer")):
                cell.source = right[cell.id].source
        for damage in self.damages:
            DAMAGES[damage].do(book)
        text = nbformat.writes(book)
        return text[: len(text) // 2] if "cut off" in self.damages else text


@dataclass(frozen=True)
class Damage:
    """A change of a notebook, and the tasks whose answer is gone with it."""

    do: Callable[[NotebookNode], None]
    costs: tuple[str, ...] = field(default=())


def _place(book: NotebookNode, name: str) -> int:
    return next(n for n, cell in enumerate(book.cells) if cell.id == name)


def _delete_check(book: NotebookNode) -> None:
    del book.cells[_place(book, "02-1-check")]


def _delete_solution(book: NotebookNode) -> None:
    del book.cells[_place(book, "02-4-solution")]


def _double_cells(book: NotebookNode) -> None:
    for name in ("02-1-solution", "02-2-check"):
        n = _place(book, name)
        book.cells.insert(n, nbformat.from_dict(dict(book.cells[n])))


def _edit_check(book: NotebookNode) -> None:
    book.cells[_place(book, "02-3-check")].source = "print('full marks, please')"


def _move_check(book: NotebookNode) -> None:
    book.cells.insert(1, book.cells.pop(_place(book, "02-6-check")))


def _lose_metadata(book: NotebookNode) -> None:
    for cell in book.cells:
        cell.metadata = {}


def _garble_metadata(book: NotebookNode) -> None:
    checks = [cell for cell in book.cells if cell.id.endswith("-check")]
    checks[0].metadata.nbgrader["points"] = 1000
    checks[1].metadata.nbgrader["schema_version"] = 99
    checks[2].metadata["nbgrader"] = {"schema_version": 0}
    checks[3].metadata["nbgrader"] = 5
    checks[4].metadata.nbgrader["locked"] = False


def _odd_kernel(book: NotebookNode) -> None:
    book.metadata["kernelspec"] = {
        "name": "julia-1.9",
        "display_name": "Julia",
        "language": "julia",
    }
    book.metadata["language_info"] = {"name": "julia"}


def _huge_output(book: NotebookNode) -> None:
    output = nbformat.v4.new_output("stream", name="stdout", text="x" * 30_000_000)
    book.cells[_place(book, "02-2-solution")].outputs = [output]


def _other_kind(book: NotebookNode) -> None:
    n = _place(book, "02-5-check")
    book.cells[n] = nbformat.v4.new_markdown_cell(
        book.cells[n].source, id="02-5-check", metadata=book.cells[n].metadata
    )


def _never_end(book: NotebookNode) -> None:
    book.cells[_place(book, "02-3-solution")].source += "\nwhile True:\n    pass"


def _end_process(book: NotebookNode) -> None:
    book.cells[_place(book, "02-5-solution")].source += "\nimport os\nos._exit(0)"


def _warn(book: NotebookNode) -> None:
    cell = book.cells[_place(book, "02-1-solution")]
    cell.source += "\nimport warnings, sys\nwarnings.warn('old')\nprint('!', file=sys.stderr)"


def _want_more(book: NotebookNode) -> None:
    attack = (
        "import glob, sqlite3, torch\n"
        "torch.allclose = lambda *_, **__: True\n"
        "for path in glob.glob('/**/gradebook.db', recursive=True):\n"
        "    sqlite3.connect(path).execute('UPDATE grade SET auto_score = 100')"
    )
    book.cells.insert(2, nbformat.v4.new_code_cell(attack))


DAMAGES = {
    "check deleted": Damage(_delete_check),
    "solution deleted": Damage(_delete_solution, ("02.4",)),
    "cells doubled": Damage(_double_cells),
    "check edited": Damage(_edit_check),
    "check moved up": Damage(_move_check),
    "metadata lost": Damage(_lose_metadata),
    "metadata garbled": Damage(_garble_metadata),
    "odd kernel": Damage(_odd_kernel),
    "huge output": Damage(_huge_output),
    "check made text": Damage(_other_kind),
    "never ends": Damage(_never_end, ("02.3",)),
    "ends the process": Damage(_end_process, ("02.5",)),
    "warns": Damage(_warn),
    "wants the gradebook": Damage(_want_more),
    "cut off": Damage(lambda book: None, tuple(TASKS)),
}


def submissions(count: int) -> Iterator[Submission]:
    """A class of this size. In a large one 12 are damaged in one or two ways; in a small one 5."""
    every, names = tuple(TASKS), list(DAMAGES)
    groups = SMALL if count < 30 else [names[n::12] for n in range(12)]
    for n, damages in enumerate(groups):
        solved = every if n % 3 else every[1:]
        yield Submission(f"damaged{n:02}", solved, tuple(damages))
    for n in range(count - len(groups)):
        solved = (every, (), every[::2])[n] if n < 3 else tuple(every[i] for i in _some(n))
        yield Submission(f"sound{n:02}", solved)


def _some(n: int) -> list[int]:
    return [i for i in range(len(TASKS)) if (n >> i % 4) & 1 or (n * i) % 3 == 1]


SMALL = (
    ("check deleted", "solution deleted", "cells doubled", "check edited", "check moved up"),
    ("metadata garbled", "odd kernel", "huge output", "check made text"),
    ("never ends", "warns"),
    ("ends the process", "wants the gradebook", "metadata lost"),
    ("cut off",),
)


class Class:
    """A folder with a class in it, and nbgrader's commands."""

    def __init__(self, folder: Path, gradebook: str = "") -> None:
        self.folder, self.exchange = folder / "class", folder / "exchange"
        for each in (self.folder, self.exchange):
            each.mkdir(parents=True)
        self.exchange.chmod(0o777)
        self.environment = {
            **os.environ,
            "CLASS": str(self.folder),
            "EXCHANGE": str(self.exchange),
            "CELL_SECONDS": str(CELL_SECONDS),
            "OMP_NUM_THREADS": "1",
            "PYTHONWARNINGS": "ignore",
            # nbgrader starts alembic by its name.
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **({"GRADEBOOK": gradebook} if gradebook else {}),
        }

    def command(self, *arguments: str) -> list[str]:
        """nbgrader, as an instructor calls it in the folder of its configuration."""
        return [sys.executable, "-m", "nbgrader", *arguments]

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Call nbgrader, and wait until it has ended."""
        return subprocess.run(
            self.command(*arguments),
            cwd=CONFIG,
            env=self.environment,
            capture_output=True,
            text=True,
        )

    def hand_in(self, every: list[Submission]) -> None:
        """Lay submissions into the exchange, named as `nbgrader submit` names them."""
        for n, each in enumerate(every):
            when = datetime(2026, 11, 2, 12) + timedelta(minutes=n)
            stamp = f"{when:%Y-%m-%d %H:%M:%S.%f} UTC"
            folder = self.exchange / "gpt" / "inbound" / f"{each.student}+{SET}+{stamp}"
            folder.mkdir()
            (folder / f"{SET}.ipynb").write_text(each.text(), "utf-8")
            (folder / "timestamp.txt").write_text(stamp, "utf-8")
            (folder / "submission_secret.txt").write_text(secrets.token_hex(16), "utf-8")

    def grades(self) -> dict[str, float]:
        """What `nbgrader export` wrote, by student."""
        with open(self.folder / "grades.csv", encoding="utf-8", newline="") as file:
            return {row["student_id"]: float(row["score"] or 0) for row in csv.DictReader(file)}

    def feedback(self, student: str) -> str:
        """The page that a student gets back; empty where there is none."""
        path = self.folder / "feedback" / student / SET / f"{SET}.html"
        return path.read_text("utf-8") if path.exists() else ""


STEPS = (
    ("autograde", SET),
    ("generate_feedback", SET),
    ("release_feedback", SET),
)


def main(count: int, folder: Path) -> int:
    """Take a class through all commands, and say how long each took; 0 if all grades are right."""
    room, every = Class(folder), list(submissions(count))

    def step(*arguments: str) -> None:
        started = time.perf_counter()
        done = room.run(*arguments)
        seconds = time.perf_counter() - started
        print(f"nbgrader {' '.join(arguments)}: {seconds:.0f} s, exit code {done.returncode}")

    step("generate_assignment", SET)
    step("release_assignment", SET)
    room.hand_in(every)
    step("collect", SET)
    for arguments in STEPS:
        step(*arguments)
    step("export", "--to", str(room.folder / "grades.csv"))
    grades = room.grades()
    wrong = {
        e.student: (grades.get(e.student), e) for e in every if grades.get(e.student, 0) != e.points
    }
    print(f"{len(every)} submissions, {len(wrong)} with another grade than expected", wrong or "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
