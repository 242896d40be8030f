"""The README's table of applications is that of the figures that were measured."""

import pytest

from tools.applications_table import BEGIN, END, README, ROWS, load, section, written


def test_the_readme_shows_what_was_measured():
    text = README.read_text(encoding="utf-8")
    assert text == written(text, section(load())), "run python -m tools.applications_table"


def test_every_application_has_a_row():
    assert {task for _, task, *_ in ROWS} == load().keys()


def test_another_figure_makes_another_table():
    tables = load()
    before = section(tables)
    for row in tables["forms"]:
        row["EM"] |= {"value": 12.3}
    assert "12.3 [" in section(tables)
    assert section(tables) != before


def test_a_readme_without_the_marks_is_not_written_over():
    with pytest.raises(ValueError, match="are missing"):
        written("Nothing here.", BEGIN + END)
