"""`check` and `hint`: what a learner calls in a notebook, alone and offline."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from gptlib import device
from gptlib.grading import scores, values
from gptlib.grading.asking import Answer, Case, as_cases, as_plain, ask
from gptlib.grading.display import HINT_NAMES
from gptlib.grading.judge import Verdict, judge, judge_answer, nothing
from gptlib.grading.tasks import Exercise, Expectations, find, shipped_expectations

SECONDS = 10  # that one call may take: the slowest right answer needs less than a tenth of one
# Set by whoever grades: the folder with the cases to ask, in which answers are to be left.
RECORD = "GPTLIB_GRADING_RECORD"
# Set by nbgrader when it runs a notebook, where only an exception says that a cell failed.
NBGRADER = "NBGRADER_EXECUTION"


class NotYet(AssertionError):
    """Some points are missing. Shown without a traceback, which would say nothing to a learner."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def check(task_id: str, *answers: Any) -> Verdict:
    """Judge an exercise (its functions or class) or a question, and remember the points.

    `check("02.3", causal_mask)`, `check("02.q1", "B")`. Raises `KeyError` for an unknown id.
    """
    folder = os.environ.get(RECORD)
    if folder:
        return _record(Path(folder), task_id, answers)
    tasks, task = find(task_id)
    if not isinstance(task, Exercise):
        verdict = judge_answer(task, values.plain(answers[0]) if answers else None)
    elif not _callable(task, answers):
        verdict = nothing(task, f"Hand over what you wrote: {', '.join(task.targets)}.")
    else:
        targets = dict(zip(task.targets, answers, strict=True))
        expected = shipped_expectations(tasks.name)[task_id]
        verdict = judge(task, expected, ask(targets, expected.cases, SECONDS))
        if verdict.passed:
            verdict = _on_other_devices(task, expected, targets) or verdict
    scores.record(verdict, scores.default_file())
    if os.environ.get(NBGRADER) and not verdict.passed:
        raise NotYet(repr(verdict))
    return verdict


def hint(task_id: str, level: int = 1) -> None:
    """Print one hint: 1 asks a question, 2 shows the way, 3 is nearly the code."""
    _, task = find(task_id)
    level = min(max(level, 1), len(task.hints))
    print(f"{HINT_NAMES[level - 1]}: {task.hints[level - 1]}")


def _callable(exercise: Exercise, answers: tuple[Any, ...]) -> bool:
    return len(answers) == len(exercise.targets) and all(map(callable, answers))


def _on_other_devices(
    exercise: Exercise, expected: Expectations, targets: Mapping[str, Callable[..., Any]]
) -> Verdict | None:
    """A verdict that is not full, when the answer works on the CPU and not on another device."""
    for other in device.available():
        if other.type == "cpu":
            continue
        # The first case of a check is always float32, which every device knows.
        first = [expected.check_of.index(n) for n in range(len(exercise.checks))]
        answers = ask(targets, [move(expected.cases[n], other) for n in first])
        part = Expectations(
            [expected.cases[n] for n in first],
            list(range(len(first))),
            [expected.outputs[n] for n in first],
            [],
        )
        # A GPU may add in another order and with fewer bits than a CPU.
        coarse = {dtype: 50 * allowed for dtype, allowed in exercise.tolerance.items()}
        verdict = judge(_without_mistakes(exercise, coarse), part, answers)
        if not verdict.passed:
            note = f"All is right on the CPU. On {other} it is not: which tensor stays behind?"
            return Verdict(exercise, verdict.results, note, verdict.failure, verdict.printed)
    return None


def _without_mistakes(exercise: Exercise, tolerance: dict[str, float]) -> Exercise:
    return Exercise(**{**vars(exercise), "mistakes": (), "tolerance": tolerance})


def move(case: Case, to: torch.device) -> Case:
    """The same case with its tensors on another device."""
    return Case(
        _moved(case.args, to),
        _moved(case.options, to),
        case.to,
        _moved(case.build, to),
        _moved(case.state, to),
        case.gradient,
    )


def _moved(value: Any, to: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(to)
    if isinstance(value, dict):
        return {key: _moved(item, to) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_moved(item, to) for item in value)
    return value


def _record(folder: Path, task_id: str, answers: tuple[Any, ...]) -> Verdict:
    """Leave answers for whoever grades: this process knows neither the points nor what is right."""
    _, task = find(task_id)
    if isinstance(task, Exercise):
        given: list[Answer] = []
        if _callable(task, answers):
            cases = as_cases(values.load(folder / f"{task_id}.cases"))
            given = ask(dict(zip(task.targets, answers, strict=True)), cases)
    else:
        given = [Answer(values.plain(answers[0]) if answers else None)]
    values.save(folder / f"{task_id}.answers", as_plain(given))
    return nothing(task, "Recorded.")
