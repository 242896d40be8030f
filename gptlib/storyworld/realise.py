"""Naming a known referent in English and Chinese: pronoun or name, articles, measure words.

The choice between name and pronoun is a function of the discourse, so it costs no probability: a
pronoun stands only for the last referent of its class, when no other one was mentioned in this
sentence or the one before.
"""

from __future__ import annotations

from collections.abc import Callable

from gptlib.storyworld.lexicon import Entry
from gptlib.storyworld.state import DISCOURSE, PRONOUN_RUN, SENTENCE, State
from gptlib.storyworld.template import Slot

Say = Callable[[State, int, Entry], str]
"""(state, cell of the role, its entry) -> text; notes the mention in the state."""

MAX_RUN = 3
"""A subject is named again after this many pronouns in a row."""


def mention(s: State, role: int, entry: Entry) -> bool:
    """Note a mention; True if a pronoun is unambiguous for it."""
    cell = DISCOURSE + 3 * entry.pronoun
    now = s[SENTENCE]
    if s[cell] == role:
        clear = s[cell + 1] >= now - 1 > s[cell + 2]
    else:
        clear = False
        s[cell + 2] = s[cell + 1]
        s[cell] = role
    s[cell + 1] = now
    return bool(clear)


def _subject(s: State, role: int, entry: Entry) -> str:
    if mention(s, role, entry) and s[PRONOUN_RUN] < MAX_RUN:
        s[PRONOUN_RUN] += 1
        return entry.pronouns[0]
    s[PRONOUN_RUN] = 0
    return entry.name


def _object(s: State, role: int, entry: Entry) -> str:
    return entry.pronouns[1] if mention(s, role, entry) else entry.name


def _possessive(s: State, role: int, entry: Entry) -> str:
    if mention(s, role, entry):
        return entry.pronouns[2]
    return entry.name + ("'" if entry.name.endswith("s") and entry.pronoun == 3 else "'s")


def _fixed(field: str) -> Say:
    def say(s: State, role: int, entry: Entry) -> str:
        mention(s, role, entry)
        return str(getattr(entry, field))

    return say


def _pronoun(index: int) -> Say:
    def say(s: State, role: int, entry: Entry) -> str:
        mention(s, role, entry)
        return entry.pronouns[index]

    return say


def _agree(singular: str, plural: str) -> Say:
    return lambda s, role, entry: plural if entry.pronoun == 3 else singular


def quality(s: State, slot: Slot, cell: int, role: int) -> str:
    """An adjective (`red`), with an article that agrees with the `role` it describes, if any."""
    entry: Entry = s[cell]
    text = entry.id
    if slot.article == "a":
        text = f"some {text}" if role and s[role].pronoun == 3 else entry.a_id
    return text[0].upper() + text[1:] if slot.capital else text


def english(slot: Slot) -> Say:
    """How an English slot names its referent."""
    say = _ENGLISH.get(slot.article or slot.form)
    if say is None:
        singular, _, plural = slot.form.partition("/")
        say = _agree(singular, plural)
    if not slot.capital:
        return say

    def capital(s: State, role: int, entry: Entry) -> str:
        text = say(s, role, entry)
        return text[:1].upper() + text[1:]

    return capital


_ENGLISH: dict[str, Say] = {
    "": _subject,
    "obj": _object,
    "poss": _possessive,
    "he": _pronoun(0),
    "him": _pronoun(1),
    "his": _pronoun(2),
    "himself": _pronoun(3),
    "name": _fixed("name"),
    "the": _fixed("name"),
    "noun": _fixed("noun"),
    "plural": _fixed("plural"),
    "a": _fixed("a_noun"),
    "in": _fixed("in_phrase"),
    "to": _fixed("to_phrase"),
}


def _chinese_subject(s: State, role: int, entry: Entry) -> str:
    if mention(s, role, entry) and "person" in entry.tags and s[PRONOUN_RUN] < MAX_RUN:
        s[PRONOUN_RUN] += 1
        return entry.pronouns[4]
    s[PRONOUN_RUN] = 0
    return entry.zh


def _chinese_possessive(s: State, role: int, entry: Entry) -> str:
    clear = mention(s, role, entry) and "person" in entry.tags
    return (entry.pronouns[4] if clear else entry.zh) + "的"


CHINESE: dict[str, Say] = {
    "": _chinese_subject,
    "poss": _chinese_possessive,
    "name": _fixed("zh"),
    "noun": _fixed("zh_noun"),
    "他": _pronoun(4),
    "的": lambda s, role, entry: entry.zh + "的",
    "一": lambda s, role, entry: f"一{entry.measure}{entry.zh_noun}",
    "这": lambda s, role, entry: f"这{entry.measure}{entry.zh_noun}",
    "那": lambda s, role, entry: f"那{entry.measure}{entry.zh_noun}",
    "量": lambda s, role, entry: entry.measure,
    "里": _fixed("zh_in"),
}
"""How a Chinese slot names its referent, by form."""
