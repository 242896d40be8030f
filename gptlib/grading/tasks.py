"""What can be graded: sets of exercises and questions, in words, and what answers should be.

The words ship as JSON, the cases and expected answers as one safetensors file beside it, in
`expectations/`; `python -m tools.exercises` builds both from sources/exercises.
"""

import ast
import hashlib
import json
import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from gptlib.grading import asking, values
from gptlib.grading.asking import Case
from gptlib.grading.compare import Fingerprint

FOLDER = Path(__file__).with_name("expectations")
# What the answer of a question may be, in words.
FORMS = {
    "letter": 'a letter in quotes, such as "A"',
    "number": "a number",
    "shape": "a tuple, such as (1, 2, 3)",
}


@dataclass(frozen=True)
class Check:
    """One property of a right answer: its points, and what to say when it is missing."""

    name: str
    points: int
    says: str


@dataclass(frozen=True)
class Exercise:
    """Something to write: one or more functions, or a class."""

    id: str
    title: str
    targets: tuple[str, ...]
    checks: tuple[Check, ...]
    hints: tuple[str, ...]
    mistakes: tuple[str, ...]  # the diagnosis of each known wrong answer
    tolerance: dict[str, float]

    @property
    def points(self) -> int:
        return sum(check.points for check in self.checks)


@dataclass(frozen=True)
class Question:
    """Something to answer by a letter, a number or a shape. The answer is kept as a hash.

    A hash keeps the answer from being read by accident. With four letters to choose from, a
    program finds it at once: it is no secret.
    """

    id: str
    title: str
    points: int
    form: str  # one of FORMS
    tolerance: float  # of a number; 0 where answers are exact
    answer: str
    mistakes: dict[str, str]  # the hash of a wrong answer, and its diagnosis
    hints: tuple[str, ...]

    def matches(self, value: Any, digest: str) -> bool:
        """Whether `value` is the answer with this hash."""
        spellings = _spellings(read(value), self.tolerance)
        return digest in (hash_answer(self.id, text) for text in spellings)


Task = Exercise | Question


@dataclass(frozen=True)
class Set:
    """The graded tasks of one chapter."""

    name: str  # 02_attention
    title: str
    tasks: tuple[Task, ...]

    @property
    def points(self) -> int:
        return sum(task.points for task in self.tasks)


@dataclass(frozen=True)
class Expectations:
    """The inputs of an exercise for one seed, and what should come back.

    `check_of[n]` says which check case n belongs to; `mistakes[m][n]` is what known wrong answer
    m gives for it.
    """

    cases: list[Case]
    check_of: list[int]
    outputs: list[Any]
    mistakes: list[list[Fingerprint]]


def hash_answer(task_id: str, spelling: str) -> str:
    """The hash that a question keeps of an answer; the id is its salt."""
    return hashlib.sha256(f"{task_id}:{spelling}".encode()).hexdigest()[:16]


def read(value: Any) -> Any:
    """What a text says that was meant as a number or a shape: "2, 3" is (2, 3)."""
    if not isinstance(value, str):
        return value
    try:
        return ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value


def form_of(value: Any) -> str:
    """Which of FORMS an answer has; empty where it is none of them."""
    value = read(value)
    if isinstance(value, list | tuple):
        return "shape"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number" if abs(value) <= sys.float_info.max else ""  # neither nan nor inf
    return "letter" if isinstance(value, str) else ""


def spelling(value: Any, tolerance: float) -> str:
    """The one way in which an answer is written before it is hashed."""
    if tolerance:
        return str(round(float(value) / tolerance))
    if isinstance(value, str):
        return value.strip().casefold()
    if isinstance(value, list | tuple):
        return ",".join(str(int(size)) for size in value)
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)


def _spellings(value: Any, tolerance: float) -> list[str]:
    try:
        if not tolerance:
            return [spelling(value, 0)]
        number = float(value)
        if not math.isfinite(number):
            return []
        # Within one tolerance of the answer is right, beyond two is wrong.
        return [str(round(number / tolerance) + step) for step in (-1, 0, 1)]
    except (TypeError, ValueError, OverflowError):
        return []


def to_json(tasks: Set) -> dict[str, Any]:
    """A set's words as plain JSON."""
    return {
        "name": tasks.name,
        "title": tasks.title,
        "tasks": [{"kind": type(task).__name__, **_fields(task)} for task in tasks.tasks],
    }


def _fields(task: Task) -> dict[str, Any]:
    fields = dict(vars(task))
    if isinstance(task, Exercise):
        fields["checks"] = [vars(check) for check in task.checks]
    return fields


def _from_json(words: dict[str, Any]) -> Set:
    tasks: list[Task] = []
    for fields in words["tasks"]:
        fields = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
        if fields.pop("kind") == "Exercise":
            fields["checks"] = tuple(Check(**check) for check in fields["checks"])
            tasks.append(Exercise(**fields))
        else:
            tasks.append(Question(**fields))
    return Set(words["name"], words["title"], tuple(tasks))


@cache
def shipped_sets() -> tuple[Set, ...]:
    """Every set that comes with the library, in order."""
    files = sorted(FOLDER.glob("*.json"))
    return tuple(_from_json(json.loads(file.read_text("utf-8"))) for file in files)


def find(task_id: str, sets: Iterable[Set] | None = None) -> tuple[Set, Task]:
    """The task of this id, and its set. Raises `KeyError` with the ids there are."""
    sets = shipped_sets() if sets is None else tuple(sets)
    for tasks in sets:
        for task in tasks.tasks:
            if task.id == task_id:
                return tasks, task
    known = ", ".join(task.id for tasks in sets for task in tasks.tasks)
    raise KeyError(f"there is no exercise {task_id!r}; there are {known}")


@cache
def shipped_expectations(set_name: str) -> dict[str, Expectations]:
    """The learner's own cases of each exercise of a set, at the one seed that ships."""
    stored = values.load(FOLDER / f"{set_name}.safetensors")
    return {task_id: _expectations(content) for task_id, content in stored.items()}


def save_expectations(path: Path, expectations: dict[str, Expectations]) -> None:
    """Write what `shipped_expectations` reads."""
    stored = {
        task_id: {
            "cases": asking.as_plain(content.cases),
            "check_of": content.check_of,
            "outputs": content.outputs,
            "exact": torch.tensor([[p[0] for p in row] for row in content.mistakes]),
            "mixed": torch.tensor(
                [[p[1:] for p in row] for row in content.mistakes], dtype=torch.float64
            ),
        }
        for task_id, content in expectations.items()
    }
    values.save(path, stored)


def _expectations(stored: dict[str, Any]) -> Expectations:
    mistakes = [
        [(exact, *mixed) for exact, mixed in zip(*rows, strict=True)]
        for rows in zip(stored["exact"].tolist(), stored["mixed"].tolist(), strict=True)
    ]
    cases = asking.as_cases(stored["cases"])
    return Expectations(cases, stored["check_of"], stored["outputs"], mistakes)
