"""Whole notebooks: complete, damaged, and through the command."""

import json
from copy import deepcopy

import nbformat
import pytest

from gptlib.grading import report, run
from gptlib.grading.tasks import Exercise, shipped_sets
from tools import grade
from tools.exercises.__main__ import EXERCISES

pytestmark = pytest.mark.slow
NAMES = [tasks.name for tasks in shipped_sets()]


@pytest.fixture(autouse=True)
def progress_elsewhere(tmp_path, monkeypatch):
    """Grading is no learner's try; were it recorded, then here."""
    monkeypatch.setenv("GPTLIB_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.setattr(grade, "CACHE", tmp_path)
    return tmp_path


def solution(name):
    return nbformat.read(EXERCISES / "solutions" / f"{name}.ipynb", as_version=4)


def graded(notebook, path):
    nbformat.write(notebook, path)
    (result,) = report.grade([path])
    return result


@pytest.mark.parametrize("name", NAMES)
def test_solutions_get_full_marks_on_inputs_not_seen_before(name, tmp_path, capsys):
    assert grade.main([str(EXERCISES / "solutions" / f"{name}.ipynb")]) == 0
    assert "100 of 100 points" in capsys.readouterr().out
    (row,) = json.loads((tmp_path / "grades.json").read_text("utf-8"))
    assert (row["set"], row["points"]) == (name, 100)
    assert "100 of 100 points" in (tmp_path / "grades.html").read_text("utf-8")
    assert not (tmp_path / "progress.json").exists()


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_notebook_gets_nothing(name, capsys):
    assert grade.main([name.split("_")[0]]) == 1
    assert "0 of 100 points" in capsys.readouterr().out


def test_a_damaged_notebook_loses_only_what_is_missing(tmp_path):
    """Deleted, doubled, edited and forged check cells; a cell that fails; an answer left out."""
    book = solution("02_attention")
    position = {cell.id: n for n, cell in enumerate(book.cells)}
    cells = book.cells
    cells[position["02-1-check"]].source = "print('I edited this')"
    cells[position["02-2-check"]].metadata = {}
    cells[position["02-6-solution"]].source = "class CausalSelfAttention:\n    oops"
    cells.append(deepcopy(cells[position["02-3-check"]]))
    cells.append(nbformat.v4.new_code_cell("raise SystemError('a bad end')"))
    cells.append(nbformat.v4.new_code_cell("def attend(q, k, v):\n    return 0"))
    del cells[position["02-5-check"]]
    del cells[position["02-q1-answer"]]
    result = graded(book, tmp_path / "02_attention.ipynb")
    points = {verdict.task.id: verdict.points for verdict in result.verdicts}
    assert points == {
        "02.1": 12, "02.2": 14, "02.q1": 0, "02.3": 16, "02.4": 14,
        "02.q2": 3, "02.5": 16, "02.6": 0, "02.q3": 3,
    }  # fmt: skip
    notes = {verdict.task.id: verdict.note for verdict in result.verdicts if verdict.note}
    assert "answer_q1" in notes["02.q1"]


def test_a_cell_that_never_ends_and_one_that_kills_the_kernel(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "CELL_SECONDS", 20)
    for n, bad in enumerate(["while True: pass", "import os; os._exit(1)"]):
        book = solution("02_attention")
        place = next(n for n, cell in enumerate(book.cells) if cell.id == "02-3-solution")
        book.cells.insert(place, nbformat.v4.new_code_cell(bad))
        result = graded(book, tmp_path / f"{n}.ipynb")  # known by its cells, not by its name
        points = {verdict.task.id: verdict.points for verdict in result.verdicts}
        assert points["02.1"] == 12
        assert points["02.q1"] == 3
        assert points["02.3"] == 0
        assert any("a cell above" in verdict.note for verdict in result.verdicts)


def test_files_that_are_no_notebook_stop_nothing(tmp_path):
    (tmp_path / "bad.ipynb").write_text("{", "utf-8")
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "other.ipynb")
    results = report.grade([tmp_path / n for n in ("bad.ipynb", "other.ipynb", "none.ipynb")])
    assert [bool(result.note) for result in results] == [True] * 3
    assert [result.full for result in results] == [False] * 3
    assert "no file" in report.as_table(results)


def test_another_runner_takes_the_place_of_the_kernel():
    def runner(notebook, cases):
        return run.Run({}, dict.fromkeys(cases, "the runner said no"))

    path = EXERCISES / "solutions" / "02_attention.ipynb"
    (result,) = report.grade([path], run=runner)
    exercises = [v for v in result.verdicts if isinstance(v.task, Exercise)]
    assert {verdict.note for verdict in exercises} == {"the runner said no"}
    assert result.points == 0
