"""Does the project work? `python -m pytest`."""

import math

import notes
import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(notes, "FOLDER", tmp_path / "model")


def test_it_learns_and_goes_on(capsys):
    loss = notes.learn("notes", steps=60)
    assert loss < math.log(512) - 0.5, "no better than chance"
    said = notes.go_on("To do:", tokens=20, seed=0)
    assert said.startswith("To do:")
    assert len(said) > len("To do:") + 5
    assert said in capsys.readouterr().out


def test_too_few_notes_are_refused(tmp_path):
    few = tmp_path / "few.txt"
    few.write_text("Buy milk.", encoding="utf-8")
    with pytest.raises((SystemExit, ValueError)):
        notes.learn(str(few))


def test_nothing_learned_is_said():
    with pytest.raises(SystemExit, match="nothing is learned yet"):
        notes.go_on("To do:")
