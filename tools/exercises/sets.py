"""Find and load the definitions in sources/exercises."""

import importlib.util
import inspect
import linecache
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from gptlib.grading import tasks
from gptlib.grading.asking import Targets
from tools.exercises.format import Answer, Edit, Exercise, Question
from tools.markdown import read_markdown
from tools.sources import BuildError

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "sources" / "exercises"


@dataclass(frozen=True)
class ExerciseSet:
    """A set as its author wrote it: definitions by id, in order."""

    name: str  # 02_attention
    exercises: dict[str, Exercise]
    questions: dict[str, Question]

    @property
    def number(self) -> str:
        return self.name.split("_")[0]


def find_sets() -> list[str]:
    """The names of all sets: each is a text and a folder of definitions beside it."""
    return sorted(path.stem for path in SOURCES.glob("[0-9]*.py") if path.stem != "00_progress")


@cache
def load_set(name: str) -> ExerciseSet:
    """Run the definitions of a set. `1_softmax.py` in 02_attention defines exercise 02.1."""
    number = name.split("_")[0]
    exercises, questions = {}, {}
    files = sorted((SOURCES / name).glob("[0-9]*_*.py"), key=lambda f: int(f.name.split("_")[0]))
    for file in files:
        exercises[f"{number}.{file.name.split('_')[0]}"] = _run(file).EXERCISE
    if (SOURCES / name / "questions.py").exists():
        asked = _run(SOURCES / name / "questions.py").QUESTIONS
        questions = {f"{number}.q{n}": question for n, question in enumerate(asked, start=1)}
    if not exercises:
        raise BuildError(f"{SOURCES / name}: no definitions such as 1_topic.py")
    return ExerciseSet(name, exercises, questions)


def _run(file: Path) -> ModuleType:
    # Registered, because inspect finds the text of a class through its module.
    name = f"exercise_definitions.{file.parent.name}.{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def source_of(exercise: Exercise) -> str:
    """The text of the reference: all of its functions and classes."""
    return "\n\n\n".join(
        textwrap.dedent(inspect.getsource(target)).rstrip() for target in exercise.targets
    )


def reference(exercise: Exercise) -> Targets:
    """The reference, by the names that a learner uses."""
    return {target.__name__: target for target in exercise.targets}


def answer(exercise: Exercise, given: Answer) -> Targets:
    """The functions or classes of a right or wrong answer."""
    if isinstance(given, Edit):
        text = source_of(exercise)
        if text.count(given.old) != 1:
            raise BuildError(
                f"{exercise.title}: {given.old!r} stands {text.count(given.old)} times in the "
                "reference; an edit needs a piece that stands there once"
            )
        return compiled(exercise, text.replace(given.old, given.new))
    names = [target.__name__ for target in exercise.targets]
    return dict(zip(names, given.code, strict=True))


def compiled(exercise: Exercise, text: str) -> Targets:
    """The functions or classes of a changed text of the reference."""
    module = inspect.getmodule(exercise.targets[0])
    scope: dict[str, Any] = dict(vars(module))
    name = f"<{exercise.title}, changed>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), scope)
    return {target.__name__: scope[target.__name__] for target in exercise.targets}


def words(definitions: ExerciseSet, title: str, order: Iterator[str]) -> tasks.Set:
    """The part of a set that ships as words; `order` is that of the text."""
    found = {
        **{key: _exercise_words(key, value) for key, value in definitions.exercises.items()},
        **{key: _question_words(key, value) for key, value in definitions.questions.items()},
    }
    return tasks.Set(definitions.name, title, tuple(found[key] for key in order))


def _exercise_words(task_id: str, exercise: Exercise) -> tasks.Exercise:
    return tasks.Exercise(
        task_id,
        exercise.title,
        tuple(target.__name__ for target in exercise.targets),
        tuple(tasks.Check(check.name, check.points, check.says) for check in exercise.checks),
        tuple(exercise.hints),
        tuple(given.says for given in exercise.wrong),
        exercise.tolerance,
    )


def _question_words(task_id: str, question: Question) -> tasks.Question:
    def hashed(value: Any) -> str:
        return tasks.hash_answer(task_id, tasks.spelling(value, question.tolerance))

    return tasks.Question(
        task_id,
        question.title,
        question.points,
        tasks.form_of(question.answer),
        question.tolerance,
        hashed(question.answer),
        {hashed(value): says for value, says in question.wrong.items()},
        tuple(question.hints),
    )


def section_anchor(chapter: str, section: str) -> tuple[str, str]:
    """The heading of a chapter's section, and the anchor that leads to it in the notebook."""
    text = (ROOT / "sources" / "chapters" / f"{chapter}.py").read_text("utf-8")
    match = re.search(rf"(?m)^# ## ({re.escape(section)} .+)$", text)
    if not match:
        raise BuildError(f"sources/chapters/{chapter}.py has no section {section}")
    (_, shown), *_ = read_markdown(f"## {match[1]}").headings
    return match[1], shown.replace(" ", "-")
