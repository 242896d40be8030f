"""A small world written for a test: `make_world(text)` reads it as a data file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gptlib.storyworld import Grammar, World

MakeWorld = Callable[[str], World]


@pytest.fixture
def make_world(tmp_path: Path) -> MakeWorld:
    def make(text: str) -> World:
        (tmp_path / "story.txt").write_text(text, encoding="utf-8")
        return World(Grammar(tmp_path), "nursery")

    return make
