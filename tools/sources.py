"""Read a notebook's source: a plain Python file in jupytext's percent format."""

import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jupytext

# Raise this when the builder writes something else for the same source: every notebook is then
# out of date and gets built again.
BUILDER_VERSION = 1

TAGS = {
    "nbval-ignore-output": "the output differs by machine; the cell is run, not compared",
    "allow-stderr": "the cell is meant to write to stderr",
}
# What jupytext notes about the layout of the file: of no interest in a notebook.
_LAYOUT_METADATA = {"lines_to_next_cell", "lines_to_end_of_cell_marker", "cell_marker"}
_MARKER = re.compile(r"# %%(\s|$)")
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class BuildError(Exception):
    """Why a notebook was not built: one line that says where, and what is wrong."""


@dataclass(frozen=True)
class Cell:
    """One cell as its author wrote it: prose still holds its templates."""

    id: str
    kind: str  # "code" or "markdown"
    text: str
    tags: tuple[str, ...]
    name: str | None
    number: int  # its place in the notebook, from 1
    line: int  # of the source file, where its text begins


@dataclass(frozen=True)
class Source:
    """A source file and its cells."""

    label: str  # its path from the course's folder, with forward slashes
    cells: tuple[Cell, ...]

    @cached_property
    def sha256(self) -> str:
        """A digest of everything that ends up in the notebook."""
        content = [BUILDER_VERSION, [(c.id, c.kind, c.text, c.tags, c.name) for c in self.cells]]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def error(self, cell: Cell, message: str, line_in_cell: int = 1) -> BuildError:
        """An error at a line of a cell, in the form that editors make clickable."""
        where = f"{self.label}:{cell.line + line_in_cell - 1}: cell {cell.number} ({cell.kind})"
        return BuildError(f"{where}: {message}")


def read_source(path: Path, root: Path) -> Source:
    """Read the source file at `path`, below the course's folder `root`.

    Raises `BuildError` for a file that can't be read or breaks a convention of tools/README.md.
    """
    label = path.resolve().relative_to(root.resolve()).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BuildError(f"{label}: {error}") from None
    lines = text.splitlines()
    markers = [i for i, line in enumerate(lines, start=1) if _MARKER.match(line)]
    parsed = jupytext.reads(text, fmt="py:percent").cells
    if len(parsed) != len(markers):
        # Lines could not be named in messages: so neither text before the first marker, nor a
        # marker inside a string.
        raise BuildError(
            f"{label}: {len(markers)} lines begin with '# %%', but jupytext reads {len(parsed)} "
            "cells; start every cell, and only cells, with '# %%'"
        )
    cells: list[Cell] = []
    for number, (marker, node) in enumerate(zip(markers, parsed, strict=True), start=1):
        cell = Cell(
            id="",
            kind=node.cell_type,
            text=node.source.strip("\n"),
            tags=tuple(node.metadata.get("tags", ())),
            name=node.metadata.get("name"),
            number=number,
            line=_first_line(lines, marker),
        )
        source = Source(label, ())
        _check(source, cell, set(node.metadata) - _LAYOUT_METADATA - {"tags", "name"})
        cells.append(cell)
    if not cells:
        raise BuildError(f"{label}: no cells; start each with '# %%' or '# %% [markdown]'")
    return Source(label, _with_ids(label, cells))


def _first_line(lines: list[str], marker: int) -> int:
    """The line of the first text after a marker; both count from 1."""
    for number in range(marker + 1, len(lines) + 1):
        if _MARKER.match(lines[number - 1]):
            break
        if lines[number - 1].strip() not in ("", "#", '"""', "'''"):
            return number
    return marker


def _check(source: Source, cell: Cell, unknown: set[str]) -> None:
    if cell.kind not in ("code", "markdown"):
        raise source.error(cell, "only code and markdown cells are used")
    if not cell.text.strip():
        raise source.error(cell, "an empty cell")
    if unknown:
        raise source.error(
            cell, f"the marker sets {', '.join(sorted(unknown))}; it may set tags=[...] and name="
        )
    for tag in cell.tags:
        if tag not in TAGS:
            raise source.error(cell, f"unknown tag {tag!r}; the tags are {', '.join(sorted(TAGS))}")
    if cell.name is not None and not _NAME.fullmatch(cell.name):
        raise source.error(
            cell, f"the name {cell.name!r} needs small letters, digits and single hyphens"
        )


def _with_ids(label: str, cells: list[Cell]) -> tuple[Cell, ...]:
    """Give each cell its name as id, or a hash of its text: an edit elsewhere leaves it alone.

    Of cells with the same text the second gets "-2", and so on.
    """
    seen: Counter[str] = Counter()
    result = []
    for cell in cells:
        digest = hashlib.sha256(f"{cell.kind}\n{cell.text}".encode()).hexdigest()[:8]
        id_ = cell.name or digest
        seen[id_] += 1
        if seen[id_] > 1:
            if cell.name:
                raise Source(label, ()).error(cell, f"a second cell named {cell.name!r}")
            id_ = f"{id_}-{seen[id_]}"
        result.append(Cell(**{**cell.__dict__, "id": id_}))
    return tuple(result)
