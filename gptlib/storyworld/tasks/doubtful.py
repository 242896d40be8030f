"""Questions whose answer is no, and plausible ones that the story does not answer."""

from __future__ import annotations

from gptlib.storyworld.clause import Argument
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.tasks.asking import Asked, Draw, fill, question_word
from gptlib.storyworld.tasks.telling import Telling, Told


def swap(telling: Telling, told: Told, inside: bool, draw: Draw) -> tuple[str, Entry] | None:
    """A parameter of a clause and somebody, or something, else of its type.

    If `inside` is allowed, somebody of this story who has no part in any event of this name, and
    of whom nothing is true that the event would make true; else somebody the story does not know.
    """
    clause = told.clause
    assert clause
    arguments = clause.arguments
    if not arguments:
        return None
    argument = arguments[int(draw() * len(arguments))]
    role = told.sentence.arguments[argument.parameter]
    if inside:
        family = telling.grammar.lexicon.family
        busy = {e for t in telling.told if t.event is told.event for e in t.who.values()}
        for name, entry in telling.cast.items():
            wanted = told.event.parameters[argument.parameter]
            if wanted not in family(entry.type) or entry in busy:
                continue
            if not _holds(telling, told, argument.parameter, name):
                return argument.parameter, entry
    known = set(telling.cast.values())
    others = [e for e in _candidates(telling, role) if e not in known]
    return (argument.parameter, others[int(draw() * len(others))]) if others else None


def _candidates(telling: Telling, role: str) -> list[Entry]:
    world = telling.story.world
    index = [plot.name for plot in world.plots].index(telling.story.plot)
    linked = world.linked(index)
    return linked.draws[linked.layout.cells[role]].entries


def _holds(telling: Telling, told: Told, parameter: str, name: str) -> bool:
    """Whether an effect of the event, with another role in it, is true at any time."""
    env = {**told.sentence.arguments, parameter: name}
    for _, effect in told.event.effects:
        left, _, right = effect.partition(" = ")
        owner, _, attribute = left.partition(".")
        if parameter not in (owner, right):
            continue
        value = env.get(right, right)
        for other in telling.told:
            fact = other.sentence.state.get(f"{env[owner]}.{attribute}")
            if fact is not None and fact == value:
                return True
    return False


def negatives(telling: Telling, draw: Draw) -> list[Asked]:
    """Yes/no questions with the answer no: something told, with somebody else in it."""
    found = []
    for told in _some(telling, draw):
        other = swap(telling, told, draw() < 0.5, draw)
        if other and told.clause:
            question = told.clause.question({**told.who, other[0]: other[1]})
            found.append(Asked("yes/no", question, "no"))
    return found


def unanswerable(telling: Telling, answered: set[str], draw: Draw) -> list[Asked]:
    """Questions on what is not told: a quality, or an event that did not happen."""
    texts: list[str] = []
    for attribute, notes in telling.grammar.asks.items():
        told_of = {path for path in telling.mentions if path.endswith("." + attribute)}
        if not notes.asks or not notes.open:
            continue
        if "{" not in notes.asks:
            texts += [] if told_of else [notes.asks]
            continue
        for role, entry in telling.cast.items():
            if f"{role}.{attribute}" not in told_of:
                texts.append(fill(telling, notes.asks, entry))
    for told in _some(telling, draw):
        clause = told.clause
        assert clause
        other = swap(telling, told, not told.event.effects and draw() < 0.5, draw)
        if not other:
            continue
        referents = {**told.who, other[0]: other[1]}
        left: list[Argument | None] = [a for a in clause.arguments if a.parameter != other[0]]
        asked = [*left, None][int(draw() * (len(left) + 1))]
        if asked is None:
            word = ("When", "Where", "Why")[int(draw() * 3)]
            if word != "Where" or not clause.places:
                texts.append(clause.question(referents, word))
        else:
            answer = told.who[asked.parameter]
            assert answer
            word = question_word(telling, asked.role, answer).capitalize()
            texts.append(clause.question(referents, word, asked.parameter))
    unique = dict.fromkeys(text for text in texts if text and text not in answered)
    return [Asked("unanswerable", text, "") for text in unique]


def _some(telling: Telling, draw: Draw, count: int = 3) -> list[Told]:
    asked = [told for told in telling.told if told.asked]
    return [asked.pop(int(draw() * len(asked))) for _ in range(min(count, len(asked)))]
