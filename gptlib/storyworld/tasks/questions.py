"""Questions about a story, their answers and where the text says them.

Every question is made from the clause of an event, or from an attribute's `asks` or `ends` line.
One that the story would answer in two ways is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from gptlib.storyworld.clause import Argument
from gptlib.storyworld.tasks.asking import Asked, Draw, fill, question_word
from gptlib.storyworld.tasks.doubtful import negatives, unanswerable
from gptlib.storyworld.tasks.example import Example
from gptlib.storyworld.tasks.summary import where_is
from gptlib.storyworld.tasks.telling import Span, Telling, Told

KINDS = ("who", "what", "where", "when", "why", "yes/no", "unanswerable")
EACH = 2
"""At most so many questions of a kind are asked of a story; of yes/no, so many of either answer."""


@dataclass(frozen=True, slots=True)
class Question(Example):
    """A question about a text; `text[start:stop] == answer` if the answer stands in the text."""

    text: str
    kind: str
    question: str
    answer: str
    """A span of the text, or `yes`, `no`; empty if the text does not answer the question."""
    start: int = -1
    stop: int = -1


def questions(telling: Telling) -> Iterator[Question]:
    """The questions on a story, by kind.

    >>> q = next(tasks.examples("questions", None, 1, level="nursery"))
    >>> q.question, q.answer, q.text[q.start : q.stop]
    ('Who had the drum?', 'Sam', 'Sam')
    """
    draw = Random(telling.story.seed).random
    asked = list(_settled(_all(telling)))
    for kind in KINDS:
        if kind == "yes/no":
            yes = _few([a for a in asked if a.answer == "yes"], draw)
            no = [a for a in asked if a.answer == "no"]
            chosen = yes + _few(no + negatives(telling, draw), draw)
        elif kind == "unanswerable":
            chosen = _few(unanswerable(telling, {a.question for a in asked}, draw), draw)
        else:
            chosen = _few([a for a in asked if a.kind == kind], draw)
        for a in chosen:
            start, stop = a.span or (-1, -1)
            answer = telling.text[start:stop] if a.span else a.answer
            yield Question(
                telling.story.seed, telling.text, a.kind, a.question, answer, start, stop
            )


def _few(asked: list[Asked], draw: Draw) -> list[Asked]:
    """At most `EACH` of them, drawn without replacement, in the order they were."""
    left = list(range(len(asked)))
    taken = [left.pop(int(draw() * len(left))) for _ in range(min(EACH, len(left)))]
    return [asked[i] for i in sorted(taken)]


def _settled(found: Iterator[tuple[object, Asked]]) -> Iterator[Asked]:
    """Each question once, and none for which the story has two answers."""
    first: dict[str, tuple[object, Asked]] = {}
    bad: set[str] = set()
    for answer, asked in found:
        if first.setdefault(asked.question, (answer, asked))[0] != answer:
            bad.add(asked.question)
    return (asked for _, asked in first.values() if asked.question not in bad)


def _all(telling: Telling) -> Iterator[tuple[object, Asked]]:
    """Every (answer by meaning, question) of a story."""
    for told in telling.told:
        if told.asked:
            yield from _arguments(telling, told)
            yield from _adjuncts(telling, told)
    yield from _attributes(telling)
    yield from _ending(telling)


def _arguments(telling: Telling, told: Told) -> Iterator[tuple[object, Asked]]:
    clause, who = told.clause, told.who
    assert clause
    yield True, Asked("yes/no", clause.question(who), "yes")
    for argument in clause.arguments:
        entry = who[argument.parameter]
        assert entry
        kind = question_word(telling, argument.role, entry)
        role = told.sentence.arguments[argument.parameter]
        span = telling.answer(role, told.sentence, kind == "where")
        if span:
            question = clause.question(who, kind.capitalize(), argument.parameter)
            yield entry, Asked(kind, question, "", span)


def _adjuncts(telling: Telling, told: Told) -> Iterator[tuple[object, Asked]]:
    """When, where and why, if the story says so beside the clause."""
    clause, who = told.clause, told.who
    assert clause
    time = _time(telling, told)
    if time and not told.event.notes.untimed:
        yield telling.text[slice(*time)], Asked("when", clause.question(who, "When"), "", time)
    cause = _cause(telling, told)
    if cause:
        because = reason(telling, cause)
        yield because, Asked("why", clause.question(who, "Why"), "", because)
    moves = any(
        telling.grammar.asks[path.partition(" ")[0].rpartition(".")[2]].locates
        for _, path in told.event.effects
    )
    subject = isinstance(clause.subject, Argument)
    if subject and not moves and not clause.places:
        role = where_is(telling, told)
        spot = telling.answer(role, told.sentence, True) if role else None
        if spot:
            place = told.sentence.entry(role)
            yield place, Asked("where", clause.question(who, "Where"), "", spot)


def _time(telling: Telling, told: Told) -> Span | None:
    """The words of a sentence that say when: one after another, `Monday morning`."""
    start = stop = -1
    for mention in told.sentence.mentions:
        if telling.label(mention.entry) == "TIME":
            if stop >= 0 and telling.text[stop : mention.start] != " ":
                break
            start, stop = (mention.start if start < 0 else start), mention.stop
    return (start, stop) if stop >= 0 else None


def _cause(telling: Telling, told: Told) -> Told | None:
    """The last event before that can be the cause and that somebody in the clause took part in."""
    names = {name for _, name in told.event.notes.because}
    clause = told.clause
    assert clause
    people = {told.who[a.parameter] for a in clause.arguments}
    for earlier in reversed(telling.told[: telling.told.index(told)] if names else []):
        if earlier.event.name in names and people & set(earlier.who.values()):
            return earlier
    return None


def reason(telling: Telling, cause: Told) -> Span:
    """A told cause as a clause: without opening words (`But then`), nor the full stop."""
    start, stop = cause.sentence.opening, cause.sentence.stop
    skipped = cause.sentence.text[: start - cause.sentence.start].split()
    for word in cause.sentence.words[len(skipped) :]:
        if word.pos not in ("CCONJ", "ADV") or not telling.text.startswith(word.text, start):
            break
        start += len(word.text)
        while telling.text[start] in " ,":
            start += 1
    while telling.text[stop - 1] in ".!":
        stop -= 1
    return start, stop


def _attributes(telling: Telling) -> Iterator[tuple[object, Asked]]:
    """What the story tells of somebody or something: `What colour was the ball?`."""
    for path, mentions in telling.mentions.items():
        role, dot, attribute = path.partition(".")
        notes = telling.grammar.asks.get(attribute)
        if not dot or not notes or not notes.asks:
            continue
        question = fill(telling, notes.asks, telling.cast.get(role))
        if question:
            m = mentions[0]
            span = (m.stop - len(m.entry.id), m.stop)
            for mention in mentions:
                yield mention.entry, Asked("what", question, "", span)


def _ending(telling: Telling) -> Iterator[tuple[object, Asked]]:
    """Who holds what at the end, from the last state."""
    last = telling.told[-1].sentence
    for attribute, notes in telling.grammar.asks.items():
        for role, entry in telling.cast.items() if notes.ends else ():
            if f"{role}.{attribute}" not in last.layout.cells:
                continue
            holder = last.role(f"{role}.{attribute}")
            for name, candidate in telling.cast.items():
                question = fill(telling, notes.ends, candidate, entry)
                if question and candidate is not entry:
                    answer = "yes" if name == holder else "no"
                    yield answer, Asked("yes/no", question, answer)
