"""Grade whole notebooks: a table, a page, and JSON for programs."""

import json
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import nbformat

from gptlib.grading.display import verdict_html
from gptlib.grading.judge import Verdict, judge, judge_answer, nothing
from gptlib.grading.run import Run, Runner, checked, prepare, run_in_kernel
from gptlib.grading.submission import restored
from gptlib.grading.tasks import (
    Exercise,
    Expectations,
    Set,
    Task,
    shipped_expectations,
    shipped_sets,
)

ExpectationsOf = Callable[[Set, Exercise], Expectations]


@dataclass(frozen=True)
class Report:
    """What one notebook got; `note` says why it could not be graded at all."""

    file: str
    tasks: Set | None
    verdicts: tuple[Verdict, ...]
    seconds: float
    note: str = ""

    @property
    def points(self) -> int:
        return sum(verdict.points for verdict in self.verdicts)

    @property
    def out_of(self) -> int:
        return self.tasks.points if self.tasks else 0

    @property
    def full(self) -> bool:
        return self.tasks is not None and self.points == self.out_of


def shipped(tasks: Set, exercise: Exercise) -> Expectations:
    """What answers should be at the learner's own seed."""
    return shipped_expectations(tasks.name)[exercise.id]


def grade(
    files: Iterable[str | Path],
    *,
    expectations_of: ExpectationsOf = shipped,
    run: Runner = run_in_kernel,
    sets: Sequence[Set] | None = None,
) -> list[Report]:
    """Grade notebooks, each by itself: one that can't be read or run stops no other.

    An instructor gives other `expectations_of` (a secret seed) and another `run` (a sandbox).
    """
    known = shipped_sets() if sets is None else sets
    return [_grade(Path(file), expectations_of, run, known) for file in files]


def _grade(file: Path, expectations_of: ExpectationsOf, run: Runner, sets: Sequence[Set]) -> Report:
    started = time.perf_counter()

    def seconds() -> float:
        return time.perf_counter() - started

    try:
        with warnings.catch_warnings():  # cells without ids get some
            warnings.simplefilter("ignore")
            notebook = nbformat.read(file, as_version=4)
        tasks = find_set(notebook, file, sets)
    except FileNotFoundError:
        return Report(file.name, None, (), seconds(), f"there is no file {file}")
    except Exception as error:  # a damaged file fails in many ways, all inside of nbformat
        note = f"{file.name} can't be read as a notebook ({type(error).__name__})"
        return Report(file.name, None, (), seconds(), note)
    if tasks is None:
        return Report(
            file.name, None, (), seconds(), f"{file.name} holds no exercise of the course"
        )
    verdicts, _ = judged(restored(notebook, tasks), tasks, expectations_of, run)
    return Report(file.name, tasks, verdicts, seconds())


def judged(
    notebook: nbformat.NotebookNode, tasks: Set, expectations_of: ExpectationsOf, run: Runner
) -> tuple[tuple[Verdict, ...], Run]:
    """Run a notebook of this set; its verdict for each task, and what the run said."""
    expected = {t.id: expectations_of(tasks, t) for t in tasks.tasks if isinstance(t, Exercise)}
    ran = run(prepare(notebook, tasks), {key: value.cases for key, value in expected.items()})
    return tuple(_verdict(task, expected.get(task.id), ran) for task in tasks.tasks), ran


def find_set(notebook: nbformat.NotebookNode, file: Path, sets: Sequence[Set]) -> Set | None:
    """The set that a notebook belongs to: by its file's name, else by the tasks it checks."""
    named = [tasks for tasks in sets if tasks.name == file.stem]
    if named:
        return named[0]
    ids = {checked(cell) for cell in notebook.cells if cell.cell_type == "code"}
    counts = {n: sum(t.id in ids for t in tasks.tasks) for n, tasks in enumerate(sets)}
    best = max(counts, key=lambda n: counts[n], default=None)
    return sets[best] if best is not None and counts[best] else None


def _verdict(task: Task, expected: Expectations | None, ran: Run) -> Verdict:
    answers = ran.answers.get(task.id)
    if not answers:
        return nothing(task, ran.notes.get(task.id, "Nothing to judge: it was never defined."))
    if isinstance(task, Exercise):
        assert expected is not None
        return judge(task, expected, answers)
    return judge_answer(task, answers[0].value)


def as_table(reports: Sequence[Report]) -> str:
    """A line for each task, with what is missing, and the sum for each notebook."""
    lines = []
    for report in reports:
        if report.note:
            lines.append(f"{report.file}: {report.note}")
            continue
        lines.append(f"{report.file}: {report.points} of {report.out_of} points")
        for verdict in report.verdicts:
            task = verdict.task
            missing = [result.name for result in verdict.results if not result.passed]
            why = verdict.note or verdict.diagnosis or "; ".join(missing)
            line = f"  {task.id:<6} {task.title:<32} {verdict.points:>3} of {task.points:<3}"
            lines.append(f"{line} {why}".rstrip())
    return "\n".join(lines)


def as_json(reports: Sequence[Report]) -> str:
    """The same for programs: a list of notebooks, each with its tasks."""
    rows: list[dict[str, Any]] = [
        {
            "file": report.file,
            "set": report.tasks.name if report.tasks else None,
            "points": report.points,
            "out_of": report.out_of,
            "note": report.note,
            "seconds": round(report.seconds, 1),
            "tasks": [
                {
                    "id": verdict.task.id,
                    "title": verdict.task.title,
                    "points": verdict.points,
                    "out_of": verdict.task.points,
                    "note": verdict.note,
                    "diagnosis": verdict.diagnosis,
                    "missing": [r.name for r in verdict.results if not r.passed],
                }
                for verdict in report.verdicts
            ],
        }
        for report in reports
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def as_html(reports: Sequence[Report]) -> str:
    """A page that needs nothing else: points, messages and hints of every task."""
    parts = []
    for report in reports:
        points = report.note or f"{report.points} of {report.out_of} points"
        parts.append(f"<h2>{escape(report.file)}: {escape(points)}</h2>")
        parts += [f"{verdict_html(verdict)}<br>" for verdict in report.verdicts]
    style = "body{font-family:sans-serif;max-width:50em;margin:2em auto;line-height:1.4}"
    head = f"<meta charset='utf-8'><title>Grades</title><style>{style}</style>"
    return f"<!doctype html><html lang='en'><head>{head}</head><body>{''.join(parts)}</body></html>"


def write(reports: Sequence[Report], folder: Path) -> None:
    """Write grades.html and grades.json into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "grades.html").write_text(as_html(reports), "utf-8")
    (folder / "grades.json").write_text(as_json(reports), "utf-8")
