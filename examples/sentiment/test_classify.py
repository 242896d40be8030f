"""Does the project work? `python -m pytest`."""

import classify
import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(classify, "FOLDER", tmp_path / "model")


def test_it_learns_more_than_the_commonest_label(folder, capsys):
    with open("sentences.csv", encoding="utf-8") as file:
        labels = [line.rsplit(",", 1)[1].strip() for line in file][1:]
    commonest = 100 * max(labels.count(label) for label in set(labels)) / len(labels)
    assert classify.learn("sentences.csv", steps=60) > commonest + 10
    classify.main(["say", "Lily cried and cried.", "They were the best of friends."])
    assert len(capsys.readouterr().out.splitlines()) >= 2


def test_a_bad_file_is_told_line_by_line(folder, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("text,label\nGood.,positive\n,negative\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 3, text"):
        classify.learn(str(bad))


def test_nothing_learned_is_said(folder):
    with pytest.raises(SystemExit, match="nothing is learned yet"):
        classify.say(["Hello."])
