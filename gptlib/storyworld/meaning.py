"""A story and, when asked for, its meaning: sentences, events, states, tags and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from gptlib.storyworld.grammar import Grammar
from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.linking import Choice, LinkedPlot, Paragraph, Quality, Say, Tell
from gptlib.storyworld.machine import End, Move, StoryError, begin, moves
from gptlib.storyworld.realise import CHINESE
from gptlib.storyworld.splits import World, split_of
from gptlib.storyworld.state import DISCOURSE, Env, State
from gptlib.storyworld.template import Part, Phrase, Slot, Text

_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_CHINESE_END = DISCOURSE + 12


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a sentence: its part of speech and the role it names, if it names one."""

    text: str
    pos: str
    role: str = ""


@dataclass(frozen=True, slots=True)
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
    state: dict[str, str]
    """Every fact after the sentence: `{"hero": "Lily", "hero.at": "home", ...}`."""
    template: str
    """File and line of the paraphrase."""


@dataclass
class Story:
    """A story: its text, its exact log-probability in nats, and on demand its meaning."""

    text: str
    log_prob: float
    seed: int
    plot: str
    world: World = field(repr=False)
    choices: list[int] = field(repr=False)
    """Index of every line and entry chosen, in the order told."""

    @cached_property
    def sentences(self) -> list[Sentence]:
        """The sentences, read back from the choices; `StoryError` if an event's needs fail."""
        return self._reader.sentences

    @cached_property
    def events(self) -> list[tuple[str, dict[str, str]]]:
        """(event, {parameter: entry}) of every sentence."""
        return [
            (s.event, {name: s.state.get(role, role) for name, role in s.arguments.items()})
            for s in self.sentences
        ]

    @property
    def zh(self) -> str:
        """The story in Simplified Chinese."""
        return self._reader.zh

    @property
    def key(self) -> str:
        """What decides the split: the plot and its key roles, `lost/Lily/ball`."""
        return self._reader.key

    @property
    def split(self) -> str:
        """The split the story belongs to."""
        return split_of(self.key)

    @cached_property
    def _reader(self) -> _Reader:
        index = [plot.name for plot in self.world.plots].index(self.plot)
        return _Reader(self.world.linked(index), self.choices)


class _Reader:
    """Walks the machine along recorded choices and notes what each sentence means."""

    def __init__(self, plot: LinkedPlot, choices: list[int]) -> None:
        self.plot = plot
        self.sentences: list[Sentence] = []
        self.zh = ""
        self._text = ""
        self._start = 0
        self._zh = ""
        self._template = ""
        self._words: list[Word] = []
        self._picked: list[tuple[Choice, Move]] = []
        self._discourse: list[object] = plot.start[:_CHINESE_END]
        self._break = ""
        rest, state = begin(plot)
        made = 0
        while rest is not None:
            if isinstance(rest[0], End):
                self._check(rest[0].tell, state)
                self._translate(rest[0].tell, state)
            only = choices[made] if made < len(choices) else None
            (move,) = moves(plot, rest, state, only=only)
            made += move.index is not None
            self._note(move)
            rest, state = move.rest, move.state
        untold = [key.name for key in plot.keys if state[key.cell] is None]
        if untold:
            raise StoryError(f"plot {plot.plot.name} ended without telling {', '.join(untold)}")
        self.key = "/".join([plot.plot.name, *(state[key.cell].id for key in plot.keys)])

    def _check(self, tell: Tell, s: State) -> None:
        """Needs are tested when the sentence has told who is who, before its effects."""
        if not all(test(s) for test in tell.needs):
            facts = self.plot.layout.facts(s)
            event = f"{tell.event.name}({', '.join(tell.env.values())}) ({tell.event.where})"
            raise StoryError(f"{event} is told but what it needs does not hold in {facts}")

    def _note(self, move: Move) -> None:
        item = move.item
        if isinstance(item, Tell):
            self._start = len(self._text) + len(move.text)
            self._words, self._picked = [], []
        elif isinstance(item, End):
            self._close(item.tell, move.state)
        elif isinstance(item, Paragraph):
            self._break = "\n\n"
        elif isinstance(item, Choice):
            self._picked.append((item, move))
        elif isinstance(item, Text):
            self._words += [Word(word, pos) for word, pos in item.words]
        elif isinstance(item, Say | Quality):
            cell = item.cell
            if isinstance(item, Say) and item.indirect:
                cell = move.state[cell]
            role = self.plot.layout.name(cell)
            for word, pos in _tagged(move.text, move.state[cell], self.plot.grammar):
                self._words.append(Word(word, pos, role))
        self._text += move.text

    def _translate(self, tell: Tell, s: State) -> None:
        """The sentence in Chinese, told like the English of the state before its effects."""
        template = next(move.alt for choice, move in self._picked if choice is tell.choice)
        assert template is not None
        self._template = template.where
        z = s[:]
        z[:_CHINESE_END] = self._discourse
        z[0] = s[0]
        self._zh = "".join(self._chinese(part, tell.env, z) for part in template.chinese)
        self._discourse = z[:_CHINESE_END]
        self.zh += self._break + self._zh
        self._break = ""

    def _close(self, tell: Tell, s: State) -> None:
        self.sentences.append(
            Sentence(
                text=self._text[self._start :],
                start=self._start,
                stop=len(self._text),
                zh=self._zh,
                event=tell.event.name,
                arguments=dict(tell.env),
                words=tuple(self._words),
                state=self.plot.layout.facts(s),
                template=self._template,
            )
        )

    def _chinese(self, part: Part, env: Env, z: State) -> str:
        if isinstance(part, Text):
            return part.text
        if isinstance(part, Phrase):
            names = [choice.name for choice, _ in self._picked]
            at = names.index(part.name, 1)  # 0 is the choice of the paraphrase itself
            alt = self._picked.pop(at)[1].alt
            assert alt is not None
            return "".join(self._chinese(inner, env, z) for inner in alt.chinese)
        return self._chinese_slot(part, env, z)

    def _chinese_slot(self, slot: Slot, env: Env, z: State) -> str:
        role = self.plot.layout.cell("", slot.role, env)
        if slot.attribute:
            role = self.plot.layout.cell("", f"{slot.role}.{slot.attribute}", env)
            if isinstance(z[role], Entry):
                return str(z[role].zh) + ("的" if slot.form == "的" else "")
            role = z[role]
        if z[role] is None:
            raise StoryError(f"{self._template}: {{{slot.role}}} is told in Chinese alone")
        return CHINESE[slot.form](z, role, z[role])


@lru_cache(maxsize=4096)
def _tagged(text: str, entry: Entry, grammar: Grammar) -> list[tuple[str, str]]:
    """(word, part of speech) of the words that a slot printed for an entry."""
    own = set(_WORD.findall(f"{entry.id} {entry.noun} {entry.plural}".lower()))
    words = []
    for word in _WORD.findall(text):
        lower = word.lower()
        pronoun = lower in entry.pronouns
        named = lower.removesuffix("'s").removesuffix("'") in own
        pos = entry.pos if named else "PRON" if pronoun else grammar.pos.get(lower, "X")
        words.append((word, pos))
    return words
