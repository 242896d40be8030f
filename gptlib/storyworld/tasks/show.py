"""A story and all its tasks as a page of plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any
from unicodedata import east_asian_width

from gptlib import storyworld
from gptlib.storyworld.tasks import of_story
from gptlib.storyworld.tasks.questions import Question
from gptlib.storyworld.tasks.tags import Tags

WIDTH = 96
_COLUMN = 16
_HITS = 6


def page(index: int, split: str | None = None, level: str = "full") -> str:
    """The story `index` of a split, then each task under its name."""
    story = storyworld.story(index, level, split)
    tasks = of_story(index, split, level)
    lines = [f"{story.seed}  {story.key}", "=" * WIDTH]
    for paragraph in story.text.split("\n\n"):
        lines += [*wrap(paragraph, WIDTH), ""]
    lines.append(f"log p = {story.log_prob:.2f} nats")
    theme = tasks["theme"][0]
    rows = [("summary", tasks["summary"][0].summary), ("theme", theme.label)]
    lines += _section("The story as a whole", [*rows, ("outcome", theme.outcome)])
    lines += _section("Questions", ((q.kind, _question(q)) for q in tasks["questions"]))
    lines += _section(
        "Search: stories that answer, by grade",
        ((q.kind, f"{q.query}  ->  {_hits(q.relevant)}") for q in tasks["search"]),
    )
    lines += _section("Sentences: sentiment, translation, logical form", _sentences(tasks))
    lines += ["", "Words: part of speech, entity (O left out)"]
    for tags in tasks["tags"]:
        lines += ["", *_aligned(tags)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A title and rows of a name with its text beside it, wrapped."""
    yield from ("", title)
    for name, text in rows:
        first = True
        for line in _wrap(text):
            yield f"  {name if first else '':{_COLUMN - 2}}{line}"
            first = False


def _wrap(text: str) -> list[str]:
    """Lines that fit beside the names; Chinese has no spaces, and its characters take two."""
    room = WIDTH - _COLUMN
    if not text or not _wide(text[:3]):
        return wrap(text, room) or [""]
    return [text[i : i + room // 2] for i in range(0, len(text), room // 2)]


def _wide(text: str) -> bool:
    return any(east_asian_width(letter) == "W" for letter in text)


def _question(q: Question) -> str:
    if q.kind == "unanswerable":
        return q.question
    place = f"  [{q.start}:{q.stop}]" if q.start >= 0 else ""
    return f"{q.question}  ->  {q.answer}{place}"


def _hits(relevant: dict[int, int]) -> str:
    best = sorted(relevant, key=lambda story: (-relevant[story], story))
    some = ", ".join(f"{story} ({relevant[story]})" for story in best[:_HITS])
    return some + (f", {len(best) - _HITS} more" if len(best) > _HITS else "")


def _sentences(tasks: dict[str, list[Any]]) -> Iterator[tuple[str, str]]:
    forms = {len(logic.context): logic.form for logic in tasks["logic"]}
    for pair, feeling in zip(tasks["translation"], tasks["sentiment"], strict=True):
        yield feeling.label, pair.text
        yield "", pair.zh
        yield "", forms.get(len(pair.context), "")


def _aligned(tags: Tags) -> Iterator[str]:
    """Tokens with their tags below them, in columns, broken where the page ends."""
    rows: list[list[str]] = [[], [], []]
    used = 0
    for column in zip(tags.tokens, tags.pos, tags.entities, strict=True):
        cells = (column[0], column[1], "" if column[2] == "O" else column[2])
        width = max(map(len, cells)) + 1
        if used + width > WIDTH - 2:
            yield from _rows(rows)
            rows, used = [[], [], []], 0
        for row, cell in zip(rows, cells, strict=True):
            row.append(cell.ljust(width))
        used += width
    yield from _rows(rows)


def _rows(rows: list[list[str]]) -> Iterator[str]:
    texts = ("  " + "".join(row) for row in rows)
    return (text for text in texts if text.strip())
