"""Reading the data files: blocks of indented lines, each with its place kept for errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LEVELS = ("nursery", "meadow", "full")
"""Difficulty levels, smallest first."""

BLOCKS = (
    *("version", "attribute", "type", "pos", "phrase", "event", "step", "plot"),
    *("entity", "gloss"),
)
_MARK = re.compile(r"@([a-z]+)(?:\.\.([a-z]+))?$")
_NUMBER = re.compile(r"\d+(?:\.\d+)?$")


class DataError(ValueError):
    """A data file is wrong: the message names the file and line, what is wrong and what to do."""

    def __init__(self, where: str, what: str, remedy: str) -> None:
        super().__init__(f"{where}: {what}; {remedy}")


@dataclass(frozen=True)
class Line:
    """One `- [options] text` line: its weight, the levels it belongs to, and its conditions."""

    where: str
    text: str
    weight: float
    levels: tuple[int, int]
    conditions: tuple[str, ...]

    def fields(self, count: int) -> list[str]:
        """The parts of the text between bars; raises `DataError` unless there are `count`."""
        parts = [part.strip() for part in self.text.split("|")]
        if len(parts) != count:
            shape = " | ".join(["English", "Chinese", "fields"][:count])
            raise DataError(
                self.where, f"{len(parts)} parts between bars, not {count}", f"write - {shape}"
            )
        return parts


@dataclass
class Block:
    """A header at the margin (`event give(a: person)`) and the indented lines below it."""

    where: str
    kind: str
    head: str
    levels: tuple[int, int]
    lines: list[Line] = field(default_factory=list)
    plain: list[tuple[str, str]] = field(default_factory=list)
    """Indented lines without a dash, as (where, text)."""


def read_blocks(folder: Path) -> list[Block]:
    """Every block of every `*.txt` file below `folder`, files in order of their names."""
    files = sorted(folder.rglob("*.txt"), key=lambda path: path.relative_to(folder).as_posix())
    if not files:
        raise DataError(str(folder), "no .txt files here", "point at a folder of story data")
    return [
        block
        for path in files
        for block in _blocks(path.relative_to(folder).as_posix(), path.read_text("utf-8"))
    ]


def _blocks(name: str, text: str) -> Iterator[Block]:
    block: Block | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        body = raw.strip()
        if not body or body[0] == "#":
            continue
        where = f"{name}:{number}"
        if not raw[0].isspace():
            if block:
                yield block
            kind, _, head = body.partition(" ")
            if kind not in BLOCKS:
                raise DataError(where, f"unknown block {kind!r}", f"use one of {', '.join(BLOCKS)}")
            head, levels = _take_mark(where, head.strip())
            block = Block(where, kind, head, levels or (len(LEVELS) - 1, len(LEVELS) - 1))
        elif block is None:
            raise DataError(where, "an indented line before any block", "start with a header")
        elif body.startswith("- "):
            block.lines.append(parse_line(where, body[2:].strip(), block.levels))
        else:
            block.plain.append((where, body))
    if block:
        yield block


def _take_mark(where: str, text: str) -> tuple[str, tuple[int, int] | None]:
    """Split a trailing `@meadow` or `@nursery..meadow` off a header."""
    head, _, last = text.rpartition(" ")
    if not last.startswith("@"):
        return text, None
    return head.strip(), _levels(where, last)


def _levels(where: str, mark: str) -> tuple[int, int]:
    match = _MARK.match(mark)
    names = [name for name in match.groups() if name] if match else []
    if not names or any(name not in LEVELS for name in names):
        raise DataError(where, f"unknown level {mark!r}", "use @" + ", @".join(LEVELS))
    last = LEVELS.index(names[1]) if len(names) == 2 else len(LEVELS) - 1
    return LEVELS.index(names[0]), last


def parse_line(where: str, body: str, levels: tuple[int, int]) -> Line:
    """Read `[options] text`; `levels` are those of its block."""
    weight = 1.0
    conditions = []
    if body.startswith("["):
        options, bracket, body = body[1:].partition("]")
        if not bracket:
            raise DataError(where, "'[' without ']'", "close the options before the text")
        for option in (part.strip() for part in options.split(",")):
            if _NUMBER.match(option):
                weight = float(option)
            elif option.startswith("@"):
                levels = _levels(where, option)
            else:
                conditions.append(option)
    if weight <= 0:
        raise DataError(where, "a weight of 0", "give a weight above 0 or delete the line")
    return Line(where, body.strip(), weight, levels, tuple(conditions))
