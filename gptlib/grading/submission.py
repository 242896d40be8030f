"""A submission as it should be: every check cell once and unchanged, every cell well formed."""

from collections.abc import Callable
from typing import Any

import nbformat
from nbformat import NotebookNode

from gptlib.grading.run import checked, prepare
from gptlib.grading.tasks import Exercise, Set

LANGUAGE = {"name": "python", "file_extension": ".py", "pygments_lexer": "ipython3"}


def restored(notebook: NotebookNode, tasks: Set) -> NotebookNode:
    """The submission in nbgrader's format, whatever was done to its cells and their metadata.

    Of each task there is one check cell, and one solution cell if there was one at all: the last,
    as its definition wins. Doing it twice changes nothing more.
    """
    cells = [clean for cell in _listed(notebook.get("cells")) if (clean := _clean(cell))]
    metadata = {"language_info": LANGUAGE}
    clean = prepare(nbformat.v4.new_notebook(cells=cells, metadata=metadata), tasks)
    points = {task.id: task.points for task in tasks.tasks}
    solutions = {_grade_id(task.id, "solution") for task in tasks.tasks if _is_exercise(task)}
    for n, cell in reversed(list(enumerate(clean.cells))):
        cell["id"] = f"cell-{n}"
        task_id = checked(cell) if _is_code(cell) else None
        given = cell.metadata.pop("nbgrader", {})
        if task_id in points:
            about = _about(_grade_id(task_id, "check"), False) | {"points": points[task_id]}
            cell.metadata["nbgrader"] = about
            cell.source = cell.source.splitlines()[-1]  # as in the release, without our import
        elif _is_code(cell) and given.get("solution") and given.get("grade_id") in solutions:
            solutions.remove(given["grade_id"])
            cell.metadata["nbgrader"] = _about(given["grade_id"], True)
    return clean


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _clean(cell: Any) -> NotebookNode | None:
    """A cell made anew from its text and what nbgrader says of it; None where it is no cell."""
    if not isinstance(cell, dict) or not isinstance(cell.get("source"), str):
        return None
    make: Callable[..., NotebookNode] | None = {
        "code": nbformat.v4.new_code_cell,
        "markdown": nbformat.v4.new_markdown_cell,
        "raw": nbformat.v4.new_raw_cell,
    }.get(str(cell.get("cell_type")))
    if make is None:
        return None
    metadata = cell.get("metadata")
    said = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    kept = {}
    if isinstance(said, dict):
        kept = {key: said.get(key) for key in ("grade", "solution", "grade_id") if key in said}
        kept["grade_id"] = str(kept.get("grade_id", ""))
    return make(cell["source"], metadata={"nbgrader": kept} if kept else {})


def _is_exercise(task: object) -> bool:
    return isinstance(task, Exercise)


def _is_code(cell: NotebookNode) -> bool:
    return bool(cell.cell_type == "code")


def _grade_id(task_id: str, what: str) -> str:
    return f"{task_id.replace('.', '-')}-{what}"


def _about(grade_id: str, solution: bool) -> dict[str, Any]:
    return {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": not solution,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
