"""Scores side by side, as plain text, Markdown or HTML."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from gptlib.evaluation.score import Score

Cell = Score | str | None


class Table:
    """Rows of names with their scores, one column a metric; a notebook shows it as HTML.

    >>> table = Table("method", "split")
    >>> table.add("majority", "test", scores=[Score("accuracy", 61.2, 58.1, 64.1, n=1000)])
    >>> print(table)
    method    split  accuracy              n
    majority  test   61.2 [58.1, 64.1]  1000

    Where all scores of a row are over as many examples, n has a column of its own; else it
    stands beside each score.
    """

    def __init__(self, *names: str) -> None:
        if not names:
            raise ValueError("a table needs the name of its first column, such as 'method'")
        self.names = names
        self.metrics: list[str] = []
        self._rows: list[tuple[tuple[str, ...], dict[str, Cell]]] = []

    def add(self, *names: str, scores: Iterable[Score] | Mapping[str, Cell]) -> None:
        """Add a row: a text for each leading column, then scores.

        Scores stand in the column of their metric's name, or of their key in a mapping.
        Raises ValueError where names are too many or too few, or a column has two scores.
        """
        if len(names) != len(self.names):
            raise ValueError(
                f"{len(names)} names {names} for the columns {', '.join(self.names)}: give one each"
            )
        cells: dict[str, Cell] = {}
        pairs: Iterable[tuple[str, Cell]] = (
            scores.items()
            if isinstance(scores, Mapping)
            else ((score.name, score) for score in scores)
        )
        for metric, score in pairs:
            if metric in cells:
                raise ValueError(f"two scores of this row are called {metric!r}")
            cells[metric] = score
        self.metrics += [metric for metric in cells if metric not in self.metrics]
        self._rows.append((names, cells))

    def __len__(self) -> int:
        return len(self._rows)

    def __str__(self) -> str:
        lines = self._lines()
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                # n is a number alone: to the right.
                cell.rjust(width) if last and self._counted else cell.ljust(width)
                for cell, width, last in zip(line, widths, self._last(line), strict=True)
            ).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def markdown(self) -> str:
        """The table in Markdown's pipes."""
        head, *rows = [[cell.replace("|", "\\|") for cell in line] for line in self._lines()]
        marks = ["---:" if last and self._counted else "---" for last in self._last(head)]
        return "\n".join(f"| {' | '.join(line)} |" for line in [head, marks, *rows])

    def _repr_html_(self) -> str:
        head, *rows = self._lines()
        body = "".join(_html_row("td", row) for row in rows)
        return f"<table><thead>{_html_row('th', head)}</thead><tbody>{body}</tbody></table>"

    def as_dicts(self) -> list[dict[str, Any]]:
        """Each row by column name, ready for JSON."""
        return [
            dict(zip(self.names, names, strict=True))
            | {
                metric: cell.as_dict() if isinstance(cell, Score) else cell
                for metric, cell in cells.items()
            }
            for names, cells in self._rows
        ]

    @property
    def _counted(self) -> bool:
        """Does n have a column: is it one number in each row?"""
        counts = [_counts(cells) for _, cells in self._rows]
        return any(counts) and all(len(each) <= 1 for each in counts)

    def _last(self, line: list[str]) -> list[bool]:
        return [*[False] * (len(line) - 1), True]

    def _lines(self) -> list[list[str]]:
        """Every line as texts, the names of columns first."""
        counted = self._counted
        lines = [[*self.names, *self.metrics, *["n"] * counted]]
        for names, cells in self._rows:
            line = [*names, *(_told(cells.get(metric), not counted) for metric in self.metrics)]
            lines.append([*line, *[str(n) for n in _counts(cells) or ("",)] * counted])
        return lines


def _counts(cells: Mapping[str, Cell]) -> set[int]:
    return {cell.n for cell in cells.values() if isinstance(cell, Score)}


def _told(cell: Cell, with_n: bool) -> str:
    if isinstance(cell, Score):
        return str(cell) if with_n else cell.cell
    return cell or ""


def _html_row(tag: str, cells: list[str]) -> str:
    # Notebooks set tables to the right, where names are hard to read.
    inner = (f'<{tag} style="text-align: left">{escape(cell)}</{tag}>' for cell in cells)
    return f"<tr>{''.join(inner)}</tr>"
