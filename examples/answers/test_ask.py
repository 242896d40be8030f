"""Does the project work? `python -m pytest`."""

import json
from pathlib import Path

import ask
import pytest

QUESTIONS = json.loads(Path("questions.json").read_text(encoding="utf-8"))


def test_most_questions_are_answered_from_the_right_story():
    stories = ask.read("stories.txt")
    found = [ask.ask(stories, asked["question"]) for asked in QUESTIONS]
    places = [place == asked["story"] for (place, _), asked in zip(found, QUESTIONS, strict=True)]
    right = [answer == asked["answer"] for (_, answer), asked in zip(found, QUESTIONS, strict=True)]
    assert sum(places) >= 0.7 * len(places), found
    assert sum(right) >= 0.6 * len(right), found


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(SystemExit, match=r"nowhere\.txt: can't be read"):
        ask.read("nowhere.txt")


def test_a_file_without_a_story_is_said(tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("\n---\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="holds no story"):
        ask.read(str(empty))
