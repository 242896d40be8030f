"""Templates: a sentence in one language, split into literal text, slots and phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from gptlib.storyworld.reading import DataError, Line

ENGLISH_FORMS = (
    *("", "obj", "poss", "name", "noun", "plural", "in", "to"),
    *("he", "him", "his", "himself"),
)
CHINESE_FORMS = ("", "name", "noun", "poss", "他", "的", "一", "量", "这", "那", "里")

_PART = re.compile(r"\{([^{}]*)\}|<([a-z-]+)>")
_SLOT = re.compile(r"(?:(a|the) )?([a-z][a-z0-9]*)(?:\.([a-z]+))?(?::(.+))?$")
_WORD = re.compile(r"([A-Za-z]+(?:['’-][A-Za-z]+)*)(?:/([A-Z]+))?")
# Where a slot starts with a capital: after a full stop and in a quotation, but not after `?" `,
# since `"Where is it?" he asked` goes on.
_OPENS = re.compile(r'(?:[.!?] |\." |^"| ")$')


class Word(NamedTuple):
    """A word of a sentence: its part of speech and the role it names, if it names one."""

    text: str
    pos: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text and, in English, the words in it."""

    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """A place filled by a role or by an attribute of a role."""

    role: str
    attribute: str
    form: str
    article: str
    capital: bool


@dataclass(frozen=True, slots=True)
class Phrase:
    """A choice among the lines of a `phrase` block."""

    name: str


Part = Text | Slot | Phrase


@dataclass(frozen=True, slots=True)
class Template:
    """One paraphrase: English and Chinese parts with one meaning."""

    line: Line
    english: tuple[Part, ...]
    chinese: tuple[Part, ...]


def parse_template(line: Line, pos: dict[str, str]) -> Template:
    """Read `English | Chinese`; `pos` gives the part of speech of every literal English word."""
    english, chinese = line.fields(2)
    if "_" in (english, chinese):
        if english != chinese:
            raise DataError(line.where, "only one side is empty", "write - _ | _ or both texts")
        return Template(line, (), ())
    if not english or not chinese:
        raise DataError(line.where, "one language is missing", "write - English | Chinese")
    parts_en, parts_zh = _parts(line.where, english, pos), _parts(line.where, chinese, None)
    _same_meaning(line.where, parts_en, parts_zh)
    return Template(line, parts_en, parts_zh)


def _same_meaning(where: str, english: tuple[Part, ...], chinese: tuple[Part, ...]) -> None:
    """Refuse a Chinese side that tells what the English side does not."""
    told = {_referent(part) for part in english}
    told |= {part.role for part in english if isinstance(part, Slot)}
    for part in chinese:
        if isinstance(part, Phrase) and _referent(part) not in told:
            raise DataError(where, f"<{part.name}> only in Chinese", "use it in both languages")
        if isinstance(part, Slot) and part.attribute and _referent(part) not in told:
            slot = f"{{{_referent(part)}}}"
            raise DataError(where, f"{slot} only in Chinese", "use it in both languages")


def _referent(part: Part) -> str:
    if isinstance(part, Slot):
        return f"{part.role}.{part.attribute}" if part.attribute else part.role
    return f"<{part.name}>" if isinstance(part, Phrase) else ""


def _parts(where: str, text: str, pos: dict[str, str] | None) -> tuple[Part, ...]:
    parts: list[Part] = []
    end = 0
    for match in _PART.finditer(text):
        _literal(where, text[end : match.start()], pos, parts)
        if match[2]:
            parts.append(Phrase(match[2]))
        else:
            capital = pos is not None and bool(_OPENS.search(text[: match.start()]))
            parts.append(_slot(where, match[1], pos is not None, capital))
        end = match.end()
    _literal(where, text[end:], pos, parts)
    return tuple(parts)


def _literal(where: str, text: str, pos: dict[str, str] | None, parts: list[Part]) -> None:
    if "{" in text or "}" in text:
        raise DataError(
            where, f"unmatched brace in {text!r}", "write slots as {role} or {role:form}"
        )
    if text and pos is None:
        parts.append(Text(text))
    elif text and pos is not None:
        words: list[Word] = []
        for match in _WORD.finditer(text):
            word, tag = match.groups()
            found = tag or pos.get(word) or pos.get(word.lower())
            if not found:
                remedy = f"add it to a pos block or write {word}/VERB (its part of speech)"
                raise DataError(where, f"unknown word {word!r}", remedy)
            found = found if tag else _in_context(word, found, words, text[match.end() :], pos)
            words.append(Word(word, found))
        parts.append(Text(_WORD.sub(r"\1", text), tuple(words)))


def _in_context(word: str, tag: str, before: list[Word], after: str, pos: dict[str, str]) -> str:
    """The reading of `to` before a verb, and of `that` by itself or after a verb."""
    if word not in ("to", "that"):
        return tag
    following = _WORD.match(after.lstrip())
    next_tag = (following[2] or pos.get(following[1], "")) if following else ""
    if word == "to":
        verb = next_tag in ("VERB", "AUX") and not (following and following[1].endswith("ing"))
        return "PART" if verb else tag
    if next_tag in ("VERB", "AUX") or after[:1] in tuple(".,!?"):
        return "PRON"
    clause = before and before[-1].pos in ("VERB", "ADJ", "ADV") and next_tag not in ("NOUN", "ADJ")
    return "SCONJ" if clause else tag


def _slot(where: str, inner: str, english: bool, capital: bool) -> Slot:
    match = _SLOT.match(inner)
    if not match:
        raise DataError(
            where, f"cannot read slot {{{inner}}}", "write {role}, {role:form}, {a role}"
        )
    article, role, attribute, form = (group or "" for group in match.groups())
    forms = ENGLISH_FORMS if english else CHINESE_FORMS
    if form not in forms and not (english and "/" in form):
        known = ", ".join(filter(None, forms))
        raise DataError(where, f"unknown form {form!r}", f"use one of {known}")
    if article and form:
        raise DataError(where, f"{{{inner}}} has article and form", "keep one of the two")
    return Slot(role, attribute, form, article, capital)
