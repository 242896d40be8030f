"""Links inside of the course."""

import nbformat
import pytest

from tools.links import anchors, broken_links

from .samples import markdown, notebook


@pytest.fixture
def write(course):
    """Write a notebook of one markdown cell into a small course; return its path."""

    def write(text, name="chapters/01_one.ipynb"):
        path = course.root / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook(markdown(text)), path)
        return path

    write(
        "# Two\n## Rotary *positions* & `RoPE`, $d_k$\n<a id='by-hand'></a>",
        "chapters/02_two.ipynb",
    )
    (course.root / "NOTATION.md").write_text("# Notation\n## What's `B`, T?\n", encoding="utf-8")
    return write


@pytest.mark.parametrize(
    "text",
    [
        "[x](02_two.ipynb)",
        "[x](02_two.ipynb#Two)",
        "[x](02_two.ipynb#Rotary-positions-&-RoPE,-$d_k$)",
        "[x](02_two.ipynb#by-hand)",
        "[x](../NOTATION.md)",
        "[x](../NOTATION.md#whats-b-t)",
        "[x][1]\n\n[1]: ../NOTATION.md",
        "# Here it is\n[x](#Here-it-is)",
        "[x](https://example.org/nowhere) and <mailto:a@example.org>",
        "`[x](nowhere.md)` and $[a](b)$",
    ],
)
def test_a_link_that_leads_somewhere(write, course, text):
    assert list(broken_links(write(text), course.root)) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[x](03_three.ipynb)", "no such file"),
        ("[x](02_Two.ipynb)", "no such file"),
        ("[x][1]\n\n[1]: nowhere.md", "no such file"),
        ("![x](picture.png)", "no such file"),
        ('<a href="nowhere.md">x</a>', "no such file"),
        ('text <img src="nowhere.png"> text', "no such file"),
        ('<picture><source srcset="nowhere.png 2x"></picture>', "no such file"),
        ("[x](02_two.ipynb#two)", "no heading for #two"),
        ("[x](../NOTATION.md#Notation)", "no heading for #Notation"),
        ("[x](#Nowhere)", "no heading for #Nowhere"),
        ("[x](/NOTATION.md)", "relative to the notebook's folder"),
        ("[x](../../outside.md)", "leads out of the course"),
        ("[x](file:///etc/hosts)", "only on this machine"),
        ("[x](attachment:x.png)", "only on this machine"),
    ],
)
def test_a_link_that_leads_nowhere(write, course, text, says):
    (problem,) = broken_links(write(text), course.root)
    assert problem.startswith("cell 1 [")
    assert says in problem


def test_markdown_files_are_checked_too(write, course):
    path = course.root / "NOTATION.md"
    path.write_text("[x](chapters/02_two.ipynb) [y](chapters/09.ipynb)", encoding="utf-8")
    (problem,) = broken_links(path, course.root)
    assert "09.ipynb" in problem


def test_anchors_are_those_of_the_program_that_shows_the_file(write, course):
    path = write("# One two-three\n# What's ~~old~~ *new*?")
    assert anchors(path) == {"One-two-three", "What's-old-new?"}
    assert anchors(course.root / "NOTATION.md") == {"notation", "whats-b-t"}
