"""`gptlib grade`: what a notebook got, on the screen and in files; one line for what is none."""

import json
import sys
from pathlib import Path

import nbformat
import pytest

from gptlib.grading.tasks import find

from .conftest import call, program

pytest.importorskip("nbclient")

SOLUTIONS = Path(__file__).resolve().parents[2] / "exercises" / "solutions"


def graded(folder, break_it=None, name="02_attention.ipynb"):
    """A notebook with the solutions of set 02, changed, and what the command says to it."""
    book = nbformat.read(SOLUTIONS / "02_attention.ipynb", as_version=4)
    if break_it:
        break_it(book.cells, {cell.id: n for n, cell in enumerate(book.cells)})
    nbformat.write(book, folder / name)
    return call("grade", folder / name, "--html", folder / "p.html", "--json", folder / "p.json")


@pytest.mark.slow
def test_full_marks_from_a_program_of_its_own(tmp_path):
    done = program("grade", SOLUTIONS / "02_attention.ipynb", folder=tmp_path)
    assert done.code == 0, done.err
    assert done.err == ""
    first, *rows = done.out.splitlines()
    assert first == "02_attention.ipynb: 100 of 100 points"
    assert [row.split()[0] for row in rows] == [task.id for task in find("02.1")[0].tasks]
    assert list(tmp_path.iterdir()) == []  # neither progress nor anything else


@pytest.mark.slow
def test_what_is_missing_is_said_on_the_screen_and_in_both_files(tmp_path):
    def change(cells, place):
        cells[place["02-2-solution"]].source = (
            "def attend(q, k, v):\n"
            "    weights = (q @ k.transpose(-2, -1) / math.sqrt(v.shape[-1])).softmax(dim=-1)\n"
            "    return weights @ v, weights"
        )
        cells[place["02-q1-answer"]].source = "answer_q1 = None"

    done = graded(tmp_path, change, "mine.ipynb")  # known by what it checks
    assert (done.code, done.err) == (1, "")
    lost = 12 + next(task.points for task in find("02.1")[0].tasks if task.id == "02.q1")
    assert f"mine.ipynb: {100 - lost} of 100 points" in done.out
    says = "values' width"
    assert says in next(row for row in done.out.splitlines() if row.strip().startswith("02.2"))
    (row,) = json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert (row["set"], row["points"], row["out_of"]) == ("02_attention", 100 - lost, 100)
    tasks = {task["id"]: task for task in row["tasks"]}
    assert tasks["02.2"]["points"] == 2
    assert says in tasks["02.2"]["diagnosis"]
    assert tasks["02.q1"]["note"] == "Not started yet."
    page = (tmp_path / "p.html").read_text("utf-8")
    assert f"{100 - lost} of 100 points" in page
    assert page.count("<details>") > 3  # hints to fold open


@pytest.mark.slow
def test_odd_cells_cost_nothing(tmp_path):
    """The file's name says which set it is; cells that are none are left out."""
    book = json.loads((SOLUTIONS / "02_attention.ipynb").read_text("utf-8"))
    book["cells"][0:0] = [{"cell_type": "code", "source": "1 / 0", "metadata": {"nbgrader": 5}}]
    book["metadata"] = {"kernelspec": {"name": "julia", "display_name": "Julia"}}
    for cell in book["cells"]:
        cell.pop("id", None)
    (tmp_path / "02_attention.ipynb").write_text(json.dumps(book), "utf-8")
    done = call("grade", tmp_path / "02_attention.ipynb")
    assert done == (0, done.out, "")
    assert "100 of 100 points" in done.out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no file"),
        ("", "can't be read as a notebook (NotJSONError)"),
        ("[1]", "can't be read as a notebook"),
        (b"\xff\x00", "can't be read as a notebook (UnicodeDecodeError)"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 5}', "can't be read"),
        ('{"nbformat": 9, "nbformat_minor": 0, "metadata": {}, "cells": []}', "can't be read"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "holds no exercise"),
    ],
)
def test_what_is_no_notebook_of_ours_is_one_line(tmp_path, content, says):
    file = tmp_path / "work.ipynb"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = call("grade", file, "--json", tmp_path / "grades.json")
    assert done.code == 1
    assert done.out == ""
    assert says in done.line()
    assert "work.ipynb" in done.line()
    assert not (tmp_path / "grades.json").exists()


def test_a_folder_is_no_notebook(tmp_path):
    assert "can't be read as a notebook" in call("grade", tmp_path).line()


def test_where_nothing_can_run_a_notebook_the_line_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbclient", None)
    done = call("grade", tmp_path / "work.ipynb")
    assert done.code == 1
    assert "nbclient is missing" in done.line()
    assert "pip install" in done.line()


@pytest.mark.slow
def test_a_file_that_can_not_be_written_keeps_what_was_said(tmp_path):
    nbformat.write(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell('check("02.q1", answer_q1)')]),
        tmp_path / "mine.ipynb",
    )
    done = call("grade", tmp_path / "mine.ipynb", "--html", tmp_path / "no" / "p.html")
    assert done.code == 1
    assert "mine.ipynb: 0 of 100 points" in done.out
    assert "p.html: No such file" in done.line()
