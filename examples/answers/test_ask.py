"""Does the project work? `python -m pytest`."""

import json
from pathlib import Path

import ask
import pytest

from gptlib.evaluation import exact_match

QUESTIONS = json.loads(Path("questions.json").read_text(encoding="utf-8"))


def test_most_questions_are_answered_from_the_right_story():
    stories = ask.read("stories.txt")
    places, answers = zip(
        *(ask.ask(stories, asked["question"]) for asked in QUESTIONS), strict=True
    )
    right = [place == asked["story"] for place, asked in zip(places, QUESTIONS, strict=True)]
    assert sum(right) >= 0.9 * len(right), places
    # "the hill" is as right as "On the hill": the field's measure looks over case and articles.
    assert exact_match(answers, [asked["answer"] for asked in QUESTIONS]).value >= 60, answers


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(SystemExit, match=r"nowhere\.txt: can't be read"):
        ask.read("nowhere.txt")


def test_a_file_without_a_story_is_said(tmp_path):
    empty = tmp_path / "empty.txt"
    empty.write_text("\n---\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="holds no story"):
        ask.read(str(empty))
