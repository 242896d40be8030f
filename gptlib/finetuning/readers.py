"""Examples from a list, a JSONL or CSV file, or a data set: checked row by row, none left out."""

import csv
import io
import json
import math
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

Kind = type | Collection[Any]  # what a field holds: a type, or the values it can have
SHOWN = 20  # bad rows in a message
NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
_BROKEN = re.compile("[\ud800-\udfff]")


class BadRows(ValueError):
    """Rows that can't be used; `problems` has a (line, field, reason) for each, in order."""

    def __init__(self, source: str, what: str, problems: list[tuple[int, str, str]]) -> None:
        self.problems = problems
        shown = [
            f"  {what} {line}{f', {field}' if field else ''}: {reason}"
            for line, field, reason in problems[:SHOWN]
        ]
        if len(problems) > SHOWN:
            shown.append(f"  and {len(problems) - SHOWN} more")
        n_rows = len({line for line, _, _ in problems})
        rows = "1 bad row" if n_rows == 1 else f"{n_rows} bad rows"
        super().__init__("\n".join([f"{source}: {rows}", *shown]))


def read_examples(
    source: str | os.PathLike[str] | Iterable[Mapping[str, Any]],
    fields: Mapping[str, Kind] | Collection[str],
) -> list[dict[str, Any]]:
    """The named fields of every row, in order.

    Args:
        source: a `.jsonl`, `.csv` or `.tsv` file in UTF-8, or dictionaries from anywhere: a list,
            or one split of a Hugging Face data set.
        fields: names of texts, or for each name what it holds: a type (str, int, float, bool,
            list), or the values that it can have, such as ("positive", "negative"). A text may
            not be empty. A CSV's cells are read as the type.

    Raises `BadRows` for rows that lack a field, hold something else or can't be read: all of them
    in one error, each with its line (or its place in a list, from 1). Raises `ValueError` for a
    file of another kind, without rows, or without the columns.

    >>> read_examples("reviews.csv", {"text": str, "label": ("good", "bad")})
    """
    kinds: Mapping[str, Kind] = (
        fields if isinstance(fields, Mapping) else dict.fromkeys(fields, str)
    )
    if isinstance(fields, str) or not kinds:
        raise ValueError(f"fields={fields!r}: give a list of names, or what each holds")
    if isinstance(source, str | os.PathLike):
        path = Path(source).expanduser()
        readers = {".jsonl": _jsonl, ".csv": _csv, ".tsv": _csv}
        if path.suffix.lower() not in readers:
            raise ValueError(f"{path}: is not a {', '.join(readers)} file; name it by what it is")
        name, what = str(path), "line"
        rows = readers[path.suffix.lower()](path, _text(path), list(kinds))
        convert = path.suffix.lower() != ".jsonl"
    else:
        name, what, convert = type(source).__name__, "row", False
        rows = enumerate(source, start=1)
    examples: list[dict[str, Any]] = []
    problems: list[tuple[int, str, str]] = []
    for line, row in rows:
        if not isinstance(row, Mapping):
            reason = row if isinstance(row, _Unreadable) else f"is no dictionary: {_short(row)}"
            problems.append((line, "", reason))
            continue
        example = {}
        for field, kind in kinds.items():
            try:
                example[field] = _value(row, field, kind, convert)
            except ValueError as error:
                problems.append((line, field, str(error)))
        examples.append(example)
    if problems:
        raise BadRows(name, what, problems)
    if not examples:
        raise ValueError(f"{name}: has no rows")
    return examples


class _Unreadable(str):
    """Why a line is no row."""


Rows = Iterator[tuple[int, Any]]  # line, and what stands there


def _text(path: Path) -> str:
    """A file's text. A byte that is not UTF-8 becomes half a surrogate, for its row to report."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path}: can't be read: {error.strerror or error}") from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError(f"{path}: is UTF-16: save it as UTF-8")
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="surrogateescape")


def _jsonl(path: Path, text: str, fields: list[str]) -> Rows:
    # Only a newline ends a line: JSON's strings may hold the others that Unicode knows.
    for number, line in enumerate(text.rstrip().split("\n") if text.strip() else [], start=1):
        try:
            yield number, json.loads(line) if line.strip() else _Unreadable("is empty")
        except (ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            yield number, _Unreadable(f"is no JSON: {reason}: {_short(line)}")


def _csv(path: Path, text: str, fields: list[str]) -> Rows:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    lines = io.StringIO(text.rstrip("\r\n"), newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    limit = csv.field_size_limit(2**31 - 1)  # the usual one is shorter than a book's chapter
    try:
        parsed = list(_parse(reader))
    finally:
        csv.field_size_limit(limit)
    _, header = parsed[0] if parsed else (1, [])
    if isinstance(header, _Unreadable):
        raise ValueError(f"{path}: line 1 {header}")
    header = [name.strip() for name in header]
    for field in fields:
        if header.count(field) != 1:
            many = "several columns" if field in header else "no column"
            raise ValueError(f"{path}: has {many} {field!r}; its columns are {_short(header)}")
    for line, cells in parsed[1:]:
        if isinstance(cells, _Unreadable) or len(cells) == len(header):
            yield line, cells if isinstance(cells, str) else dict(zip(header, cells, strict=True))
        elif not cells:
            yield line, _Unreadable("is empty")
        else:
            yield line, _Unreadable(f"has {len(cells)} cells, the header has {len(header)}")


def _parse(reader: Any) -> Rows:
    while True:
        line = reader.line_num + 1  # a row with line breaks in it is known by its first line
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, _Unreadable(f"is no CSV: {error}; is a quote missing, or one too many?")


def _value(row: Mapping[str, Any], field: str, kind: Kind, convert: bool) -> Any:
    if field not in row:
        raise ValueError(f"is missing; the row has {_short(list(row))}")
    value = row[field].item() if isinstance(row[field], np.generic) else row[field]
    text = value
    if convert or (kind is float and type(value) is int):
        value = _converted(value, kind)
    if isinstance(kind, type):
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"is {_short(text)}, not {NAMES.get(kind, kind.__name__)}")
    elif not any(type(value) is type(known) and value == known for known in kind):
        raise ValueError(f"is {_short(text)}, not one of {_short(list(kind))}")
    if isinstance(value, str | list) and not (value.strip() if isinstance(value, str) else value):
        raise ValueError("is empty")
    if isinstance(value, str) and (broken := _BROKEN.search(value)):
        raise ValueError(_not_text(value, broken.start()))
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"is {_short(text)}, not a finite number")
    return value


def _converted(value: Any, kind: Kind) -> Any:
    """A cell of a CSV as what it should be, or as it is where it can't be that."""
    if not isinstance(kind, type):
        return next((known for known in kind if str(known) == value), value)
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    try:
        return kind(value) if kind in (int, float) else value
    except ValueError:
        return value


def _not_text(value: str, place: int) -> str:
    code = ord(value[place])
    if 0xDC80 <= code <= 0xDCFF:  # a byte, as `_text` lets it through
        return f"holds the byte 0x{code - 0xDC00:02X}, which is no UTF-8: save the file as UTF-8"
    return f"holds half of a surrogate pair, U+{code:04X}, which is no character"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
