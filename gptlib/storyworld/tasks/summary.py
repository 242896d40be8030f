"""Summaries: one or two sentences of the events that make the plot, said in plain clauses.

The problem is the first sentence; help, outcome and moral are the second. What is said is the
event itself, so a summary cannot claim what did not happen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gptlib.storyworld.clause import Argument
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.telling import Telling, Told

PROBLEMS = 2
"""A summary tells at most so many problems; of help, outcome and moral, the last of each."""


@dataclass(frozen=True, slots=True)
class Summary(Example):
    """A story and its summary."""

    text: str
    summary: str


def summarise(telling: Telling) -> Iterator[Summary]:
    """The summary of a story.

    >>> next(tasks.examples("summary", None, 1, level="nursery")).summary.split(". ")[0]
    'Sam lost the drum in the garden'
    """
    parts: dict[str, list[Told]] = {}
    for told in telling.told:
        if told.asked:
            parts.setdefault(told.event.notes.part, []).append(told)
    first = parts.get("problem", [])[:PROBLEMS]
    last = [parts[part][-1] for part in ("help", "outcome", "moral") if part in parts]
    last.sort(key=lambda told: told.sentence.start)
    if not first + last:
        plain = [told for told in telling.told if told.asked]
        first, last = plain[:1], plain[1:][-1:]
    groups = [group for group in (first, last) if group]
    sentences = [_sentence(telling, group, i == 0) for i, group in enumerate(groups)]
    yield Summary(telling.story.seed, telling.text, " ".join(sentences))


def _sentence(telling: Telling, group: list[Told], place: bool) -> str:
    """Clauses joined by commas and `and`; a subject is left out where it is the one before.

    With `place`, the first clause says where it happened.
    """
    clauses = []
    before = ""
    for told in group:
        clause = told.clause
        assert clause
        subject = clause.topic(told.who)
        same = subject == before
        clauses.append(("" if same else subject + " ") + clause.predicate(told.who))
        before = subject
        if place and len(clauses) == 1:
            clauses[0] += _place(telling, told)
    text = clauses[0]
    for i, clause_text in enumerate(clauses[1:], 1):
        joint = " and " if len(clauses) == 2 and clause_text[0].islower() else ", and "
        text += (joint if i == len(clauses) - 1 else ", ") + clause_text
    return text[0].upper() + text[1:] + "."


def _place(telling: Telling, told: Told) -> str:
    """` in the park`: where the subject is, if it was told and the clause does not say it."""
    if told.clause is None or told.clause.places:
        return ""
    role = where_is(telling, told)
    entry = told.sentence.entry(role) if role else None
    return f" {entry.in_phrase}" if entry else ""


def where_is(telling: Telling, told: Told) -> str:
    """The role that is the place of a clause's subject, if it was told before; else empty."""
    clause = told.clause
    if not clause or not isinstance(clause.subject, Argument):
        return ""
    subject = told.sentence.arguments[clause.subject.parameter]
    for attribute, notes in telling.grammar.asks.items():
        if notes.locates:
            role = told.sentence.role(f"{subject}.{attribute}")
            mentions = telling.mentions.get(role)
            return role if mentions and mentions[0].start < told.sentence.stop else ""
    return ""
