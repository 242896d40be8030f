"""Every set: right answers get full marks, wrong ones their diagnosis, mutants are noticed."""

from itertools import combinations

import pytest

from gptlib.grading import tasks
from gptlib.grading.asking import ask
from gptlib.grading.judge import NOT_STARTED, judge, judge_answer
from tools.exercises import proof, sets
from tools.exercises.__main__ import words
from tools.exercises.expect import expectations
from tools.exercises.format import Edit

SETS = {name: words(name) for name in sets.find_sets()}
EXERCISES = [
    pytest.param(task, sets.load_set(name).exercises[task.id], id=f"{name}-{task.id}")
    for name, each in SETS.items()
    for task in each.tasks
    if isinstance(task, tasks.Exercise)
]
QUESTIONS = [
    pytest.param(task, sets.load_set(name).questions[task.id], id=f"{name}-{task.id}")
    for name, each in SETS.items()
    for task in each.tasks
    if isinstance(task, tasks.Question)
]


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_complete(name):
    each = SETS[name]
    exercises = [task for task in each.tasks if isinstance(task, tasks.Exercise)]
    assert each.points == 100
    assert len(exercises) >= 5
    assert len(each.tasks) - len(exercises) >= 2


@pytest.mark.parametrize(("task", "exercise"), EXERCISES)
def test_an_exercise_is_complete(task, exercise):
    assert len(exercise.wrong) >= 8
    assert exercise.right
    assert len(exercise.hints) == 3
    assert exercise.level in ("easy", "medium", "hard")
    assert all(given.says for given in exercise.wrong)
    assert len({given.says for given in exercise.wrong}) == len(exercise.wrong)
    assert all(check.points > 0 and check.says for check in exercise.checks)


@pytest.mark.parametrize(("task", "exercise"), EXERCISES)
def test_right_answers_get_full_marks_and_wrong_ones_their_diagnosis(task, exercise):
    right = [sets.answer(exercise, given) for given in exercise.right]
    wrong = [(sets.answer(exercise, given), given.says) for given in exercise.wrong]
    for seed in range(proof.SEEDS):
        expected = expectations(exercise, seed)
        for targets in (sets.reference(exercise), *right):
            verdict = proof.verdict(task, targets, expected)
            assert verdict.passed, f"seed {seed}: {targets}\n{verdict}"
        for targets, says in wrong:
            verdict = proof.verdict(task, targets, expected)
            assert not verdict.passed, f"seed {seed}: full marks for: {says}"
            assert verdict.diagnosis == says, f"seed {seed}"


def two_at_once(exercise):
    """The reference with each two of the wrong answers' edits that leave each other in place."""
    text = sets.source_of(exercise)
    for a, b in combinations([each for each in exercise.wrong if isinstance(each, Edit)], 2):
        one, other = text.replace(a.old, a.new), text.replace(b.old, b.new)
        if one.count(b.old) != 1 or other.count(a.old) != 1:
            continue
        if (both := one.replace(b.old, b.new)) == other.replace(a.old, a.new):
            yield sets.compiled(exercise, both), (a.says, b.says)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["05_pretraining", "07_transformers"])
def test_of_two_mistakes_at_once_one_is_named_mostly_and_rightly(name):
    named, right, total = 0, 0, 0
    for task in SETS[name].tasks:
        if not isinstance(task, tasks.Exercise):
            continue
        exercise = sets.load_set(name).exercises[task.id]
        expected = expectations(exercise)
        for targets, made in two_at_once(exercise):
            verdict = proof.verdict(task, targets, expected)
            total += 1
            if "Something else" in verdict.diagnosis:
                named += 1
                right += verdict.diagnosis.startswith(made)
    assert named > 0.6 * total > 50
    assert right >= 0.98 * named


@pytest.mark.parametrize(("task", "exercise"), EXERCISES)
def test_the_stub_fails_every_check(task, exercise):
    def stub(*args, **options):
        raise NotImplementedError

    expected = expectations(exercise)
    answers = ask({target.__name__: stub for target in exercise.targets}, expected.cases)
    verdict = judge(task, expected, answers)
    assert [result.points for result in verdict.results] == [0] * len(task.checks)
    assert verdict.note == NOT_STARTED


@pytest.mark.parametrize(("task", "exercise"), EXERCISES)
def test_answers_of_any_other_kind_fail_every_check(task, exercise):
    expected = expectations(exercise)
    for value in (None, 0, "text", [], object()):
        targets = {target.__name__: lambda *_, v=value, **__: v for target in exercise.targets}
        assert proof.verdict(task, targets, expected).points == 0


@pytest.mark.parametrize(("task", "exercise"), EXERCISES)
def test_mutants_are_noticed(task, exercise):
    row = proof.row(task, exercise)
    assert row.mutants >= 20
    unexplained = [change for change, why in proof.reasons(exercise, row.survivors) if not why]
    assert unexplained == []
    assert str(row) in proof.PAGE.read_text("utf-8"), "run python -m tools.exercises --proof"


def test_the_share_of_mutants_killed():
    total = proof.PAGE.read_text("utf-8").split("**")[2]
    assert float(total.split("(")[1].split("%")[0]) >= 98


@pytest.mark.parametrize(("task", "question"), QUESTIONS)
def test_questions(task, question):
    assert judge_answer(task, question.answer).passed
    assert not judge_answer(task, None).passed
    for value, says in question.wrong.items():
        verdict = judge_answer(task, value)
        assert (verdict.points, verdict.diagnosis) == (0, says)
