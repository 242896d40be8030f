"""The pages that are made from the definitions: points for learners, proof for everybody."""

from collections.abc import Iterable

from gptlib.grading.tasks import Exercise, Set
from tools.exercises import sets

_LEARNERS_PAGE = """\
# Exercises

Open a set in JupyterLab (`python course.py lab`), write your code in place of
`raise NotImplementedError`, and run the cell below it. It says at once what is right and what is
missing; hints fold open. What you have reached is kept in `progress.json` here, and shown by
[00_progress.ipynb](00_progress.ipynb). `python course.py grade` grades everything once more, with
other inputs; `gptlib grade FILE` grades one notebook, wherever it lies.

[solutions/](solutions/) holds one solution of each exercise. `nbgrader/source/` is for instructors.

Everything here but this folder's `progress.json` is built from
[sources/exercises](../sources/exercises/README.md).
"""


def points_table(every: Iterable[Set]) -> str:
    """exercises/README.md: how to work, and what each task is worth."""
    parts = [_LEARNERS_PAGE]
    for tasks in every:
        link = f"[{tasks.title}]({tasks.name}/{tasks.name}.ipynb)"
        rows = [f"## {tasks.title}", "", f"{link}, {tasks.points} points", ""]
        rows += ["| task | trains | minutes | level | points |", "|---|---|---|---|---|"]
        definitions = sets.load_set(tasks.name).exercises
        for task in tasks.tasks:
            about = "question | 3 | easy"
            if isinstance(task, Exercise):
                definition = definitions[task.id]
                about = f"{definition.trains} | {definition.minutes} | {definition.level}"
            rows.append(f"| {task.id} {task.title} | {about} | {task.points} |")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)
