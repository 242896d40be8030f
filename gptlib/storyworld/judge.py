"""The judge: is a text, such as one that a model wrote, grammatical and consistent?

*Grammatical*: every sentence is one that the story world's paraphrases can print. *Consistent*:
the events can happen in this order: nobody gives what they do not hold, speaks when absent, is in
two places; a pronoun means one; what was red stays red. No plot has to tell it.
"""

from __future__ import annotations

from dataclasses import dataclass

from gptlib.storyworld.belief import Belief, Contradiction, Rules
from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.matching import Matcher, Reading

MAX_STEPS = 4000
"""Sentence readings tried before the judge gives up looking for a consistent one."""


@dataclass(frozen=True)
class Verdict:
    """What the judge found; `reason` and `position` tell the first thing wrong, if any."""

    grammatical: bool
    consistent: bool
    reason: str = ""
    position: int | None = None
    """Index in the text of the sentence that is wrong."""

    def __bool__(self) -> bool:
        return self.grammatical and self.consistent


class Judge:
    """Judges texts by a grammar at a level; it keeps nothing from one text to the next."""

    def __init__(self, grammar: Grammar, level: str) -> None:
        self._matcher = Matcher(grammar, level)
        self._rules = Rules(grammar)

    def check(self, text: str) -> Verdict:
        """The verdict on a text; a text that can't be read is not consistent either."""
        if not text:
            return Verdict(False, False, "the text is empty", 0)
        readings = self._matcher.sentences(text)
        if len(text) not in readings:
            start = max(readings)
            return Verdict(False, False, f"no sentence reads {_excerpt(text, start)}", start)
        problem = self._contradiction(readings, len(text), text)
        if problem:
            return Verdict(True, False, problem[1], problem[0])
        return Verdict(True, True)

    def _contradiction(
        self, readings: dict[int, list[Reading]], end: int, text: str
    ) -> tuple[int, str] | None:
        """The furthest contradiction among all ways to read the text; None if one way has none."""
        furthest = (0, "the text can be read in too many ways")
        stack = [(0, Belief(self._rules))]
        for _ in range(MAX_STEPS):
            if not stack:
                break
            at, belief = stack.pop()
            if at == end:
                return None
            for reading in reversed(readings[at]):
                after = min((p for p in readings if p >= reading.stop), default=end)
                try:
                    stack += [(after, later) for later in reversed(belief.tell(reading))]
                except Contradiction as problem:
                    if at >= furthest[0]:
                        furthest = (at, f"{_excerpt(text, at)}: {problem}")
        return furthest


def _excerpt(text: str, start: int) -> str:
    words = text[start : start + 60].split("\n")[0]
    return repr(words + ("..." if len(text) > start + 60 else ""))
