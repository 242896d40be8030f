"""What a reader of a text can know: facts about the people and things it names.

The engine's state belongs to a plot, whose roles are known from the start. A reader has only the
text: who is somewhere may be unknown, and one who is not named may be anyone who fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gptlib.storyworld.grammar import Event, Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.matching import Mention, Reading

_CONDITION = re.compile(r"([a-z0-9.]+) (=|!=|is not|is|near|not near) ([a-z0-9.-]+)$")


class Unknown:
    """Somebody, something or somewhere that the text does not name; it may turn out later."""

    def __init__(self) -> None:
        self.same: Any = None


class Contradiction(Exception):
    """What the text says can't be, and why."""


class Rules:
    """What the grammar says about facts, gathered once."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        lines = [line for step in grammar.steps.values() for line in step]
        lines += [line for plot in grammar.plots.values() for line in plot.lines]
        untold = [c.arguments[0] for a in lines for c in a.items if c.name == "set"]
        self.open = frozenset(text.split(" = ")[0].partition(".")[2] for text in untold)
        """Attributes that steps set without telling: nobody knows them until told."""
        self.given: set[tuple[str, str]] = set()
        """(attribute, type): plots start with it set for the first of the type who is named."""
        for plot in grammar.plots.values():
            for _, text in plot.start:
                role, _, attribute = text.split(" = ")[0].partition(".")
                self.given.add((attribute, plot.roles[role].type))


class Belief:
    """The facts after the sentences read so far."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.open = rules.open
        self.facts: dict[tuple[Any, str], Any] = {}
        self.mentioned: dict[Entry, int] = {}
        """Who was mentioned, with the sentence of the last mention; the latest stands last."""
        self.given: dict[tuple[str, str], Entry] = {}
        """Who was the first of a type, of whom an attribute is set from the start."""
        self.now = 0

    def copy(self) -> Belief:
        """An independent belief with the same facts."""
        other = Belief(self.rules)
        other.open, other.facts = self.open, dict(self.facts)
        other.mentioned, other.given, other.now = dict(self.mentioned), dict(self.given), self.now
        return other

    def tell(self, reading: Reading) -> list[Belief]:
        """What can be believed after a sentence: one belief for each way to understand it.

        Raises `Contradiction` if it fits what was told before in no way.
        """
        before = self.copy()
        before.now += 1
        env: dict[str, Any] = {}
        # Qualities last: in "a red ball" the colour stands before the one who has it.
        for mention in sorted(reading.mentions, key=lambda m: bool(m.attribute)):
            before._meet(mention, reading, env)
        event = reading.event
        needs = [text for _, text in event.needs] + list(reading.template.line.conditions)
        left_out = [role for role in event.parameters if role not in env]
        problem: Contradiction | None = None
        found = []
        for others in before._who(left_out, reading, env):
            after = before.copy()
            try:
                after._happen(event, needs, {**env, **others})
            except Contradiction as reason:
                problem = problem or reason
            else:
                found.append(after)
        if not found and problem:
            raise problem
        return found

    def _who(
        self, roles: list[str], reading: Reading, env: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Whom the parameters that a sentence leaves out can mean: the last mentioned first."""
        if not roles:
            yield {}
            return
        kind = reading.event.parameters[roles[0]]
        for entry in [e for e in reversed(self.mentioned) if kind in e.tags] + [Unknown()]:
            if entry not in env.values():
                for rest in self._who(roles[1:], reading, {**env, roles[0]: entry}):
                    yield {roles[0]: entry, **rest}

    def _happen(self, event: Event, needs: list[str], env: dict[str, Any]) -> None:
        for text in needs:
            if not self._holds(text, env):
                raise Contradiction(self._explain(text, env))
        for _, text in event.effects:
            left, _, right = text.partition(" = ")
            role, _, attribute = left.partition(".")
            if isinstance(env.get(role), Unknown):
                self.open |= {attribute}  # it happened to somebody, so it may be true of anybody
            self.facts[env.get(role), attribute] = self._right(attribute, right, env)

    def _meet(self, mention: Mention, reading: Reading, env: dict[str, Any]) -> None:
        role = mention.role
        if mention.attribute:
            self._quality(mention, env)
            return
        if role not in env:
            names = [
                m.entries
                for m in reading.mentions
                if m.role == role and not m.attribute and not m.pronoun
            ]
            entries = frozenset.intersection(*names) if names else mention.entries
            if names:
                known = [e for e in reversed(self.mentioned) if e in entries]
                env[role] = known[0] if known else min(entries, key=lambda e: e.where)
            elif mention.text.lower() not in {p for e in mention.entries for p in e.pronouns}:
                return  # `was` or `were` alone names nobody
            else:
                env[role] = self._pronoun(mention)
        entry = env[role]
        if isinstance(entry, Entry):
            for attribute, kind in self.rules.given:
                if kind in entry.tags:
                    self.given.setdefault((attribute, kind), entry)
            self.mentioned.pop(entry, None)
            self.mentioned[entry] = self.now

    def _pronoun(self, mention: Mention) -> Entry:
        pronoun = next(iter(mention.entries)).pronoun
        able = [e for e in reversed(self.mentioned) if e.pronoun == pronoun]
        if not able:
            raise Contradiction(f"nobody was named whom {mention.text!r} can mean")
        recent = [e for e in able if self.mentioned[e] >= self.now - 1]
        if len(recent) > 1:
            both = " or ".join(e.name for e in recent[:2])
            raise Contradiction(f"{mention.text!r} is not clear: {both}?")
        if able[0] not in mention.entries:
            raise Contradiction(f"{mention.text!r} would be {able[0].name}, which does not fit")
        return able[0]

    def _quality(self, mention: Mention, env: dict[str, Any]) -> None:
        values = self.rules.grammar.attributes[mention.attribute]
        if values == "role" or mention.role not in env:
            return
        (entry, *others) = mention.entries
        key = env[mention.role], mention.attribute
        before = self._find(self.facts.get(key))
        if isinstance(before, Entry) and before not in mention.entries:
            who = _name(env[mention.role])
            raise Contradiction(f"{who}: {mention.attribute} is {entry.id}, but was {before.id}")
        if not others:
            self.facts[key] = entry

    def _find(self, value: Any) -> Any:
        while isinstance(value, Unknown) and value.same is not None:
            value = value.same
        return value

    def _open(self, entity: Any, attribute: str) -> bool:
        """Whether something can be true of somebody though no sentence told it."""
        if attribute in self.open or isinstance(entity, Unknown):
            return True
        return any(a == attribute and e is entity for (a, _), e in self.given.items())

    def _value(self, entity: Any, attribute: str) -> Any:
        key = entity, attribute
        if key not in self.facts:
            if not self._open(entity, attribute):
                return None
            self.facts[key] = Unknown()
        return self._find(self.facts[key])

    def _right(self, attribute: str, text: str, env: dict[str, Any]) -> Any:
        """What stands right of `=`: a path, none, a role, a word of the lexicon or a symbol."""
        role, dot, other = text.partition(".")
        if dot:
            return self._value(env.get(role), other)
        if text == "none":
            return None
        if text in env:
            return env[text]
        kind = self.rules.grammar.attributes.get(attribute, "")
        found = None
        if kind in self.rules.grammar.lexicon.parent:
            found = self.rules.grammar.lexicon.find(kind, text)
        return found or text

    def _holds(self, condition: str, env: dict[str, Any]) -> bool:
        match = _CONDITION.match(condition)
        assert match  # the grammar was checked when it was read
        left, operator, right = match.groups()
        role, _, attribute = left.partition(".")
        entity = env.get(role)
        if operator not in ("=", "!="):
            value = self._value(entity, attribute) if attribute else entity
            return self._described(self._find(value), operator, right, env)
        if right == "none":
            known = (entity, attribute) in self.facts or not attribute
            if not known and self._open(entity, attribute):
                return True
            value = self.facts.get((entity, attribute)) if attribute else entity
            return (value is None) == (operator == "=")
        a = self._value(entity, attribute) if attribute else entity
        b = self._find(self._right(attribute, right, env))
        if a is None or b is None:  # nobody and nothing: not even somebody unknown
            return (a is b) is (operator == "=")
        if isinstance(a, Unknown) or isinstance(b, Unknown):
            if operator == "=" and a is not b:
                self._identify(a, b)
            return True
        return bool(a == b) if operator == "=" else bool(a != b)

    def _identify(self, a: Any, b: Any) -> None:
        if isinstance(a, Unknown):
            a.same = b
        else:
            b.same = a

    def _described(self, value: Any, operator: str, right: str, env: dict[str, Any]) -> bool:
        if not isinstance(value, Entry):
            return True
        if "near" in operator:
            role, dot, attribute = right.partition(".")
            other = self._value(env.get(role), attribute) if dot else env.get(role)
            near = not isinstance(other, Entry) or (other.id in value.near)
            return near is (operator == "near") or not isinstance(other, Entry)
        return (right in value.tags) is (operator == "is")

    def _explain(self, condition: str, env: dict[str, Any]) -> str:
        names = {role: _name(self._find(entity)) for role, entity in env.items()}
        said = re.sub(r"\b[a-z0-9]+\b", lambda m: names.get(m[0], m[0]), condition)
        left = condition.split(" ")[0]
        role, _, attribute = left.partition(".")
        holds = ""
        if attribute:
            holds = f", but {names.get(role, role)}.{attribute} is "
            holds += _name(self._value(env.get(role), attribute))
        return f"this needs {said}{holds}"


def _name(value: Any) -> str:
    if isinstance(value, Entry):
        return value.name
    return "unknown" if isinstance(value, Unknown) else str(value or "none")
