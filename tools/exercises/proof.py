"""How strong the graders are: every known answer and every mutant is tried, and a page written."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gptlib.grading import tasks
from gptlib.grading.asking import Targets, ask
from gptlib.grading.judge import Verdict, judge
from tools.exercises import sets
from tools.exercises.expect import expectations
from tools.exercises.format import Exercise
from tools.exercises.mutants import survivors

PAGE = sets.ROOT / "docs" / "exercises.md"
SEEDS = 20
_HEAD = """\
# How strong the graders are

Each exercise is tried with answers that are known to be right or wrong, on {seeds} seeds: right
ones get full marks, a wrong one always fails and gets its own diagnosis. Then each small change of
the reference (an operator, a constant, a name, a dropped statement, swapped arguments) is tried on
the inputs that ship. A mutant that survives is listed with the reason why it is no mistake.

[attacks.md](attacks.md) lists programs that try to cheat or to break out, and what each got.

Written by `python -m tools.exercises --proof`; the tests hold it to date.

| exercise | points | checks | wrong answers | right answers | mutants | killed |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """The figures of one exercise."""

    task: tasks.Exercise
    wrong: int
    right: int
    mutants: int
    survivors: tuple[str, ...]

    def __str__(self) -> str:
        killed = self.mutants - len(self.survivors)
        return (
            f"| {self.task.id} {self.task.title} | {self.task.points} | {len(self.task.checks)} "
            f"| {self.wrong} | {self.right} | {self.mutants} | {killed} |"
        )


def verdict(task: tasks.Exercise, targets: Targets, expected: tasks.Expectations) -> Verdict:
    """The verdict on an answer that is at hand."""
    return judge(task, expected, ask(targets, expected.cases))


def row(task: tasks.Exercise, exercise: Exercise) -> Row:
    """Try the mutants of one exercise on the inputs that ship."""
    count, left = survivors(exercise, task, expectations(exercise))
    return Row(task, len(exercise.wrong), 1 + len(exercise.right), count, tuple(left))


def reasons(exercise: Exercise, left: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The reason of each survivor; empty where the definition gives none."""
    for change in left:
        found = [why for piece, why in exercise.survivors.items() if piece in change.split("->")[1]]
        yield change, found[0] if found else ""


def page(rows: dict[str, list[Row]]) -> str:
    """docs/exercises.md for the rows of each set."""
    every = [row for found in rows.values() for row in found]
    lines = [str(row) for row in every]
    left = sum(len(row.survivors) for row in every)
    total = sum(row.mutants for row in every)
    lines.append(
        f"| **{len(every)} exercises** | {sum(r.task.points for r in every)} "
        f"| {sum(len(r.task.checks) for r in every)} | {sum(r.wrong for r in every)} "
        f"| {sum(r.right for r in every)} | {total} | {total - left} ({1 - left / total:.1%}) |"
    )
    text = _HEAD.format(seeds=SEEDS) + "\n".join(lines) + "\n\n## Survivors\n\n"
    for name, found in rows.items():
        exercises = sets.load_set(name).exercises
        for each in found:
            for change, why in reasons(exercises[each.task.id], each.survivors):
                text += f"- {each.task.id}: `{change.split(' -> ')[1]}`: {why}\n"
    return text


def write(every: list[tasks.Set], path: Path = PAGE) -> None:
    """Try every exercise and write the page."""
    rows = {}
    for each in every:
        exercises = sets.load_set(each.name).exercises
        found = [task for task in each.tasks if isinstance(task, tasks.Exercise)]
        rows[each.name] = [row(task, exercises[task.id]) for task in found]
        print("\n".join(map(str, rows[each.name])), flush=True)
    path.write_text(page(rows), "utf-8", newline="\n")
