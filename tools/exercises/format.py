"""What an exercise is, as its author writes it down: maths and words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from gptlib.grading.asking import Case
from gptlib.grading.compare import TOLERANCE
from tools.exercises.draw import Draw

Code = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """One property of a right answer. On the drawn cases answers must equal the reference's.

    `says` is read by a learner whose answer lacks the property: a hint in words, no numbers.
    `cases` is called once for each of the exercise's dtypes, and returns one case or several.
    """

    name: str
    points: int
    says: str
    cases: Callable[[Draw], Case | Iterable[Case]]


@dataclass(frozen=True)
class Edit:
    """The reference with one piece of its text replaced; `old` stands in it exactly once."""

    old: str
    new: str
    says: str


@dataclass(frozen=True)
class Written:
    """An answer that is written out: one function or class for each of the reference's."""

    code: tuple[Code, ...]
    says: str


Answer = Edit | Written


@dataclass(frozen=True)
class Exercise:
    """Something to write, with everything that is known about right and wrong answers."""

    title: str
    trains: str
    minutes: int
    level: str  # easy, medium or hard
    section: str  # of the chapter it leans on, as in 02.4
    solution: Code | tuple[Code, ...]
    checks: list[Check]
    hints: list[str]  # three: a question, the way, nearly the code
    wrong: list[Answer]  # at least eight, each with its diagnosis
    right: list[Answer]
    survivors: dict[str, str] = field(default_factory=dict)  # mutants that are right, and why
    tolerance: dict[str, float] = field(default_factory=lambda: dict(TOLERANCE))
    # One is enough where answers depend on no tensor of real numbers.
    dtypes: tuple[torch.dtype, ...] = (torch.float32, torch.float64)

    @property
    def targets(self) -> tuple[Code, ...]:
        """The functions or classes that a learner writes."""
        return self.solution if isinstance(self.solution, tuple) else (self.solution,)


@dataclass(frozen=True)
class Question:
    """A letter, a number or a shape to find. `wrong` holds diagnoses by wrong answer."""

    title: str
    points: int
    answer: Any
    hints: list[str]
    wrong: dict[Any, str]
    placeholder: str  # what an answer looks like, for the cell: '"A", "B" or "C"'
    tolerance: float = 0.0  # of a number; within it is right, beyond twice of it is wrong


def call(
    *args: Any,
    to: str = "",
    build: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
    gradient: bool = False,
    raises: str = "",
    **options: Any,
) -> Case:
    """A case: what the function, or the object that was built and given weights, is called with.

    `to` says which one where there are several. `gradient` asks for gradients, too. `raises` names
    the error that is the right answer.
    """
    return Case(args, options, to, build, state, gradient, raises)


def edit(old: str, new: str, says: str = "") -> Edit:
    """The reference with `old` replaced by `new`, and the diagnosis when it is a wrong answer."""
    return Edit(old, new, says)


def written(*code: Code, says: str = "") -> Written:
    """An answer written out, and the diagnosis when it is a wrong one."""
    return Written(code, says)
