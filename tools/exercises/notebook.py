"""From a set's text and definitions to its notebooks, in nbgrader's format."""

import ast
import inspect
import re
import textwrap
from pathlib import Path
from typing import Literal

import nbformat
from nbformat import NotebookNode

from tools.execute import METADATA
from tools.exercises.format import Code, Exercise, Question
from tools.exercises.sets import ROOT, SOURCES, ExerciseSet, section_anchor
from tools.sources import BuildError, Cell, Source, read_source

# learner: what is to be filled in. instructor: the same with marked solutions, for nbgrader to
# take out. solution: to be read, or run, by anybody.
Version = Literal["learner", "instructor", "solution"]
CHAPTERS = "../../chapters/"  # as a text links to them
UP = {"learner": "../../", "instructor": "../../../../", "solution": "../../"}
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "raise NotImplementedError"

_PLACE = re.compile(r'(exercise|question)\("([\d.q]+)"\)')
_HEADING = re.compile(r"## ([\d.q]+)$", re.MULTILINE)


def text_of(name: str) -> Source:
    """The text of a set."""
    return read_source(SOURCES / f"{name}.py", ROOT)


def order(source: Source) -> list[str]:
    """The ids of a set's tasks, in the order of its text."""
    found = (_PLACE.fullmatch(cell.text.strip()) for cell in source.cells if cell.kind == "code")
    return [match[2] for match in found if match]


def title(source: Source) -> str:
    """The set's title, without what every title begins with."""
    first = source.cells[0].text.splitlines()[0]
    return first.removeprefix("# Exercises ")


def notebook(definitions: ExerciseSet, version: Version) -> NotebookNode:
    """The notebook of a set. Raises `BuildError` where text and definitions don't fit."""
    source = text_of(definitions.name)
    if sorted(order(source)) != sorted([*definitions.exercises, *definitions.questions]):
        raise BuildError(f"{source.label}: its tasks are not those that are defined")
    cells: list[NotebookNode] = []
    for cell in source.cells:
        place = _PLACE.fullmatch(cell.text.strip()) if cell.kind == "code" else None
        if place is None:
            cells.append(_plain(cell, definitions, version))
        elif place[1] == "exercise":
            cells += _exercise(place[2], definitions.exercises[place[2]], version)
        else:
            cells += _question(place[2], definitions.questions[place[2]], version)
    if version == "learner":
        _lock(cells)
    return nbformat.v4.new_notebook(
        cells=cells, metadata={**METADATA, "course": {"source": source.label}}
    )


def progress_notebook() -> NotebookNode:
    """The notebook that shows the progress in all sets."""
    source = text_of("00_progress")
    cells = [
        (nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell)(
            cell.text, id=cell.id
        )
        for cell in source.cells
    ]
    metadata = {**METADATA, "course": {"source": source.label}}
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)


def _plain(cell: Cell, definitions: ExerciseSet, version: Version) -> NotebookNode:
    if cell.kind == "code":
        return nbformat.v4.new_code_cell(cell.text, id=cell.id)
    text = _HEADING.sub(lambda match: _heading(match[1], definitions), cell.text)
    text = text.replace(CHAPTERS, UP[version] + "chapters/")
    return nbformat.v4.new_markdown_cell(text, id=cell.id)


def _heading(task_id: str, definitions: ExerciseSet) -> str:
    """`## 02.1` in a text becomes the title, and what a learner wants to know before."""
    if task_id in definitions.questions:
        question = definitions.questions[task_id]
        return f"## {task_id} {question.title}\n\n*A question; {question.points} points.*"
    exercise = definitions.exercises[task_id]
    points = sum(check.points for check in exercise.checks)
    return (
        f"## {task_id} {exercise.title}\n\n"
        f"*Trains {exercise.trains}; about {exercise.minutes} minutes, {exercise.level}; "
        f"{points} points.{_leans_on(definitions.name, exercise.section)}*"
    )


def _leans_on(chapter: str, section: str) -> str:
    """Where to read about it; nothing for a set that is there before its chapter."""
    if not (ROOT / "chapters" / f"{chapter}.ipynb").exists():
        return ""
    heading, anchor = section_anchor(chapter, section)
    return f" Leans on [{heading}]({CHAPTERS}{chapter}.ipynb#{anchor})."


def _exercise(task_id: str, exercise: Exercise, version: Version) -> list[NotebookNode]:
    text = "\n\n\n".join(_body(target, version) for target in exercise.targets)
    points = sum(check.points for check in exercise.checks)
    names = ", ".join(target.__name__ for target in exercise.targets)
    grade_id = task_id.replace(".", "-")
    return [
        _graded(text, f"{grade_id}-solution", solution=True),
        _graded(f'check("{task_id}", {names})', f"{grade_id}-check", points=points),
    ]


def _question(task_id: str, question: Question, version: Version) -> list[NotebookNode]:
    name = "answer_" + task_id.split(".")[1]
    grade_id = task_id.replace(".", "-")
    # No solution cell in nbgrader's sense: that would need a stub which raises. The answer is in
    # the definition, so the instructor's version can do without, too.
    given = "None" if version != "solution" else repr(question.answer).replace("'", '"')
    comment = f"  # {question.placeholder}" if version != "solution" else ""
    return [
        nbformat.v4.new_code_cell(f"{name} = {given}{comment}", id=f"{grade_id}-answer"),
        _graded(f'check("{task_id}", {name})', f"{grade_id}-check", points=question.points),
    ]


def _graded(
    text: str, grade_id: str, solution: bool = False, points: int | None = None
) -> NotebookNode:
    cell = nbformat.v4.new_code_cell(text, id=grade_id)
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "task": False,
        **({} if points is None else {"points": points}),
    }
    return cell


def _lock(cells: list[NotebookNode]) -> None:
    """What a grader needs can't be deleted, and checks can't be edited, as nbgrader has it."""
    for cell in cells:
        if "nbgrader" in cell.metadata:
            cell.metadata["deletable"] = False
            if cell.metadata.nbgrader.locked:
                cell.metadata["editable"] = False


def _body(target: Code, version: Version) -> str:
    """The text of a function or class; its bodies marked, or replaced by the stub.

    A signature, a docstring and a call of `super().__init__()` are given to the learner.
    """
    text = textwrap.dedent(inspect.getsource(target)).rstrip()
    if version == "solution":
        return text
    lines = text.splitlines()
    (node,) = ast.parse(text).body
    functions = [node] if isinstance(node, ast.FunctionDef) else getattr(node, "body", [])
    for function in reversed([f for f in functions if isinstance(f, ast.FunctionDef)]):
        given = 0
        for statement in function.body:
            if not _is_given(statement):
                break
            given = statement.end_lineno or 0
        first = function.body[0]
        indent = " " * first.col_offset
        start, end = given or first.lineno - 1, function.end_lineno
        if version == "learner":
            lines[start:end] = [indent + STUB]
        else:
            lines[start:end] = [indent + BEGIN, *lines[start:end], indent + END]
    return "\n".join(lines)


def _is_given(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Expr):
        return False
    is_docstring = isinstance(statement.value, ast.Constant)
    return is_docstring or ast.unparse(statement) == "super().__init__()"


def write(path: Path, content: NotebookNode) -> None:
    """Write a notebook as the builder of chapters does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = nbformat.writes(content).rstrip("\n") + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
