"""From answers to a verdict: points, what is missing in words, and what the mistake was.

Needs the answers alone, never the code that gave them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gptlib.grading.asking import Answer, Failure
from gptlib.grading.compare import Fingerprint, difference, fingerprint, same_fingerprint
from gptlib.grading.tasks import FORMS, Exercise, Expectations, Question, Task, form_of, read

NOT_STARTED = "Not started yet."
STOPPED = "stopped with"
CHANGED = "changes what it was given: write `x = x + 1`, not `x += 1`, and change only a copy"
RAISES = "raises"  # {RAISES: "ValueError"} as an expected output: the input is to be refused


@dataclass(frozen=True)
class Result:
    """One check, judged. `found` says what is wrong with the answer, `says` what that means."""

    name: str
    points: int
    out_of: int
    says: str = ""
    found: str = ""

    @property
    def passed(self) -> bool:
        return self.points == self.out_of


@dataclass(frozen=True)
class Verdict:
    """What a task got. Shown by `gptlib.grading.display`."""

    task: Task
    results: tuple[Result, ...]
    diagnosis: str = ""
    failure: Failure | None = None
    printed: str = ""
    note: str = ""  # in place of results: why nothing could be judged

    @property
    def points(self) -> int:
        return sum(result.points for result in self.results)

    @property
    def passed(self) -> bool:
        return self.points == self.task.points

    @property
    def started(self) -> bool:
        return self.note != NOT_STARTED

    def _repr_html_(self) -> str:
        from gptlib.grading.display import verdict_html

        return verdict_html(self)

    def __repr__(self) -> str:
        from gptlib.grading.display import verdict_text

        return verdict_text(self)


def judge(exercise: Exercise, expected: Expectations, answers: Sequence[Answer]) -> Verdict:
    """Points for each check whose every case is right; a diagnosis where the mistake is known."""
    if len(answers) != len(expected.cases):
        return nothing(exercise, "the answers do not belong to the cases that were asked")
    found: dict[int, str] = {}
    for check, right, answer in zip(expected.check_of, expected.outputs, answers, strict=True):
        wrong = _wrong(exercise, right, answer)
        if wrong and check not in found:
            found[check] = wrong
    results = tuple(
        Result(check.name, 0, check.points, check.says, found[n])
        if n in found
        else Result(check.name, check.points, check.points)
        for n, check in enumerate(exercise.checks)
    )
    failure = _failure(expected, answers, found)
    if failure and failure.kind == "NotImplementedError" and not any(r.points for r in results):
        return Verdict(exercise, results, note=NOT_STARTED)
    diagnosis = _diagnosis(exercise, expected, answers) if found and exercise.mistakes else ""
    printed = next((answer.printed for answer in answers if answer.printed), "")
    return Verdict(exercise, results, diagnosis, failure, printed)


def _failure(
    expected: Expectations, answers: Sequence[Answer], found: Mapping[int, str]
) -> Failure | None:
    """The first error that cost points: one in the learner's own lines, before any other.

    An error elsewhere is shown where nothing better is known: None where a tensor belongs makes
    one, and then some check says that the answer is None.
    """
    failures = [
        answer.failure
        for check, answer in zip(expected.check_of, answers, strict=True)
        if answer.failure and check in found
    ]
    own = [failure for failure in failures if failure.line]
    explained = not all(wrong.startswith(STOPPED) for wrong in found.values())
    return next(iter(own or ([] if explained else failures)), None)


def _wrong(exercise: Exercise, right: Any, answer: Answer) -> str | None:
    failure = answer.failure
    if isinstance(right, dict) and right.keys() == {RAISES}:
        if failure and right[RAISES] in failure.bases:
            return None
        return f"should be a {right[RAISES]}" + (f", not a {failure.kind}" if failure else "")
    if failure:
        return f"{STOPPED} {failure.kind}"
    if answer.changed:  # whoever called it would go on with other numbers than it had
        return CHANGED
    return difference(right, answer.value, exercise.tolerance)


def fingerprint_answer(answer: Answer) -> Fingerprint:
    """The fingerprint of a value, or of the kind of error in place of one."""
    if answer.failure:
        return fingerprint({"raises": answer.failure.kind})
    return fingerprint(answer.value)


def _diagnosis(exercise: Exercise, expected: Expectations, answers: Sequence[Answer]) -> str:
    prints = [fingerprint_answer(answer) for answer in answers]
    equals = [list(map(same_fingerprint, prints, mistake)) for mistake in expected.mistakes]
    for says, equal in zip(exercise.mistakes, equals, strict=True):
        if all(equal):
            return says
    stopped = [answer.failure is not None for answer in answers]
    return _beside_others(exercise, expected, prints, equals, stopped)


def _beside_others(
    exercise: Exercise,
    expected: Expectations,
    prints: Sequence[Fingerprint],
    equals: Sequence[Sequence[bool]],
    stopped: Sequence[bool],
) -> str:
    """The known mistake that alone explains some check, where none explains them all.

    Who makes two mistakes at once makes one of them, as a rule, in a check that the other leaves
    alone. A mistake that should show in cases that are right is not made. Code that stopped may
    have stopped for any reason: its own error says more.
    """
    right = [fingerprint(output) for output in expected.outputs]
    off = [not same_fingerprint(*pair) for pair in zip(prints, right, strict=True)]
    for number, check in enumerate(exercise.checks):
        cases = [n for n, belongs in enumerate(expected.check_of) if belongs == number]
        if not any(off[n] for n in cases) or any(stopped[n] for n in cases):
            continue
        explain = [
            says
            for says, mistake, equal in zip(
                exercise.mistakes, expected.mistakes, equals, strict=True
            )
            if all(equal[n] for n in cases)
            and all(off[n] or same_fingerprint(mistake[n], right[n]) for n in range(len(off)))
        ]
        if len(explain) == 1:
            return f"{explain[0]} That explains “{check.name}”. Something else is wrong, too."
    return ""


def judge_answer(question: Question, value: Any) -> Verdict:
    """All points for the right answer, else none; a diagnosis where the mistake is known."""
    if value is None:
        return nothing(question, NOT_STARTED)
    right = question.matches(value, question.answer)
    if right:
        return Verdict(question, (Result(question.title, question.points, question.points),))
    known = question.mistakes.items()
    diagnosis = next((says for digest, says in known if question.matches(value, digest)), "")
    result = Result(question.title, 0, question.points, _not_the_answer(question, value))
    return Verdict(question, (result,), diagnosis)


def _not_the_answer(question: Question, value: Any) -> str:
    form = form_of(value)
    if form != question.form:
        return f"The answer is {FORMS[question.form]}."
    if form == "number" and question.matches(read(value) / 100, question.answer):
        return "That is a hundred times the answer: is it in percent?"
    return "Not the answer."


def nothing(task: Task, note: str) -> Verdict:
    """No points, for a reason that no check can tell."""
    return Verdict(task, (), note=note)
