"""How strong the graders are: every known answer and every mutant is tried, and a page written."""

import re
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


def page(lines: list[str]) -> str:
    """docs/exercises.md, from a line for each exercise and one for each survivor."""
    rows = [line for line in lines if line.startswith("| ")]
    survivors = [line for line in lines if line.startswith("- ")]
    counts = [map(int, row.strip("| ").split(" | ")[1:]) for row in rows]
    points, checks, wrong, right, total, killed = map(sum, zip(*counts, strict=True))
    rows.append(
        f"| **{len(rows)} exercises** | {points} | {checks} | {wrong} | {right} "
        f"| {total} | {killed} ({killed / total:.1%}) |"
    )
    return _HEAD.format(seeds=SEEDS) + "\n".join([*rows, "", "## Survivors", "", *survivors, ""])


def write(every: list[tasks.Set], path: Path = PAGE) -> None:
    """Try every exercise of these sets and write the page; what it says of other sets stays."""
    tried = {each.name.split("_")[0] for each in every}
    before = path.read_text("utf-8").splitlines() if path.exists() else []
    lines = [line for line in before if _set_of(line) not in {"", *tried}]
    for each in every:
        exercises = sets.load_set(each.name).exercises
        for task in each.tasks:
            if not isinstance(task, tasks.Exercise):
                continue
            found = row(task, exercises[task.id])
            print(found, flush=True)
            lines.append(str(found))
            for change, why in reasons(exercises[task.id], found.survivors):
                lines.append(f"- {task.id}: `{change.split(' -> ')[1]}`: {why}")
    lines.sort(key=lambda line: line[2:6])
    path.write_text(page(lines), "utf-8", newline="\n")


def _set_of(line: str) -> str:
    """The number of the set that a line of the page is about; empty where it is about none."""
    match = re.match(r"[|-] (\d\d)\.\d", line)
    return match[1] if match else ""
