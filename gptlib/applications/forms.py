"""Semantic parsing: what a sentence of a story says, as a logical form."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from gptlib import storyworld
from gptlib.applications.application import Application, stories
from gptlib.applications.asking import replies
from gptlib.applications.constrained import Constrained
from gptlib.evaluation import Score, baselines, form_match, valid_forms
from gptlib.model import GPT
from gptlib.storyworld.clause import ROLES
from gptlib.storyworld.tasks.logic import FormError, Logic, begins, order, parse, signature, symbol
from gptlib.tokenizer import Tokenizer


class Parse(Application[Logic]):
    """`give(agent: lily, theme: ball)`; who "she" is, the story before the sentence tells."""

    name = "forms"
    task = "logic"
    room = 80

    def text(self, example: Logic) -> str:
        return example.context + example.text

    def request(self, example: Logic) -> str:
        return f"\nParse: {example.text}\nForm:"

    def answer(self, example: Logic) -> str:
        return f" {example.form}"

    def predict(
        self,
        model: GPT,
        tokenizer: Tokenizer,
        examples: Sequence[Logic],
        progress: bool = False,
        constrained: bool = True,
    ) -> Sequence[str]:
        """The form of each sentence; unless `constrained`, it may be none."""
        said = replies(
            model, tokenizer, [self.prompt(example) for example in examples], self.room,
            grammar=(lambda: grammar(tokenizer)) if constrained else None, progress=progress,
        )  # fmt: skip
        return [answer.strip() for answer in said]

    def baselines(self, examples: Sequence[Logic]) -> Mapping[str, Sequence[str]]:
        seen = self.learned()
        table = baselines.NearestNeighbour([e.text for e in seen], [e.form for e in seen])
        return {"nearest sentence": table.predict(example.text for example in examples)}

    def score(self, predictions: Sequence[str], examples: Sequence[Logic]) -> list[Score]:
        right, groups = [example.form for example in examples], stories(examples)
        return [
            form_match(predictions, right, groups=groups),
            valid_forms(predictions, known(), groups=groups),
        ]


def grammar(tokenizer: Tokenizer) -> Constrained:
    """A processor that lets a model write valid forms only.

    Predicates and names are the story world's, roles are in order. As every name ends, so do forms.
    """
    return Constrained(tokenizer, _begins, _complete)


@cache
def known() -> dict[str, tuple[str, ...]]:
    """Every predicate of the story world, with the roles that it can have."""
    return signature(storyworld.world().grammar)


@cache
def names() -> tuple[frozenset[str], frozenset[str]]:
    """Who and what a form can be about, and the attributes that it can tell of them."""
    grammar = storyworld.world().grammar
    entries = (entry for group in grammar.lexicon.entries.values() for entry in group.values())
    return frozenset(map(symbol, entries)), frozenset(grammar.attributes)


def _begins(text: str) -> bool:
    """Whether a form can begin so: by its grammar, and with a name that can stand there."""
    if text[:1] not in ("", " ") or not begins(text[1:], known()):
        return False
    predicate, bracket, inside = text[1:].partition("(")
    if not bracket:
        return True
    start = re.split(r"[^a-z0-9_-]", inside)[-1]
    before = inside.removesuffix(start).rstrip(" ")
    if before[-1:] not in ("", ",", ":", "["):
        return True  # behind a bracket: no name stands here
    return any(name.startswith(start) for name in _choices(predicate, before))


def _choices(predicate: str, before: str) -> Iterator[str]:
    """The names that can stand behind this much of what is inside a form's brackets."""
    symbols, attributes = names()
    _, _, inner = before.rpartition("[")
    if before.endswith(":"):
        yield from symbols
    elif before.rfind("[") > before.rfind("]"):  # an attribute, in alphabetical order
        last = (re.findall(r"([a-z0-9_-]+):", inner) or [""])[-1]
        yield from (name for name in attributes if name > last)
    else:  # an argument, in canonical order
        given = re.findall(r"([a-z0-9_-]+):", re.sub(r"\[.*?\]", "", before))
        for name in (*known()[predicate], *attributes.difference(ROLES)):
            if not given or order(name) > order(given[-1]):
                yield name


def _complete(text: str) -> bool:
    try:
        parse(text[1:], known())
    except FormError:
        return False
    return text[:1] == " "
