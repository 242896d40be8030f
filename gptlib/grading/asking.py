"""How a learner's code is asked: a case is one call, an answer is what came back.

Nothing here knows the right answer, so this is all that has to run beside a learner's code.
"""

import contextlib
import io
import linecache
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import CodeType
from typing import Any

import torch
from torch import Tensor

from gptlib.grading import values
from gptlib.grading.timing import time_limit

PRINTED = 2000  # characters kept of what the code prints
Targets = Mapping[str, Callable[..., Any]]


@dataclass(frozen=True)
class Case:
    """One call of a function; of a class, one object built, given weights and called.

    With `gradient`, the answer is the pair of the output and the gradients of the floating-point
    arguments, for an output weighted by 1, 2, 3, ... 7, 1, 2, ...
    """

    args: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)
    to: str = ""  # the name of what is called; empty where there is only one
    build: dict[str, Any] | None = None  # a class: what it is built with
    state: dict[str, Tensor] | None = None  # and its weights
    gradient: bool = False
    raises: str = ""  # the error that is the right answer; known to the judge alone


@dataclass(frozen=True)
class Failure:
    """What a learner's code raised, and the line of theirs where it did."""

    kind: str
    message: str
    bases: tuple[str, ...] = ()  # the names of all classes that the error is an instance of
    line: int = 0  # 0: in no line of theirs, as when a function is called with what it won't take
    text: str = ""


@dataclass(frozen=True)
class Answer:
    """What one call gave: a plain value or a failure, what it printed, whether inputs changed."""

    value: Any = None
    failure: Failure | None = None
    printed: str = ""
    changed: bool = False  # whether an input is no longer what it was


def ask(targets: Targets, cases: Iterable[Case], seconds: float | None = None) -> list[Answer]:
    """Call a learner's code once for each case, with copies of the inputs.

    A call that takes more than `seconds` is stopped, and the code is not called again: the cases
    that are left have the same `TimeoutError` as their answer.
    """
    answers: list[Answer] = []
    for case in cases:
        failure = answers[-1].failure if answers else None
        stopped = seconds is not None and failure is not None and failure.kind == "TimeoutError"
        answers.append(answers[-1] if stopped else _ask(targets, case, seconds))
    return answers


def _ask(targets: Targets, case: Case, seconds: float | None) -> Answer:
    target = targets[case.to] if case.to else next(iter(targets.values()))
    inputs = _copy((case.args, case.options))
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed), torch.enable_grad(), time_limit(seconds):
            value = values.plain(_call(target, case, *inputs))
    except (Exception, SystemExit) as error:
        return Answer(failure=_failure(error, target), printed=printed.getvalue()[:PRINTED])
    changed = not _same(inputs, (case.args, case.options))
    return Answer(value, None, printed.getvalue()[:PRINTED], changed)


def _call(
    target: Callable[..., Any], case: Case, args: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    if case.build is not None:
        module = target(**_copy(case.build))
        if case.state is not None:
            floats = [tensor for tensor in case.state.values() if tensor.is_floating_point()]
            module.to(floats[0]).load_state_dict(_copy(case.state))
        target = module.eval()
    if not case.gradient:
        return target(*args, **options)
    inputs = [
        arg.requires_grad_() for arg in args if isinstance(arg, Tensor) and arg.is_floating_point()
    ]
    out = target(*args, **options)
    weights = torch.arange(out.numel(), device=out.device).remainder(7).add(1).view(out.shape)
    gradients = torch.autograd.grad((out * weights).sum(), inputs, allow_unused=True)
    return out, gradients


def _copy(value: Any) -> Any:
    """A copy that a learner's code may change as it likes."""
    if isinstance(value, Tensor):
        return value.clone()
    if isinstance(value, dict):
        return type(value)((key, _copy(item)) for key, item in value.items())
    if type(value) in (list, tuple):
        return type(value)(_copy(item) for item in value)
    return value


def _same(value: Any, other: Any) -> bool:
    """Whether two inputs are alike, tensor by tensor and entry by entry."""
    if type(value) is not type(other):
        return False
    if isinstance(value, Tensor):
        if value.shape != other.shape or value.dtype != other.dtype:
            return False
        return bool(((value == other) | ((value != value) & (other != other))).all())
    if isinstance(value, dict):
        return list(value) == list(other) and _same(list(value.values()), list(other.values()))
    if isinstance(value, list | tuple):
        return len(value) == len(other) and all(map(_same, value, other))
    return bool(value == other or (value != value and other != other))


def _failure(error: BaseException, target: Callable[..., Any]) -> Failure:
    kind, bases = type(error).__name__, tuple(base.__name__ for base in type(error).__mro__)
    first, *rest = str(error).strip().split("\n")
    message = " ".join([first, *(rest[:1] if first.endswith(":") else [])]).replace("\t", "")
    frames = traceback.extract_tb(error.__traceback__)
    own = _files(target)
    theirs = [frame for frame in frames if frame.filename in own]
    theirs = theirs or [frame for frame in frames if _is_nobodys(frame.filename)]
    if not theirs:
        return Failure(kind, message, bases)
    last = theirs[-1]
    text = linecache.getline(last.filename, last.lineno or 0).strip()
    return Failure(kind, message, bases, last.lineno or 0, text)


def _files(target: Callable[..., Any]) -> set[str]:
    """The files, or cells, that a function or the methods of a class were written in."""
    members = [target, *vars(target).values()] if isinstance(target, type) else [target]
    codes = (getattr(member, "__code__", None) for member in members)
    return {code.co_filename for code in codes if isinstance(code, CodeType)}


def _is_nobodys(file: str) -> bool:
    """Whether a file is neither ours, nor Python's, nor a package's."""
    libraries = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"))
    ours = str(Path(__file__).parents[1])
    return not file.startswith((*libraries, ours))


def as_plain(items: Iterable[Case | Answer]) -> list[dict[str, Any]]:
    """Cases or answers as plain values, for `values.save`; what they don't have is left out."""
    rows = []
    for item in items:
        defaults = {each.name: each.default for each in fields(item)}
        row = {key: value for key, value in vars(item).items() if value is not defaults[key]}
        if "failure" in row:
            row["failure"] = vars(row["failure"])
        rows.append(row)
    return rows


def as_cases(items: Iterable[Mapping[str, Any]]) -> list[Case]:
    """The cases that `as_plain` wrote."""
    return [Case(**item) for item in items]


def as_answers(items: Iterable[Mapping[str, Any]]) -> list[Answer]:
    """The answers that `as_plain` wrote."""
    return [
        Answer(**{**item, "failure": Failure(**item["failure"]) if "failure" in item else None})
        for item in items
    ]
