"""What answers should be for a seed: the reference and every known wrong answer are asked."""

from dataclasses import replace

from gptlib.grading.asking import Case, ask
from gptlib.grading.judge import RAISES, fingerprint_answer
from gptlib.grading.tasks import Expectations
from tools.exercises.draw import Draw
from tools.exercises.format import Exercise
from tools.exercises.sets import answer, reference
from tools.sources import BuildError

LEARNERS_SEED = 0


def expectations(exercise: Exercise, seed: int | str = LEARNERS_SEED) -> Expectations:
    """Inputs for one seed and what should come back. Raises `BuildError` if the reference fails."""
    planned: list[Case] = []
    check_of = []
    for n, check in enumerate(exercise.checks):
        for dtype in exercise.dtypes:
            drawn = check.cases(Draw(f"{exercise.title}/{check.name}/{dtype}/{seed}", dtype))
            drawn = [drawn] if isinstance(drawn, Case) else list(drawn)
            planned += drawn
            check_of += [n] * len(drawn)
    cases = [replace(case, raises="") for case in planned]
    outputs = []
    for case, given in zip(planned, ask(reference(exercise), cases), strict=True):
        failure = given.failure
        if case.raises:
            if failure is None or case.raises not in failure.bases:
                raise BuildError(f"{exercise.title}: the reference does not raise {case.raises}")
            outputs.append({RAISES: case.raises})
        elif failure:
            raise BuildError(
                f"{exercise.title}: the reference fails: {failure.kind}: {failure.message} "
                f"in {failure.text!r}"
            )
        else:
            outputs.append(given.value)
    mistakes = [
        [fingerprint_answer(given) for given in ask(answer(exercise, wrong), cases)]
        for wrong in exercise.wrong
    ]
    return Expectations(cases, check_of, outputs, mistakes)
