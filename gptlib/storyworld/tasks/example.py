"""The base of every task's examples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Example:
    """One input with its expected output; `story` is the index of the story it comes from."""

    story: int

    def as_dict(self) -> dict[str, Any]:
        """Every field by name, nested tuples kept."""
        return asdict(self)
