"""Stale, edited, missing and orphaned notebooks are found without running anything."""

import shutil

import nbformat
import pytest

from tools.agreement import course_disagreements
from tools.build import main

from .samples import DEMONSTRATION, Course


@pytest.fixture
def built(demonstration, tmp_path):
    """A copy of the built demonstration, to be changed at will."""
    shutil.copytree(demonstration.root, tmp_path, dirs_exist_ok=True)
    return Course(tmp_path)


def edit(course, change):
    """Change the notebook behind the builder's back."""
    node = nbformat.read(course.notebook(), as_version=4)
    change(node)
    nbformat.write(node, course.notebook())


def test_a_built_course_agrees(built, capsys):
    assert list(course_disagreements(built.root)) == []
    assert main(["--root", str(built.root), "--check"]) == 0
    assert main(["--root", str(built.root)]) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_stale_notebook_is_found(built, capsys):
    built.write(DEMONSTRATION.replace("torch.randn(5)", "torch.randn(6)"))
    (problem,) = course_disagreements(built.root)
    assert problem.startswith("chapters/01_small.ipynb: is older than sources/chapters/01_small.py")
    assert main(["--root", str(built.root), "--check"]) == 1
    assert problem in capsys.readouterr().out


def change_code(node):
    node.cells[1].source += "\ny = 1"


def change_literal_prose(node):
    node.cells[2].source = node.cells[2].source.replace("The mean", "The median")


def change_tags(node):
    node.cells[1].metadata["tags"] = ["nbval-ignore-output"]


def change_kind(node):
    node.cells[0] = nbformat.v4.new_code_cell(node.cells[0].source, id=node.cells[0].id)


def change_id(node):
    node.cells[0].id = "other"


@pytest.mark.parametrize(
    "change", [change_code, change_literal_prose, change_tags, change_kind, change_id]
)
def test_an_edited_notebook_is_found(built, change):
    edit(built, change)
    (problem,) = course_disagreements(built.root)
    assert "was edited by hand: edit sources/chapters/01_small.py:" in problem


def test_a_cell_too_few_is_found(built):
    edit(built, lambda node: node.cells.pop())
    (problem,) = course_disagreements(built.root)
    assert "cells" in problem


def test_another_source_is_found(built):
    edit(built, lambda node: node.metadata.course.update(source="sources/chapters/02.py"))
    (problem,) = course_disagreements(built.root)
    assert "does not name" in problem


def test_a_notebook_that_nothing_built_is_found(built):
    edit(built, lambda node: node.metadata.pop("course"))
    assert any("older" in problem for problem in course_disagreements(built.root))


def test_a_missing_notebook_is_found(built):
    built.notebook().unlink()
    (problem,) = course_disagreements(built.root)
    assert problem == "chapters/01_small.ipynb: missing; run python -m tools.build"


def test_an_orphan_is_found(built):
    built.notebook("02_orphan").write_bytes(built.notebook().read_bytes())
    (problem,) = course_disagreements(built.root)
    assert problem == "chapters/02_orphan.ipynb: has no source; delete it"


def test_a_broken_notebook_is_found(built):
    built.notebook().write_text("<<<<<<< HEAD\n", encoding="utf-8")
    (problem,) = course_disagreements(built.root)
    assert problem.startswith("chapters/01_small.ipynb: ")


def test_a_source_in_a_strange_folder_is_found(built):
    (built.root / "sources" / "appendix").mkdir()
    (built.root / "sources" / "appendix" / "01_x.py").write_text("# %%\n1\n", encoding="utf-8")
    (problem,) = course_disagreements(built.root)
    assert "sources live in sources/chapters" in problem
