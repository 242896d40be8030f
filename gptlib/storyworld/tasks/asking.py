"""A question before it is chosen, and questions filled in from the data's lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gptlib.storyworld.clause import PLACES
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.tasks.telling import Span, Telling

Draw = Callable[[], float]
"""The next random number from [0, 1)."""

_SLOT = re.compile(r"\{([a-z]+)(?::([a-z]+)/([a-z]+))?\}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: its answer if that is no span, and where the text gives it if it is one."""

    kind: str
    question: str
    answer: str
    span: Span | None = None


def fill(telling: Telling, line: str, *entries: Entry | None) -> str:
    """An `asks` or `ends` line about entries of its types, in order; empty if one does not fit.

    `{thing:was/were}` agrees with the entry that `{thing}` names.
    """
    family = telling.grammar.lexicon.family
    given: dict[str, Entry] = {}
    left = list(entries)
    for match in _SLOT.finditer(line):
        kind = match[1]
        if kind not in given:
            entry = left.pop(0) if left else None
            if entry is None or kind not in family(entry.type):
                return ""
            given[kind] = entry

    def say(match: re.Match[str]) -> str:
        entry = given[match[1]]
        if match[2]:
            return match[3] if entry.pronoun == 3 else match[2]
        return entry.name

    text = _SLOT.sub(say, line)
    return text[0].upper() + text[1:]


def question_word(telling: Telling, role: str, entry: Entry) -> str:
    """The word that asks for an argument: `where` for places, `who` for people and animals."""
    if role in PLACES:
        return "where"
    return "who" if telling.label(entry) in ("PERSON", "ANIMAL") else "what"
