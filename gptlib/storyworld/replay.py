"""What a story means, read off the choices that made it: no choice is made or weighed again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.linking import (
    Alt,
    Bind,
    Choice,
    Item,
    LinkedPlot,
    Paragraph,
    Quality,
    Say,
    Set,
    Tell,
)
from gptlib.storyworld.machine import StoryError, utter
from gptlib.storyworld.realise import CHINESE
from gptlib.storyworld.state import DISCOURSE, GAP, SENTENCE, Env, Layout, State, apply
from gptlib.storyworld.template import Part, Phrase, Slot, Text, Word

WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_CHINESE_END = DISCOURSE + 12


class Mention(NamedTuple):
    """What a slot printed: `story.text[start:stop]` names or describes a role."""

    start: int
    stop: int
    role: str
    """The role (`toy`), or the attribute told of it (`toy.colour`)."""
    entry: Entry
    form: str
    """How it was named: a form of the template language, or an article."""


@dataclass(frozen=True)
class Sentence:
    """One event as it was told, and the world after it."""

    text: str
    start: int
    stop: int
    """`story.text[start:stop]` is this sentence."""
    zh: str
    event: str
    arguments: dict[str, str]
    """Parameter of the event -> role of the plot."""
    words: tuple[Word, ...]
    mentions: tuple[Mention, ...]
    opening: int
    """Where the sentence begins behind an opening phrase (`Then`); `start` if it has none."""
    template: str
    """File and line of the paraphrase."""
    layout: Layout = field(repr=False, compare=False)
    cells: State = field(repr=False, compare=False)

    @cached_property
    def state(self) -> dict[str, str]:
        """Every fact after the sentence: `{"hero": "Lily", "hero.at": "home", ...}`."""
        return self.layout.facts(self.cells)

    def entry(self, path: str) -> Entry | None:
        """Who or what a role or an attribute of the plot is after the sentence; None if untold."""
        cell = self.layout.cells.get(path)
        value = self.cells[cell] if cell is not None else None
        value = self.cells[value] if isinstance(value, int) else value
        return value if isinstance(value, Entry) else None

    def role(self, path: str) -> str:
        """The role an attribute points to after the sentence (`hero.at`: `place`), or empty."""
        cell = self.layout.cells.get(path)
        value = self.cells[cell] if cell is not None else None
        return self.layout.name(value) if isinstance(value, int) else ""


class Replay:
    """Tells a story again along its recorded choices and notes what each sentence means."""

    def __init__(self, plot: LinkedPlot, choices: list[int]) -> None:
        self.plot = plot
        self.sentences: list[Sentence] = []
        self.zh = ""
        self._choices = iter(choices)
        self._state = s = plot.start[:]
        self._discourse: list[object] = s[:_CHINESE_END]
        self._length = 0
        self._sentence: list[str] = []
        self._words: list[Word] = []
        self._mentions: list[Mention] = []
        self._phrases: list[tuple[str, Alt]] = []
        self._opening = 0
        self._run(plot.root)
        untold = [key.name for key in plot.keys if s[key.cell] is None]
        if untold:
            raise StoryError(f"plot {plot.plot.name} ended without telling {', '.join(untold)}")
        self.key = "/".join([plot.plot.name, *(s[key.cell].id for key in plot.keys)])
        self.outcome = plot.outcome(s)

    def _run(self, item: Item) -> None:
        s = self._state
        if isinstance(item, Choice):
            for inner in item.alts[next(self._choices)].items:
                self._run(inner)
        elif isinstance(item, Tell):
            self._tell(item)
        elif isinstance(item, Paragraph):
            s[SENTENCE] += 1
            s[GAP] = "\n\n"
        elif isinstance(item, Set):
            apply(s, item.effects)

    def _tell(self, tell: Tell) -> None:
        s = self._state
        s[SENTENCE] += 1
        gap, s[GAP] = s[GAP], " "
        self._length += len(gap)
        start = self._opening = self._length
        self._sentence, self._words, self._mentions, self._phrases = [], [], [], []
        alt = tell.choice.alts[next(self._choices)]
        self._print(alt.items)
        self._check(tell)
        chinese = self._translate(tell, alt)
        self.zh += ("\n\n" if gap == "\n\n" else "") + chinese
        apply(s, tell.effects)
        text = "".join(self._sentence)
        text = text[0].upper() + text[1:] if text[0] > "Z" else text
        self.sentences.append(
            Sentence(
                text,
                start,
                self._length,
                chinese,
                tell.event.name,
                tell.env,
                tuple(self._words),
                tuple(self._mentions),
                self._opening,
                alt.where,
                self.plot.layout,
                s[:],
            )
        )

    def _print(self, items: tuple[Item, ...]) -> None:
        s = self._state
        for item in items:
            if isinstance(item, Text):
                self._words += item.words
                self._sentence.append(item.text)
                self._length += len(item.text)
            elif isinstance(item, Choice):
                alt = item.alts[next(self._choices)]
                self._phrases.append((item.name, alt))
                first = not self._sentence
                self._print(alt.items)
                if first:
                    self._opening = self._length
            else:
                self._fill(item, s)

    def _fill(self, item: Item, s: State) -> None:
        assert isinstance(item, Say | Quality | Bind)
        if isinstance(item, Bind):
            draw, cell = item.draw, item.draw.cell
        else:
            cell = s[item.cell] if isinstance(item, Say) and item.indirect else item.cell
            found = self.plot.draws.get(cell) if isinstance(item, Say) else item.draw
            assert found is not None or s[cell] is not None
            draw = found  # type: ignore[assignment]
        if s[cell] is None:
            s[cell] = draw.entries[next(self._choices)]
        if isinstance(item, Bind):
            return
        text = utter(item, s, cell)
        role, entry, start = self.plot.names[cell], s[cell], self._length
        self._words += _tagged(text, entry, self.plot.grammar, role)
        self._length = start + len(text)
        self._sentence.append(text)
        form = item.slot.article or item.slot.form
        self._mentions.append(Mention(start, self._length, role, entry, form))

    def _check(self, tell: Tell) -> None:
        """Needs are tested when the sentence has told who is who, before its effects."""
        if not all(test(self._state) for test in tell.needs):
            facts = self.plot.layout.facts(self._state)
            event = f"{tell.event.name}({', '.join(tell.env.values())}) ({tell.event.where})"
            raise StoryError(f"{event} is told but what it needs does not hold in {facts}")

    def _translate(self, tell: Tell, alt: Alt) -> str:
        """The sentence in Chinese, told like the English of the state before its effects."""
        z = self._state[:]
        z[:_CHINESE_END] = self._discourse
        z[SENTENCE] = self._state[SENTENCE]
        text = "".join([self._chinese(part, tell.env, z, alt.where) for part in alt.chinese])
        self._discourse = z[:_CHINESE_END]
        return text

    def _chinese(self, part: Part, env: Env, z: State, where: str) -> str:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Phrase):
            at = [name for name, _ in self._phrases].index(part.name)
            alt = self._phrases.pop(at)[1]
            return "".join([self._chinese(inner, env, z, where) for inner in alt.chinese])
        return self._chinese_slot(part, env, z, where)

    def _chinese_slot(self, slot: Slot, env: Env, z: State, where: str) -> str:
        role = env.get(slot.role, slot.role)
        cell: Any = self.plot.layout.cells[f"{role}.{slot.attribute}" if slot.attribute else role]
        if slot.attribute:
            if isinstance(z[cell], Entry):
                return str(z[cell].zh) + ("的" if slot.form == "的" else "")
            cell = z[cell]
        if z[cell] is None:
            raise StoryError(f"{where}: {{{slot.role}}} is told in Chinese alone")
        return CHINESE[slot.form](z, cell, z[cell])


@lru_cache(maxsize=8192)
def _tagged(text: str, entry: Entry, grammar: Grammar, role: str) -> tuple[Word, ...]:
    """The words that a slot printed for an entry, with their parts of speech."""
    own = set(WORD.findall(entry.id.lower()))
    common = set(WORD.findall(f"{entry.noun} {entry.plural}".lower()))
    words = []
    for word in WORD.findall(text):
        lower = word.lower()
        pronoun = lower in entry.pronouns
        bare = lower.removesuffix("'s").removesuffix("'")
        if bare in own:
            pos = entry.pos
        elif bare in common:
            pos = "NOUN"
        else:
            pos = "PRON" if pronoun else grammar.pos.get(lower, "X")
        words.append(Word(word, pos, role))
    return tuple(words)
