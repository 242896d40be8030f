"""Reading sources: cells, ids and lines."""

import pytest

from tools.sources import BuildError, read_source

SOURCE = """\
# %% [markdown]
# # Title
#
# Text.

# %%

x = 1

# %% tags=["allow-stderr", "nbval-ignore-output"] name="last-one"
# a comment
x
"""


def test_a_cell_knows_its_kind_text_tags_and_line(course):
    source = read_source(course.write(SOURCE), course.root)
    assert source.label == "sources/chapters/01_small.py"
    assert [(c.kind, c.text, c.line) for c in source.cells] == [
        ("markdown", "# Title\n\nText.", 2),
        ("code", "x = 1", 8),
        ("code", "# a comment\nx", 11),
    ]
    assert source.cells[2].tags == ("allow-stderr", "nbval-ignore-output")
    lines = SOURCE.splitlines()
    assert "Title" in lines[source.cells[0].line - 1]
    assert str(source.error(source.cells[1], "wrong")) == (
        "sources/chapters/01_small.py:8: cell 2 (code): wrong"
    )


def test_an_edit_changes_no_other_id(course):
    before = read_source(course.write(SOURCE), course.root)
    edited = SOURCE.replace("x = 1", "x = 2").replace("# %%\n", '# %%\n0\n\n# %% name="new"\n', 1)
    after = read_source(course.write(edited), course.root)
    ids = [cell.id for cell in after.cells]
    assert ids[0] == before.cells[0].id
    assert ids[2:] == ["new", "last-one"]
    assert before.cells[1].id not in ids
    assert before.sha256 != after.sha256


def test_cells_of_the_same_text_have_different_ids(course):
    source = read_source(course.write("# %%\nx\n\n# %%\nx\n\n# %%\ny\n"), course.root)
    first, second, other = (cell.id for cell in source.cells)
    assert second == f"{first}-2"
    assert other != first


def test_the_digest_is_of_what_a_reader_sees(course):
    path = course.write(SOURCE)
    digest = read_source(path, course.root).sha256
    path.write_bytes(SOURCE.replace("\n", "\r\n").encode())  # a checkout on Windows
    assert read_source(path, course.root).sha256 == digest
    course.write(SOURCE.replace("x = 1\n", "x = 1\n\n\n"))
    assert read_source(path, course.root).sha256 == digest
    course.write(SOURCE.replace('"allow-stderr", ', ""))
    assert read_source(path, course.root).sha256 != digest


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "start"),
        ("x = 1\n\n# %%\ny = 2\n", "1 lines begin with '# %%', but jupytext reads 2 cells"),
        ('# %%\nx = """\n# %%\n"""\n', "2 lines begin with '# %%', but jupytext reads 1 cells"),
        ("# %%\n# %%\n1\n", ":1: cell 1 (code): an empty cell"),
        ("# %% [raw]\n# text\n", "only code and markdown"),
        ("# %% Title\n1\n", ":2: cell 1 (code): the marker sets title"),
        ('# %% tags=["nbval_ignore_output"]\n1\n', "unknown tag 'nbval_ignore_output'"),
        ('# %% tags=["x\n1\n', "incorrectly_encoded_metadata"),
        ('# %% name="Big Name"\n1\n', "the name 'Big Name' needs small letters"),
        ('# %% name="a"\n1\n\n# %% name="a"\n2\n', ":5: cell 2 (code): a second cell named 'a'"),
    ],
)
def test_a_source_that_breaks_a_convention_is_refused(course, text, says):
    with pytest.raises(BuildError) as error:
        read_source(course.write(text), course.root)
    assert str(error.value).startswith("sources/chapters/01_small.py:")
    assert says in str(error.value)


def test_a_source_that_is_no_text_is_refused(course):
    path = course.write("")
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BuildError, match=r"01_small\.py"):
        read_source(path, course.root)
