"""A model on one application: its figures beside those of methods without a model."""

from collections.abc import Sequence
from typing import Any

from gptlib.applications.application import Application
from gptlib.applications.forms import Parse
from gptlib.applications.labels import Classify, Feel
from gptlib.applications.questions import Answer
from gptlib.applications.search import Search
from gptlib.applications.summaries import Summarise
from gptlib.applications.tags import Tag
from gptlib.applications.translation import Translate
from gptlib.applications.writing import Write
from gptlib.evaluation import Table
from gptlib.model import GPT
from gptlib.tokenizer import Tokenizer

APPLICATIONS: dict[str, Application[Any]] = {
    application.name: application
    for application in (
        *(Translate(), Answer(), Summarise(), Write(), Parse()),
        *(Feel(), Classify(), Tag(), Search()),
    )
}
"""Every application, by name."""


def evaluate(
    model: GPT,
    tokenizer: Tokenizer,
    task: str,
    splits: Sequence[str] = ("test", "compositional"),
    n: int = 300,
    name: str = "model",
    progress: bool = False,
) -> Table:
    """The figures of a model on one application, and those of its baselines, for each split.

    `n` examples a split, the first ones; `task` is a key of `APPLICATIONS`.
    Raises `ValueError` for another task or split.
    """
    if task not in APPLICATIONS:
        raise ValueError(f"task {task!r}: use one of {', '.join(APPLICATIONS)}")
    application = APPLICATIONS[task]
    table = Table(task, "split")
    for split in splits:
        for part, examples in _parts(application, split, n).items():
            for method, answers in application.baselines(examples).items():
                table.add(method, part, scores=application.score(answers, examples))
            answers = application.predict(model, tokenizer, examples, progress=progress)
            table.add(name, part, scores=application.score(answers, examples))
    return table


def _parts(application: Application[Any], split: str, n: int) -> dict[str, list[Any]]:
    """The examples of a split; the two kinds of queries are two tests."""
    examples = list(application.examples(split, n))
    if not isinstance(application, Search):
        return {split: examples}
    kinds = ("words", "paraphrase")
    return {f"{split}, {kind}": [e for e in examples if e.kind == kind] for kind in kinds}
